"""What was captured: exchanges whose documents lie beside their text, so that neither has to be in memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, pairwise

from conformance.exchanges import Exchange, Payload, Wire

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes that lie in a file; ``read`` gives them in pieces."""

    sha256: str
    size: int
    read: Callable[[], Iterator[bytes]] = field(compare=False, repr=False)

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.read())


@dataclass(frozen=True, slots=True)
class Attachment:
    """What was cut out of a message: a MIME part, or a whole body that is no text. ``at`` is its place in the text."""

    at: int
    blob: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``head``: start line and fields of HTTP with the blank line, as sent; empty for MLLP.

    ``text`` is the body without its ``attachments``. ``chunked``: the body came in chunks, which are not kept.
    """

    head: bytes
    text: Blob
    attachments: tuple[Attachment, ...] = ()
    chunked: bool = False

    @property
    def size(self) -> int:
        """How many bytes the body has."""
        return self.text.size + sum(each.blob.size for each in self.attachments)

    def body(self) -> Iterator[bytes]:
        """The body as it was sent, in pieces."""
        text, done = self.text.content(), 0
        for each in self.attachments:
            yield text[done : each.at]
            yield from each.blob.read()
            done = each.at
        yield text[done:]

    def changed(self, *, head: bytes, text: Callable[[bytes], bytes], blob: Callable[[Attachment], Blob]) -> "Message":
        """Another message: ``text`` is asked of what stands between attachments, ``blob`` of each of these."""
        content = self.text.content()
        places = [0, *(each.at for each in self.attachments), len(content)]
        pieces = [text(content[start:end]) for start, end in pairwise(places)]
        ends = accumulate(map(len, pieces))
        attachments = tuple(Attachment(at, blob(each)) for at, each in zip(ends, self.attachments, strict=False))
        whole = b"".join(pieces)
        return replace(self, head=head, text=in_memory(whole), attachments=attachments)

    def payload(self) -> Payload:
        """The message without its attachments."""
        start_line, headers = fields(self.head)
        return Payload(content=self.text.content(), start_line=start_line, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange (``conformance.exchanges``), and between which doors it was.

    ``endpoint`` counts the doors of the proxy from 1, ``connection`` the connections. ``signature``: whether that of
    the assertion in the request agreed with the certificate beside it (``valid``, ``broken``); empty: there was none.
    """

    number: int
    wire: Wire
    transaction: str | None
    initiator: str
    responder: str
    endpoint: int
    connection: int
    began: datetime
    seconds: float
    request: Message
    answer: Message | None
    failure: str = ""
    signature: str = ""

    def exchange(self) -> Exchange:
        """As a value in memory, without attachments."""
        return Exchange(
            wire=self.wire,
            transaction=self.transaction,
            initiator=self.initiator,
            responder=self.responder,
            began=self.began,
            seconds=self.seconds,
            request=self.request.payload(),
            answer=self.answer.payload() if self.answer else None,
            failure=self.failure,
            number=self.number,
        )


def in_memory(content: bytes) -> Blob:
    """Bytes that are held as they are."""
    return Blob(sha256=hashlib.sha256(content).hexdigest(), size=len(content), read=lambda: iter((content,)))


def fields(head: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The start line and the header fields of a head; a folded line goes on with the one before."""
    start, _, rest = head.decode("latin-1").replace("\r\n", "\n").strip("\n").partition("\n")
    lines = rest.replace("\n ", " ").replace("\n\t", " ").split("\n")
    pairs = (line.partition(":") for line in lines if line)
    return start, tuple((name.strip(), value.strip()) for name, _, value in pairs)


def header(head: bytes, name: str) -> str:
    """The first value of a header field, in any case; empty if there is none."""
    return next((value for each, value in fields(head)[1] if each.lower() == name), "")
