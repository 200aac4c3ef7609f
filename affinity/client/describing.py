"""A file as a DocumentEntry: what its owner says, what a CDA says itself, what the file tells, what can be assumed."""

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from affinity.client.cda import read_header
from affinity.client.codebook import CodeBook
from affinity.client.spelling import Spelled, fields
from affinity.client.xds import symbolic_id
from ihe.identifiers import new_oid
from xds.attribute_tables import DOCUMENT_ENTRY
from xds.model import DocumentEntry

LARGEST_CDA = 16 * 2**20
"""Bytes; a larger XML file is not looked into."""
MEDIA_TYPES: Mapping[str, str] = {
    ".dcm": "application/dicom",
    ".hl7": "x-application/hl7-v2+er7",
    ".cda": "text/xml",
    ".xml": "text/xml",
}
"""By suffix, where the general table of media types does not say what Document Sharing says."""
REQUIRED_CODES = (
    "classCode",
    "typeCode",
    "formatCode",
    "confidentialityCode",
    "healthcareFacilityTypeCode",
    "practiceSettingCode",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A DocumentEntry, and which of its attributes nobody has stated."""

    file: Path
    entry: DocumentEntry
    assumed: tuple[str, ...]


def describe(file: Path, number: int, said: Spelled, codes: CodeBook, *, assume: bool) -> Description:
    """Describe one file; ``said`` counts most. ``assume``: missing codes are those that the domain would likely mean.

    ValueError names what is missing or cannot be read. OSError: the file.
    """
    stated = {**_observed(file), **(_header(file) or {}), **said}
    stated.setdefault("sourcePatientId", said.get("patientId"))
    supposed = dict(_supposed(stated, codes)) if assume else {}
    values = {**supposed, **{name: value for name, value in stated.items() if value}}
    _demand(file, values)
    entry = DocumentEntry(entry_uuid=symbolic_id(number), **fields(DOCUMENT_ENTRY, values, codes))
    return Description(file=file, entry=entry, assumed=tuple(supposed))


def _observed(file: Path) -> dict[str, Any]:
    """What a file tells about itself; a random uniqueId, because it has none."""
    modified = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return {
        "title": file.name,
        "mimeType": MEDIA_TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0],
        "creationTime": modified.strftime("%Y%m%d%H%M%S"),
        "uniqueId": new_oid(),
    }


def _header(file: Path) -> dict[str, Any] | None:
    if file.suffix.lower() not in (".xml", ".cda", "") or file.stat().st_size > LARGEST_CDA:
        return None
    return read_header(file.read_bytes())


def _supposed(stated: Mapping[str, Any], codes: CodeBook) -> Iterator[tuple[str, str]]:
    for name in (*REQUIRED_CODES, "languageCode"):
        code = codes.assume(name) if not stated.get(name) else None
        if code is not None:
            yield name, code.code if name == "languageCode" else f"{code}^{code.display}"
    if not stated.get("languageCode") and codes.assume("languageCode") is None:
        yield "languageCode", "en"


def _demand(file: Path, values: Mapping[str, Any]) -> None:
    missing = [name for name in (*REQUIRED_CODES, "languageCode", "mimeType", "patientId") if not values.get(name)]
    if missing:
        ways = "by options, in --metadata FILE.toml, or by a --domain whose codes are assumed"
        raise ValueError(f"{file}: {', '.join(missing)} must be said: {ways}")
