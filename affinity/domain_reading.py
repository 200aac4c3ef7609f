"""The files of a domain directory, each by itself: read, and every fault of it told."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from affinity import matching_files
from affinity.domain_faults import Fault, repeated_repositories, scheme_faults
from affinity.domain_files import CodesFile, RepositoriesFile, Table
from affinity.domain_model import Repository
from affinity.matching_files import MatchingFiles, WrongMatching
from affinity.partner_agreements import contradictions
from affinity.partner_files import PartnerFile
from ihe.datatypes import Code

CODED_ATTRIBUTES = (
    "classCode",
    "typeCode",
    "formatCode",
    "confidentialityCode",
    "healthcareFacilityTypeCode",
    "practiceSettingCode",
    "eventCodeList",
    "contentTypeCode",
    "codeList",
    "associationDocumentation",
    "mimeType",
    "languageCode",
)
"""Attributes with a code list; ``codeList`` is the Folder's (ITI TF-3: 4.2.3.4.2)."""

File = TypeVar("File", bound=Table)
Displays = Mapping[Code, Mapping[str, str]]


def read(path: Path, shape: type[File], faults: list[Fault]) -> File | None:
    """The file in its shape; None if it cannot be used, and ``faults`` says why."""
    name = f"{path.parent.name}/{path.name}" if path.parent.name in ("codes", "partners") else path.name
    try:
        return shape.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        faults.append(Fault(name, "", f"cannot be read: {error.strerror}"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(name, "", f"is not TOML in UTF-8: {error}"))
    except ValidationError as error:
        faults += [Fault(name, _key(each["loc"]), each["msg"].removeprefix("Value error, ")) for each in error.errors()]
    return None


def read_if_there(path: Path, shape: type[File], faults: list[Fault]) -> File | None:
    """As ``read``; a file that is left out says nothing."""
    return read(path, shape, faults) if path.exists() else shape()


def read_repositories(path: Path, faults: list[Fault]) -> tuple[Repository, ...]:
    """The Audit Record Repositories of a domain."""
    written = read_if_there(path, RepositoriesFile, faults)
    if written is None:
        return ()
    faults += repeated_repositories(written)
    return tuple(Repository(name=each.name, wire=each.wire) for each in written.repository)


def read_matching(directory: Path, faults: list[Fault]) -> MatchingFiles | None:
    """The weights and words of matching."""
    try:
        return matching_files.read(directory)
    except WrongMatching as error:
        faults += [Fault(error.file, "", rule) for rule in error.rules]
        return None


def read_partners(directory: Path, faults: list[Fault]) -> dict[str, PartnerFile]:
    """The agreements with partners, by the names of their files."""
    files = {path.stem: read(path, PartnerFile, faults) for path in sorted(directory.glob("*.toml"))}
    found = {name: written for name, written in files.items() if written is not None}
    faults += contradictions(found)
    return found


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in location)


def read_codes(directory: Path, faults: list[Fault]) -> Mapping[str, Displays]:
    """The code lists, by the attribute after which each file is named."""
    found: dict[str, Displays] = {}
    for path in sorted(directory.glob("*.toml")):
        if path.stem not in CODED_ATTRIBUTES:
            faults.append(Fault(f"codes/{path.name}", "", f"is named after none of: {', '.join(CODED_ATTRIBUTES)}"))
        elif content := read(path, CodesFile, faults):
            faults += scheme_faults(path.stem, content)
            found[path.stem] = MappingProxyType(dict(_codes(content)))
    return MappingProxyType(found)


def _codes(content: CodesFile) -> Iterator[tuple[Code, Mapping[str, str]]]:
    for scheme in content.scheme:
        for code, display in scheme.codes.items():
            names = {"en": display} if isinstance(display, str) else display
            yield (
                Code(code, scheme.oid or "", names.get("en") or next(iter(names.values()), code)),
                MappingProxyType(names),
            )
