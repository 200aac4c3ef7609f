"""Frames of syslog over TLS: MSG-LEN SP SYSLOG-MSG, octet counting (RFC 5425: 4.3); and datagrams (RFC 5426).

Pure and incremental: whatever the chunks, the same messages. Tolerated: blanks, line ends and NULs between frames.
"""

import re
from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
LARGEST_DATAGRAM = 65507
"""65535 octets less the headers of IPv4 and UDP; a receiver should take 2048 (RFC 5426: 3.2)."""
_BLANK = b" \r\n\0"
_LENGTH = re.compile(rb"(\d{1,10}) ")
_LONGEST_LENGTH = 11


@dataclass(frozen=True, slots=True)
class Received:
    """One whole message, without its frame."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Oversize:
    """A message longer than the limit, ``size`` octets; the rest of it is thrown away as it comes."""

    prefix: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Broken:
    """No MSG-LEN where one must stand: nobody knows where the next message begins, so the connection is of no use."""

    prefix: bytes


Event = Received | Oversize | Broken


def frame(message: bytes) -> bytes:
    """Wrap one message for sending."""
    return b"%d %b" % (len(message), message)


def datagram(message: bytes, limit: int = LARGEST_DATAGRAM) -> bytes:
    """The one datagram of a message (RFC 5426: 3.1), cut before ``limit`` at the end of a character if it must be."""
    if len(message) <= limit:
        return message
    return message[:limit].decode("utf-8", "ignore").encode()


class Framer:
    """Cuts the bytes of one connection into messages of at most ``limit`` octets."""

    def __init__(self, limit: int = MEBIBYTE) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._size: int | None = None
        self._discarding = 0
        self.broken = False

    @property
    def held(self) -> int:
        """How many octets of an unfinished message are kept."""
        return len(self._buffer)

    @property
    def in_frame(self) -> bool:
        """Has a message begun that has not ended?"""
        return self._size is not None or bool(self._buffer) or self._discarding > 0

    def feed(self, data: bytes) -> list[Event]:
        """Take the next octets and return what they complete, in order; nothing any more once it is broken."""
        if self.broken:
            return []
        self._buffer += data
        events: list[Event] = []
        while self._step(events):
            pass
        return events

    def end(self) -> bytes:
        """The connection has ended: what had come of an unfinished message."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return b"" if self._size is None else rest

    def _step(self, events: list[Event]) -> bool:
        if self._discarding:
            return self._discard()
        return self._length(events) if self._size is None else self._message(self._size, events)

    def _discard(self) -> bool:
        gone = min(self._discarding, len(self._buffer))
        del self._buffer[:gone]
        self._discarding -= gone
        return self._discarding == 0

    def _length(self, events: list[Event]) -> bool:
        blank = len(self._buffer) - len(self._buffer.lstrip(_BLANK))
        del self._buffer[:blank]
        found = _LENGTH.match(self._buffer)
        if found is None:
            self._judge(events)
            return False
        self._size = int(found[1])
        del self._buffer[: found.end()]
        return True

    def _judge(self, events: list[Event]) -> None:
        """Digits may still become a length; anything else cannot."""
        head = bytes(self._buffer[:_LONGEST_LENGTH])
        if head and (not head.isdigit() or len(head) == _LONGEST_LENGTH):
            self.broken = True
            events.append(Broken(bytes(self._buffer[: self._limit])))
            self._buffer.clear()

    def _message(self, size: int, events: list[Event]) -> bool:
        if size > self._limit:
            return self._oversize(size, events)
        if len(self._buffer) < size:
            return False
        if size:
            events.append(Received(bytes(self._buffer[:size])))
        del self._buffer[:size]
        self._size = None
        return True

    def _oversize(self, size: int, events: list[Event]) -> bool:
        if len(self._buffer) < self._limit:
            return False
        events.append(Oversize(bytes(self._buffer[: self._limit]), size))
        del self._buffer[: self._limit]
        self._discarding, self._size = size - self._limit, None
        return True
