"""Frames of the Minimal Lower Layer Protocol: VT message FS CR (HL7 Implementation Guide: Appendix C; ITI TF-2: C.2.1).

Pure and incremental: whatever the chunks, the same messages. Tolerated, by name: blanks and NULs between frames, a
doubled start or end block, other bytes between frames (reported), a frame given up and begun again.
"""

from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c\r"
MEBIBYTE = 1024 * 1024
PREFIX = 4096
"""As much of an oversize message is kept as its MSH needs."""

_BLANK = b" \t\r\n\0\x1c\x0b"
_RESTART = START + b"MSH"


@dataclass(frozen=True, slots=True)
class Received:
    """One whole message, without its frame."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Oversize:
    """A message longer than the limit; the rest of it is thrown away as it comes. ``prefix`` holds its beginning."""

    prefix: bytes
    limit: int


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that belong to no message; ``prefix`` holds the first few, for judging, not for logging."""

    size: int
    prefix: bytes


Event = Received | Oversize | Noise


def frame(message: bytes) -> bytes:
    """Wrap one message for sending."""
    return START + message + END


class Framer:
    """Cuts the bytes of one connection into messages of at most ``limit`` bytes."""

    def __init__(self, limit: int = 16 * MEBIBYTE) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._discarding = False
        self.in_frame = False
        self.started = 0
        """How many frames have begun; tells one frame from the next."""

    @property
    def held(self) -> int:
        """How many bytes of an unfinished message are kept."""
        return len(self._buffer)

    def forget(self) -> None:
        """Let go of an unfinished message: the connection has ended, and its objects may live on for a while."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return what they complete, in order."""
        self._buffer += data
        events: list[Event] = []
        while self._buffer and self._step(events):
            pass
        return events

    def _step(self, events: list[Event]) -> bool:
        return self._inside(events) if self.in_frame else self._between(events)

    def _between(self, events: list[Event]) -> bool:
        start = self._buffer.find(START)
        noise = bytes(self._buffer if start < 0 else self._buffer[:start])
        if noise.strip(_BLANK):
            events.append(Noise(len(noise), noise[:8]))
        self.in_frame = start >= 0
        self.started += self.in_frame
        self._searched = 0
        del self._buffer[: len(noise) + self.in_frame]
        return self.in_frame

    def _inside(self, events: list[Event]) -> bool:
        end = self._buffer.find(END, self._searched)
        size = end if end >= 0 else len(self._buffer) - 1
        if size > self._limit and not self._discarding:
            events.append(Oversize(bytes(self._buffer[: min(PREFIX, self._limit)]).lstrip(START), self._limit))
            self._discarding = True
        if end < 0:
            self._wait()
            return False
        if not self._discarding:
            self._complete(bytes(self._buffer[:end]), events)
        del self._buffer[: end + len(END)]
        self.in_frame = self._discarding = False
        return True

    def _wait(self) -> None:
        """Remember where to search on; the last byte may be the first half of the end block."""
        if self._discarding:
            del self._buffer[:-1]
        self._searched = len(self._buffer) - 1

    def _complete(self, content: bytes, events: list[Event]) -> None:
        # A sender that gave up in the middle and began anew: only the last beginning is a message.
        restart = content.rfind(_RESTART)
        if restart > 0 and content[:restart].strip(_BLANK):
            events.append(Noise(1 + restart, START + content[:7]))
        message = content[max(restart, 0) :].lstrip(START).rstrip(END[:1])
        if message.strip(_BLANK):
            events.append(Received(message))
