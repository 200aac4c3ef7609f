"""The Document elements of a Provide and Register request, as XOP parts or inline (ITI TF-2: 3.41.4.1.2, V.8.2)."""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

from lxml.etree import _Element

from ihe.citations import Citation, tf2, tf3
from ihe.errors import Breach, ErrorCode
from ihe.exchange import Part, Sink, SOAPRequest, Spool
from ihe.identifiers import UniqueId
from xds.document_requests import XDS_B

DOCUMENT = f"{{{XDS_B}}}Document"
INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
CID = "cid:"
CODES = tf3("Table 4.2.4.1-2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One Document element. ``id`` names the DocumentEntry.

    ``content`` is a received part, what stood inline, or None if neither is there; ``href`` is that of an xop:Include.
    """

    id: str
    content: Part | bytes | None
    href: str | None = None

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.content.size if isinstance(self.content, Part) else len(self.content or b"")


@dataclass(frozen=True, slots=True)
class Attachments:
    """Everything that a request brings along; ``stray`` are the Content-IDs of parts that no Document names."""

    found: tuple[Attachment, ...]
    stray: tuple[str, ...]

    def breaches(self, entries: Mapping[str, UniqueId | None]) -> Iterator[Breach]:
        """Yield what keeps Documents and DocumentEntries (uniqueId by id) from being one to one (3.41.4.1.2)."""
        ids = Counter([attachment.id for attachment in self.found])
        for each in sorted(entries.keys() - ids.keys()):
            yield _breach(ErrorCode.MISSING_DOCUMENT, "A DocumentEntry has no Document with its id", each)
        for each in sorted(ids.keys() - entries.keys()):
            yield _breach(ErrorCode.MISSING_DOCUMENT_METADATA, "A Document has no DocumentEntry with its id", each)
        for each in (each for each, count in ids.items() if count > 1):
            yield _breach(ErrorCode.REPOSITORY_METADATA_ERROR, "More than one Document has the same id", each)
        for each in self.stray:
            yield _breach(ErrorCode.MISSING_DOCUMENT_METADATA, "A MIME part is named by no Document", each)
        for attachment in self.found:
            yield from _flaws(attachment, entries.get(attachment.id))


def decode_attachments(request: SOAPRequest) -> Attachments:
    """Read every Document element and account for every part."""
    elements = request.body.findall(DOCUMENT)
    # The header may name parts of its own, such as a certificate.
    named = {_content_id(include.get("href")) for include in request.body.getroottree().iter(INCLUDE)}
    stray = tuple([content_id for content_id in request.parts if content_id not in named])
    return Attachments(tuple([_decode(element, request.parts) for element in elements]), stray)


@contextmanager
def received(attachments: Attachments, spool: Spool) -> Iterator[Mapping[str, Part]]:
    """Every Document as a part, by the id of its entry; what stood inline is spooled until the block ends."""
    sinks: list[Sink] = []
    try:
        parts = {each.id: each.content for each in attachments.found if isinstance(each.content, Part)}
        for each in attachments.found:
            if isinstance(each.content, bytes):
                sinks.append(sink := spool())
                sink.write(each.content)
                parts[each.id] = sink.finish(each.id, "")
        yield parts
    finally:
        for sink in sinks:
            sink.discard()


def _decode(element: _Element, parts: Mapping[str, Part]) -> Attachment:
    include = element.find(INCLUDE)
    document_id = element.get("id", "")
    if include is None:
        return Attachment(id=document_id, content=_inline(element))
    href = include.get("href", "")
    return Attachment(id=document_id, content=parts.get(_content_id(href)), href=href)


def _inline(element: _Element) -> bytes | None:
    if len(element):
        return None
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _content_id(href: str | None) -> str:
    if not href or href[: len(CID)].lower() != CID:
        return ""
    return unquote(href[len(CID) :]) if "%" in href else href[len(CID) :]


def _flaws(attachment: Attachment, unique_id: UniqueId | None) -> Iterator[Breach]:
    where = unique_id or attachment.id
    if attachment.content is None and attachment.href is not None:
        yield Breach(
            code=ErrorCode.MISSING_DOCUMENT,
            text="The xop:Include of a Document names a part that is not in the message",
            location=attachment.id,
            observed=attachment.href,
            citation=tf2("V.8.3"),
            remedy="The href is cid: and the Content-ID of the part without its angle brackets",
        )
    elif attachment.content is None:
        yield _breach(ErrorCode.INVALID_DOCUMENT_CONTENT, "An inline Document is base64 and nothing else", where)
    elif attachment.size == 0:
        # Size 0 marks a document whose assembly is delayed (3.42.4.1.2.1), which this transaction does not know.
        text, rule = "A provided document has at least one byte", tf2("3.42.4.1.2.1")
        yield _breach(ErrorCode.INVALID_DOCUMENT_CONTENT, text, where, rule)


def _breach(code: ErrorCode, text: str, location: str, citation: Citation = CODES) -> Breach:
    return Breach(code=code, text=text, location=location, observed=location, citation=citation)
