"""What went over a wire: one message and its answer, byte for byte, in the order in which they were sent."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

Headers = tuple[tuple[str, str], ...]


class Wire(StrEnum):
    """How two systems speak."""

    HTTP = "HTTP"
    MLLP = "MLLP"
    SYSLOG = "syslog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What one side sent. HTTP has a ``start_line`` and ``headers``; of MLLP and syslog only the message is kept."""

    content: bytes
    start_line: str = ""
    headers: Headers = ()

    def header(self, name: str) -> str:
        """The first value of a header, in any case; empty if there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    def as_bytes(self) -> bytes:
        """The message as it stood on the wire, fit for ``conformance.validating`` and for a file."""
        if not self.start_line:
            return self.content
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"{self.start_line}\r\n{head}\r\n".encode("latin-1") + self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSFacts:
    """What a handshake settled: the version, the cipher suite, and whose certificate the other side showed."""

    version: str
    suite: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it. ``answer`` None: none came, and ``failure`` says why.

    ``transaction`` is what we hold it to be (``ITI-18``), None where we do not know. ``step`` is the test or the
    scenario in which it was sent, empty outside one. The transcript gives the ``number``. ``tls`` None: it was sent
    without TLS, or nobody looked.
    """

    wire: Wire
    transaction: str | None
    initiator: str
    responder: str
    began: datetime
    seconds: float
    request: Payload
    answer: Payload | None
    failure: str = ""
    step: str = ""
    number: int = 0
    tls: TLSFacts | None = None


@dataclass(slots=True)
class Transcript:
    """All that was exchanged, numbered from 1. Threads may add to it."""

    step: str = ""
    _exchanges: list[Exchange] = field(default_factory=list)
    _by_step: dict[str, list[Exchange]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, exchange: Exchange) -> Exchange:
        """Keep one exchange: it gets its number here, and the step that is under way."""
        with self._lock:
            kept = replace(exchange, number=len(self._exchanges) + 1, step=exchange.step or self.step)
            self._exchanges.append(kept)
            self._by_step.setdefault(kept.step, []).append(kept)
        return kept

    def during(self, step: str) -> tuple[Exchange, ...]:
        """What was exchanged in one step."""
        with self._lock:
            return tuple(self._by_step.get(step, ()))

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)
