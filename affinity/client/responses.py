"""What Document Registry and Repository answer: status, errors, metadata, documents (ITI TF-3: 4.2.4; TF-2: 3.43)."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from lxml.etree import _Element

from affinity.client.patients import Remark
from ihe.exchange import Part
from soap.client import NoAnswer, SOAPAnswer
from xds.document_requests import XDS_B
from xds.ebrim import decode_objects
from xds.fragments import RIM
from xds.model import RegistryObject
from xds.responses import RS

INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The status of an answer (Success, PartialSuccess, Failure) and every RegistryError in it."""

    status: str
    errors: tuple[Remark, ...]

    @property
    def succeeded(self) -> bool:
        """Claim that all was done; there may be warnings."""
        return self.status == "Success"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One retrieved document: its ids, its type, and its bytes, which are in a file or were inline.

    The uniqueId is the new one where an on-demand entry was asked for (ITI TF-2: 3.43.4.2.2).
    """

    unique_id: str
    repository_unique_id: str
    media_type: str
    content: Part | bytes


def verdict(body: _Element) -> Verdict:
    """Read the status and the errors. NoAnswer if the answer has no status."""
    status = next((each.get("status") for each in body.iter() if each.get("status", "").startswith("urn:")), None)
    if status is None:
        raise NoAnswer("the server answered without a status: this is no Document Registry or Repository")
    return Verdict(status=status.rpartition(":")[2], errors=tuple(map(_error, body.iter(f"{{{RS}}}RegistryError"))))


def objects(body: _Element) -> tuple[tuple[RegistryObject, ...], tuple[Remark, ...]]:
    """The metadata of a LeafClass answer, and what of it could not be read."""
    found = body.find(f"{{{RIM}}}RegistryObjectList")
    if found is None:
        return (), ()
    read, breaches = decode_objects(found)
    remarks = (Remark(code="unreadable", location=each.location, severity="W", text=each.text) for each in breaches)
    return read, tuple(remarks)


def object_refs(body: _Element) -> tuple[str, ...]:
    """The ids of an ObjectRef answer."""
    return tuple(each.get("id", "") for each in body.iterfind(f"{{{RIM}}}RegistryObjectList/{{{RIM}}}ObjectRef"))


def documents(answer: SOAPAnswer) -> tuple[Delivered, ...]:
    """The documents of a Retrieve Document Set answer. NoAnswer names one whose bytes are not there."""
    return tuple(_delivered(each, answer) for each in answer.body.iterfind(f"{{{XDS_B}}}DocumentResponse"))


def _delivered(response: _Element, answer: SOAPAnswer) -> Delivered:
    texts: Iterable[str] = ("DocumentUniqueId", "RepositoryUniqueId", "mimeType")
    unique_id, repository, media_type = (response.findtext(f"{{{XDS_B}}}{name}", "").strip() for name in texts)
    made = response.findtext(f"{{{XDS_B}}}NewDocumentUniqueId", "").strip()
    document = response.find(f"{{{XDS_B}}}Document")
    if document is None:
        raise NoAnswer(f"the answer holds no bytes for {unique_id}")
    return Delivered(
        unique_id=made or unique_id,
        repository_unique_id=repository,
        media_type=media_type,
        content=_content(document, answer, unique_id),
    )


def _content(document: _Element, answer: SOAPAnswer, unique_id: str) -> Part | bytes:
    include = document.find(INCLUDE)
    if include is None:
        try:
            return base64.b64decode("".join((document.text or "").split()), validate=True)
        except binascii.Error:
            raise NoAnswer(f"the bytes of {unique_id} are neither a part of the message nor base64") from None
    part = answer.parts.get(unquote(include.get("href", "").removeprefix("cid:")))
    if part is None:
        raise NoAnswer(f"the answer names a part for {unique_id} that is not there")
    return part


def _error(element: _Element) -> Remark:
    return Remark(
        code=element.get("errorCode", ""),
        location=element.get("location", ""),
        severity="W" if element.get("severity", "").endswith("Warning") else "E",
        text=element.get("codeContext", ""),
    )
