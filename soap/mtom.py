"""MTOM and XOP packages: the envelope to memory, documents to the spool while they arrive (ITI TF-2: V.8; XOP: 4).

Both readers take a request body in any pieces, then ``close`` gives the ``Package``; ``discard`` throws all parts away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from ihe.exchange import OutgoingPart, Part, Sink, Spool
from ihe.identifiers import new_uuid
from soap.faults import SOAPFault, sender_fault
from soap.inline import InlineFilter
from soap.limits import SOAPLimits
from soap.media import SOAP_XML, XOP_XML, MediaType, parse_media_type
from soap.mime import MIMEParser
from soap.transfer import Decoder, Identity, decoder
from soap.xml import MIB

TAG_COST = 130
"""Bytes of memory that libxml2 needs for an element, however short it is spelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A request body taken apart: the envelope, the charset that its media type declares, the parts by Content-ID."""

    envelope: bytes
    charset: str | None
    parts: Mapping[str, Part]
    packaged: bool


class PackageReader(Protocol):
    """Takes a request body in pieces."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; may write to disk. A SOAPFault says what is wrong."""

    def close(self) -> Package:
        """The body is complete."""

    @property
    def spooled(self) -> bool:
        """Claim that there is something to throw away."""

    @property
    def cost(self) -> int:
        """What the envelope so far will cost in memory, in bytes, once it is parsed."""

    def forget(self) -> None:
        """Let go of the envelope."""

    def discard(self) -> None:
        """Throw away what was spooled; harmless for parts that a store has adopted."""


class SimpleReader:
    """Simple SOAP: the body is the envelope (ITI TF-2: V.8.1)."""

    def __init__(self, media: MediaType, spool: Spool, limits: SOAPLimits) -> None:
        self._charset = media.parameters.get("charset")
        self._envelope = _Memory(limits.xml.size)
        self._inline = InlineFilter(self._envelope.write, spool, limits.inline)
        self.feed = self._inline.feed
        self.discard = self._inline.discard

    @property
    def cost(self) -> int:
        """What the envelope so far will cost in memory, in bytes, once it is parsed."""
        return self._envelope.cost

    def forget(self) -> None:
        """Let go of the envelope."""
        self._envelope.content.clear()

    @property
    def spooled(self) -> bool:
        """Claim that inline base64 was cut out."""
        return self._inline.spooled

    def close(self) -> Package:
        """Give the envelope with long base64 replaced by xop:Include."""
        self._inline.close()
        envelope = self._envelope.take()
        return Package(envelope=envelope, charset=self._charset, parts=self._inline.parts, packaged=False)


