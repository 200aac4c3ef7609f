"""multipart/related as a stream: bytes in any pieces go in, who takes the parts is told of each (RFC 2046: 5.1).

Nothing is buffered but a possible delimiter and the headers of one part.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Protocol

from soap.faults import SOAPFault, sender_fault

MAX_PREAMBLE = 64 * 1024
MAX_PADDING = 1024
"""How much blank space may follow a delimiter on its line."""

_LINE_REST = re.compile(rb"(--)|[ \t]*\r\n|([ \t]*\r?|-)\Z")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)


class Taker(Protocol):
    """Is told of each part, in the order of the bytes."""

    def begin(self, headers: Mapping[str, str]) -> None:
        """A part begins; its headers by lower-case name, unfolded."""

    def take(self, content: bytes) -> None:
        """The next bytes of the part."""

    def end(self) -> None:
        """The part is complete."""


class _State(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    CONTENT = auto()
    EPILOGUE = auto()


class MIMEParser:
    """Cuts a multipart body at its boundary. Feed it, then ``close`` it; a SOAPFault says what is malformed."""

    def __init__(self, boundary: str, header_limit: int) -> None:
        if not boundary or len(boundary) > 200 or not boundary.isascii():
            raise sender_fault("The multipart Content-Type has no usable boundary (RFC 2046: 5.1.1)", status=415)
        self._boundary = boundary
        self._delimiter = b"\r\n--" + boundary.encode()
        self._header_limit = header_limit
        self._state = _State.PREAMBLE
        # The first delimiter may stand at the very beginning, where no line ends before it.
        self._buffer = bytearray(b"\r\n")
        self._skip = 2
        self._preamble = b""

    def feed(self, data: bytes, taker: Taker) -> None:
        """Take the next bytes and tell ``taker`` what they complete."""
        self._buffer += data
        more = True
        while more and self._state is not _State.EPILOGUE:
            more = self._read_headers(taker) if self._state is _State.HEADERS else self._read_content(taker)
        if self._state is _State.EPILOGUE:
            self._buffer.clear()

    def close(self) -> None:
        """Refuse a message that broke off."""
        if self._state is _State.PREAMBLE:
            self._preamble += self._buffer[2:]
            raise self._boundary_not_found()
        if self._state is not _State.EPILOGUE:
            raise sender_fault(f"The MIME message breaks off before its last boundary --{self._boundary}--")

    def _read_headers(self, taker: Taker) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if (len(self._buffer) if end < 0 else end) > self._header_limit:
            raise sender_fault(f"The headers of a MIME part are longer than {self._header_limit} bytes")
        if end < 0:
            return False
        block = self._take(end + 2)
        # The line end that closes the headers may already belong to the next delimiter: a part may be empty.
        self._state, self._skip = _State.CONTENT, 2
        taker.begin(_fields(block))
        return True

    def _read_content(self, taker: Taker) -> bool:
        content, last = self._cut()
        if self._state is _State.PREAMBLE:
            self._remember(content)
        elif content:
            taker.take(content)
        if last is None:
            return False
        if self._state is _State.CONTENT:
            taker.end()
        self._state, self._skip = (_State.EPILOGUE if last else _State.HEADERS), 0
        return True

    def _cut(self) -> tuple[bytes, bool | None]:
        """Take what certainly stands before a delimiter; True after the last one, False after another, None if none."""
        at = self._buffer.find(self._delimiter)
        while at >= 0:
            after = at + len(self._delimiter)
            rest = _LINE_REST.match(self._buffer, after, after + MAX_PADDING)
            undecided = rest is not None and rest[2] is not None
            if undecided and after + MAX_PADDING > len(self._buffer):
                return self._take(at), None
            if rest is None or undecided:  # A line of content that only begins like the delimiter.
                at = self._buffer.find(self._delimiter, after)
                continue
            content = self._take(at)
            # The line end of the delimiter stays: a part without headers has only it before its blank line.
            del self._buffer[: rest.end() - at - 2]
            return content, rest[1] is not None
        return self._take(max(0, len(self._buffer) - len(self._delimiter) + 1)), None

    def _take(self, size: int) -> bytes:
        """Remove bytes from the front of the buffer; the line end before the content is not content."""
        skipped = min(self._skip, size)
        with memoryview(self._buffer) as view:
            taken = bytes(view[skipped:size])
        del self._buffer[:size]
        self._skip -= skipped
        return taken

    def _remember(self, preamble: bytes) -> None:
        self._preamble += preamble
        if len(self._preamble) > MAX_PREAMBLE:
            raise self._boundary_not_found()

    def _boundary_not_found(self) -> SOAPFault:
        first_line = self._preamble.lstrip()[:200].split(b"\n")[0].decode("ascii", "replace").strip()
        hint = "; its lines end in LF alone, MIME wants CRLF" if f"--{self._boundary}" == first_line else ""
        if not hint and first_line.startswith("--"):
            hint = f"; the message begins with {first_line}"
        return sender_fault(f"The boundary --{self._boundary} of the Content-Type was not found in the body{hint}")


def _fields(block: bytes) -> dict[str, str]:
    """Unfold and read header lines (RFC 5322: 2.2.3)."""
    lines = block.decode("utf-8", "replace").strip("\r\n").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
    fields: dict[str, str] = {}
    for line in filter(None, lines):
        found = _FIELD.fullmatch(line)
        if found is None:
            raise sender_fault("A header line of a MIME part has no name and colon (RFC 5322: 2.2)")
        fields.setdefault(found[1].lower(), found[2].strip())
    return fields
