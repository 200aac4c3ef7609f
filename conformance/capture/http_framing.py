"""Where HTTP/1.1 messages begin and end in one direction of a connection (RFC 9112: 6), overheard."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from conformance.capture.recorded import header

LONGEST_HEAD = 64 * 1024
LINE = b"\r\n"


@dataclass(frozen=True, slots=True)
class Head:
    """Start line and header fields, with the blank line."""

    content: bytes


class End(Enum):
    """The message is complete."""

    END = auto()


Event = Head | bytes | End


class NotHTTP(ValueError):
    """What goes over the connection cannot be read as HTTP/1.1."""


class HTTPReader:
    """Bytes in any pieces go in; heads, pieces of bodies without their chunks, and ends come out.

    ``has_no_body`` is asked of each head. A message of a server may go on until the connection ends.
    """

    def __init__(self, has_no_body: Callable[[bytes], bool], *, of_server: bool) -> None:
        self._has_no_body = has_no_body
        self._of_server = of_server
        self._buffer = bytearray()
        self._left = 0
        self._state: Callable[[], Iterator[Event]] = self._head

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next bytes."""
        self._buffer += data
        while self._buffer:
            before = len(self._buffer), self._state
            yield from self._state()
            if (len(self._buffer), self._state) == before:
                return

    def close(self) -> Iterator[Event]:
        """The sender has ended."""
        if self._state == self._rest:
            yield End.END

    def _head(self) -> Iterator[Event]:
        while self._buffer.startswith(LINE):  # RFC 9112: 2.2 lets a blank line pass before a start line
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n")
        if (len(self._buffer) if end < 0 else end) > LONGEST_HEAD:
            raise NotHTTP(f"no head of at most {LONGEST_HEAD} bytes")
        if end >= 0:
            head = self._take(end + 4)
            yield Head(head)
            yield from self._begin(head)

    def _begin(self, head: bytes) -> Iterator[Event]:
        length = header(head, "content-length")
        if self._has_no_body(head):
            yield End.END
        elif is_chunked(head):
            self._state = self._chunk
        elif length:
            yield from self._count(length)
        elif self._of_server:
            self._state = self._rest
        else:
            yield End.END

    def _count(self, length: str) -> Iterator[Event]:
        if not (length.isascii() and length.isdecimal()):
            raise NotHTTP("a Content-Length that is no number")
        self._left, self._state = int(length), self._counted
        if not self._left:
            yield from self._end()

    def _counted(self) -> Iterator[Event]:
        yield from self._content()
        if not self._left:
            yield from self._end()

    def _chunk(self) -> Iterator[Event]:
        line = self._line()
        if line is not None:
            self._measure(line)
        yield from ()

    def _measure(self, line: bytes) -> None:
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            raise NotHTTP("a chunk whose size is no number") from None
        self._state = self._chunk_content if self._left else self._trailer

    def _chunk_content(self) -> Iterator[Event]:
        yield from self._content()
        if not self._left:
            self._state = self._chunk_end

    def _chunk_end(self) -> Iterator[Event]:
        if self._line() is not None:
            self._state = self._chunk
        yield from ()

    def _trailer(self) -> Iterator[Event]:
        line = self._line()
        if line == b"":
            yield from self._end()

    def _rest(self) -> Iterator[Event]:
        yield self._take(len(self._buffer))

    def _end(self) -> Iterator[Event]:
        self._state = self._head
        yield End.END

    def _content(self) -> Iterator[Event]:
        content = self._take(min(self._left, len(self._buffer)))
        self._left -= len(content)
        yield content

    def _line(self) -> bytes | None:
        end = self._buffer.find(LINE)
        if end < 0:
            if len(self._buffer) > LONGEST_HEAD:
                raise NotHTTP("a line that does not end")
            return None
        return self._take(end + 2)[:-2]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def is_chunked(head: bytes) -> bool:
    """Claim that the body of a head comes in chunks."""
    return header(head, "transfer-encoding").lower().endswith("chunked")


def status(head: bytes) -> int:
    """The status of an answer; 0 where it is none."""
    word = head[:40].split(b" ", 2)[1:2]
    return int(word[0]) if word and word[0].isdigit() else 0