class MTOMReader:
    """A multipart/related body whose root is the envelope (XOP: 4.1).

    ``length`` is that of the body, if it is known: in one of less than ``limits.inline`` bytes no text is so long.
    """

    def __init__(self, media: MediaType, spool: Spool, limits: SOAPLimits, length: int | None = None) -> None:
        self._mime = MIMEParser(media.parameters.get("boundary", ""), limits.part_headers)
        self._start = _content_id(media.parameters["start"]) if "start" in media.parameters else None
        self._spool = spool
        self._limits = limits
        self._envelope = _Memory(limits.xml.size)
        self._is_short = length is not None and length <= limits.inline
        self._inline: InlineFilter | None = None
        self._root: MediaType | None = None
        self._decoder: Decoder = Identity(self._envelope.write)
        self._open: _OpenPart | None = None
        self._sinks: list[Sink] = []
        self._parts: dict[str, Part] = {}
        self._content_ids: set[str] = set()
        self._seen = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the multipart body."""
        self._mime.feed(data, self)

    def close(self) -> Package:
        """Give the root part and the others; refuse a package without root."""
        self._mime.close()
        if self._root is None:
            raise sender_fault(f'start="<{self._start}>" names no part of the message (RFC 2387: 3.2)')
        return Package(
            envelope=self._envelope.take(),
            charset=self._root.parameters.get("charset"),
            parts=self._parts if self._inline is None else self._parts | self._inline.parts,
            packaged=True,
        )

    @property
    def cost(self) -> int:
        """What the envelope so far will cost in memory, in bytes, once it is parsed."""
        return self._envelope.cost

    def forget(self) -> None:
        """Let go of the envelope."""
        self._envelope.content.clear()

    @property
    def spooled(self) -> bool:
        """Claim that there are parts beside the root."""
        return bool(self._sinks) or (self._inline is not None and self._inline.spooled)

    def discard(self) -> None:
        """Throw every part away."""
        if self._inline is not None:
            self._inline.discard()
        for sink in self._sinks:
            sink.discard()

    def begin(self, headers: Mapping[str, str]) -> None:
        """Decide where the part goes that begins."""
        self._seen += 1
        if self._seen > self._limits.parts:
            raise sender_fault(f"The message has more than {self._limits.parts} parts", status=413)
        media = _part_type(headers.get("content-type", "text/plain"))
        encoding = headers.get("content-transfer-encoding", "")
        content_id = _content_id(headers.get("content-id", ""))
        if content_id and content_id in self._content_ids:
            raise sender_fault(f"Two MIME parts have the Content-ID <{content_id}> (RFC 2045: 7)")
        self._content_ids.add(content_id)
        if self._root is None and (content_id == self._start if self._start is not None else self._seen == 1):
            self._begin_root(media, encoding)
        else:
            self._begin_part(content_id, media, encoding)

    def _begin_root(self, media: MediaType, encoding: str) -> None:
        if media.name != XOP_XML:
            raise _wrong_root(media)
        self._root = media
        write = self._envelope.write
        if not self._is_short:
            self._inline = InlineFilter(write, self._spool, self._limits.inline)
            write = self._inline.feed
        self._decoder = decoder(encoding, write)

    def _begin_part(self, content_id: str, media: MediaType, encoding: str) -> None:
        if not content_id:
            raise sender_fault(f"MIME part {self._seen} has no Content-ID, so nothing can refer to it (XOP: 4.1)")
        sink = self._spool()
        self._sinks.append(sink)
        self._open = _OpenPart(sink, content_id, media.name)
        self._decoder = decoder(encoding, sink.write)

    def take(self, content: bytes) -> None:
        """Decode the next bytes of the part."""
        self._decoder.feed(content)

    def end(self) -> None:
        """Finish the part."""
        self._decoder.close()
        if self._open is None and self._inline is not None:
            self._inline.close()
        elif self._open is not None:
            done, self._open = self._open, None
            self._parts[done.content_id] = done.sink.finish(done.content_id, done.media_type)


def pack(envelope: bytes, parts: Sequence[OutgoingPart], action: str) -> tuple[str, int, Iterator[bytes]]:
    """Make an MTOM message: its Content-Type, its exact length, its bytes in bounded pieces (XOP: 3.1)."""
    unique = new_uuid()
    boundary, root = f"MIMEBoundary_{unique}", f"root.{unique}@affinity.invalid"
    heads = [_part_head(boundary, root, f'{XOP_XML}; charset=UTF-8; type="{SOAP_XML}"')]
    tail = f"\r\n--{boundary}--\r\n".encode()
    length = len(heads[0]) + len(envelope) + len(tail)
    for part in parts:
        heads.append(b"\r\n" + _part_head(boundary, part.content_id, part.media_type))
        length += len(heads[-1]) + part.size
    kind = (
        f'multipart/related; boundary="{boundary}"; type="{XOP_XML}"; start="<{root}>"; '
        f'start-info="{SOAP_XML}"; action="{action}"'
    )
    return kind, length, _spell(envelope, parts, heads, tail)


def _spell(envelope: bytes, parts: Sequence[OutgoingPart], heads: list[bytes], tail: bytes) -> Iterator[bytes]:
    yield heads[0] + envelope
    for head, part in zip(heads[1:], parts, strict=True):
        yield head
        sent = 0
        for chunk in part.chunks():
            sent += len(chunk)
            yield chunk
        if sent != part.size:
            raise OSError(f"the part {part.content_id} has {sent} bytes, {part.size} were promised")
    yield tail


def _part_head(boundary: str, content_id: str, media_type: str) -> bytes:
    if not media_type.isprintable():
        media_type = "application/octet-stream"
    return (
        f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{content_id}>\r\n\r\n"
    ).encode()


@dataclass(frozen=True, slots=True)
class _OpenPart:
    sink: Sink
    content_id: str
    media_type: str


class _Memory:
    """The envelope, bounded."""

    def __init__(self, limit: int) -> None:
        self.content = bytearray()
        self.cost = 0
        self._limit = limit

    def take(self) -> bytes:
        """Give the whole, and keep nothing."""
        content = bytes(self.content)
        self.content.clear()
        return content

    def write(self, data: bytes) -> None:
        self.content += data
        self.cost += len(data) + TAG_COST * data.count(b"<")
        if len(self.content) > self._limit:
            size = f"{self._limit // MIB} MiB" if self._limit >= MIB else f"{self._limit} bytes"
            raise sender_fault(f"The SOAP envelope without its documents is larger than {size}", status=413)


def _content_id(text: str) -> str:
    """Spell a Content-ID as handlers look it up: no angle brackets, percent-decoded like a cid URL (RFC 2392: 2)."""
    plain = text.strip().removeprefix("<").removesuffix(">")
    return unquote(plain) if "%" in plain else plain


def _part_type(value: str) -> MediaType:
    try:
        return parse_media_type(value)
    except ValueError:
        # The type of a document is the metadata's business; a malformed header must not lose the document.
        return MediaType("application/octet-stream", {})


def _wrong_root(media: MediaType) -> SOAPFault:
    return sender_fault(
        f'The root part is {media}; in MTOM it is {XOP_XML} with type="{SOAP_XML}" '
        "(XOP: 4.1). SOAP with Attachments is not accepted (ITI TF-2: V.8.2)",
        status=415,
    )
