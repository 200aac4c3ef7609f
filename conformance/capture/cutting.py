"""From the body of a message to its text and what is cut out of it: the parts beside the root, or what is no text."""

from collections.abc import Iterator
from itertools import pairwise
from typing import IO

from conformance.capture.http_framing import is_chunked
from conformance.capture.recorded import CHUNK, Attachment, Message, header
from conformance.capture.spool import Spool
from soap.media import MULTIPART, parse_media_type

LONGEST_TEXT = 16 * 1024 * 1024
"""A longer text is not read, neither here nor by the validators: it is cut out as a whole."""
LONGEST_FIELDS = 16 * 1024

Span = tuple[int, int]


def cut(head: bytes, body: IO[bytes], spool: Spool) -> Message:
    """Take a body apart; put together again it is the same, byte for byte."""
    size = body.seek(0, 2)
    spans = list(_attached(head, body, size))
    text, attachments, done, length = [], [], 0, 0
    for start, end in spans:
        text.append((done, start))
        length += start - done
        attachments.append(Attachment(length, spool.keep(_pieces(body, start, end))))
        done = end
    text.append((done, size))
    kept = spool.keep(piece for start, end in text for piece in _pieces(body, start, end))
    return Message(head=head, text=kept, attachments=tuple(attachments), chunked=is_chunked(head))


def _attached(head: bytes, body: IO[bytes], size: int) -> Iterator[Span]:
    """What is to be cut out."""
    parts = list(_parts(head, body, size))
    whole = [(0, size)] if size else []
    encoded = header(head, "content-encoding").lower() not in ("", "identity")
    kept = sum(end - start for start, end in parts)
    if encoded or size - kept > LONGEST_TEXT or _has_nul(body, parts, size):
        yield from whole
    else:
        yield from parts


def _has_nul(body: IO[bytes], parts: list[Span], size: int) -> bool:
    """Claim that what would remain is no text."""
    bounds = [0, *(place for span in parts for place in span), size]
    remaining = zip(bounds[::2], bounds[1::2], strict=True)
    return any(b"\0" in piece for start, end in remaining for piece in _pieces(body, start, end))


def _parts(head: bytes, body: IO[bytes], size: int) -> Iterator[Span]:
    """The content of each MIME part but the root (RFC 2387: 3.2; RFC 2046: 5.1)."""
    try:
        media = parse_media_type(header(head, "content-type"))
    except ValueError:
        return
    boundary = media.parameters.get("boundary", "")
    if media.name != MULTIPART or not boundary:
        return
    delimiter = f"\r\n--{boundary}".encode("latin-1", "replace")
    places = [-2, *_occurrences(body, delimiter, size)] if _begins(body, delimiter[2:]) else []
    start = media.parameters.get("start", "").strip("<>")
    is_root = (lambda fields, first: start.encode() in fields) if start else (lambda fields, first: first)
    for number, (place, following) in enumerate(pairwise(places)):
        fields, content = _fields(body, place + len(delimiter))
        if content is not None and content <= following and not is_root(fields, number == 0):
            yield content, following


def _begins(body: IO[bytes], boundary: bytes) -> bool:
    body.seek(0)
    return body.read(len(boundary)) == boundary


def _fields(body: IO[bytes], start: int) -> tuple[bytes, int | None]:
    """The header fields of a part, and where its content begins; None where they do not end."""
    body.seek(start)
    begin = body.read(LONGEST_FIELDS)
    end = begin.find(b"\r\n\r\n")
    return begin[: max(end, 0)], start + end + 4 if end >= 0 else None


def _occurrences(body: IO[bytes], wanted: bytes, size: int) -> Iterator[int]:
    """Every place where some bytes stand, with no more than a chunk in memory."""
    before, at = b"", 0
    for piece in _pieces(body, 0, size):
        window = before + piece
        found = window.find(wanted)
        while found >= 0:
            yield at - len(before) + found
            found = window.find(wanted, found + 1)
        at += len(piece)
        before = window[-(len(wanted) - 1) :]


def _pieces(body: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        body.seek(at)
        yield body.read(min(CHUNK, end - at))
