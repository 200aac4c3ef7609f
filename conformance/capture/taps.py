"""What is overheard on one connection: bytes of both directions in, whole exchanges out."""

import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Protocol

from conformance.capture.http_framing import End, Head, HTTPReader, NotHTTP, status
from hl7v2.er7 import Malformed, NotHL7, parse_header
from mllp.framing import Framer, Noise, Oversize, Received

IN_MEMORY = 128 * 1024
"""A longer body waits on the disk."""
LATE = "the connection ended before the answer did"


@dataclass(slots=True)
class Heard:
    """One message while it comes: its head, and its body in a file that has no name."""

    head: bytes = b""
    body: IO[bytes] = field(default_factory=lambda: tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
    whole: bool = False


@dataclass(slots=True)
class Overheard:
    """One exchange while it happens. ``failure`` says why there is no whole answer, or what was strange."""

    request: Heard
    answer: Heard | None = None
    failure: str = ""
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Claim that both sides have said all."""
        return self.request.whole and self.answer is not None and self.answer.whole


class Tap(Protocol):
    """Listens to one connection; each call returns the exchanges that it completed."""

    def from_client(self, data: bytes) -> list[Overheard]:
        """The client said something."""

    def from_server(self, data: bytes) -> list[Overheard]:
        """The server said something."""

    def ended(self, reason: str) -> list[Overheard]:
        """The connection is over."""


class HTTPTap:
    """HTTP/1.1: answers come in the order of requests."""

    def __init__(self) -> None:
        self._requests = HTTPReader(lambda head: False, of_server=False)
        self._answers = HTTPReader(self._is_empty, of_server=True)
        self._open: deque[Overheard] = deque()
        self._asking: Heard | None = None
        self._answering: Heard | None = None
        self._unreadable = ""

    def from_client(self, data: bytes) -> list[Overheard]:
        """Bytes of requests."""
        self._listen(self._requests, data, self._hear_request)
        return self._completed()

    def from_server(self, data: bytes) -> list[Overheard]:
        """Bytes of answers."""
        self._listen(self._answers, data, self._hear_answer)
        return self._completed()

    def ended(self, reason: str) -> list[Overheard]:
        """An answer without a length is over now; others that are missing will not come."""
        for event in self._answers.close():
            self._hear_answer(event)
        done = self._completed()
        for each in self._open:
            each.failure = each.failure or self._unreadable or reason or LATE
            each.seconds = time.monotonic() - each.started
        return done + [self._open.popleft() for _ in range(len(self._open))]

    def _listen(self, reader: HTTPReader, data: bytes, hear: Callable[[Head | bytes | End], None]) -> None:
        """What is no HTTP goes over the wire all the same; nothing of it is understood any more."""
        try:
            for event in reader.feed(data) if not self._unreadable else ():
                hear(event)
        except NotHTTP as error:
            self._unreadable = f"not readable as HTTP: {error}"
            if not self._open:
                self._open.append(Overheard(Heard()))

    def _hear_request(self, event: Head | bytes | End) -> None:
        if isinstance(event, Head):
            self._asking = Heard(event.content)
            self._open.append(Overheard(self._asking))
        elif self._asking is not None:
            _take(self._asking, event)

    def _hear_answer(self, event: Head | bytes | End) -> None:
        if isinstance(event, Head):
            interim = 100 <= status(event.content) < 200
            self._answering = None if interim else Heard(event.content)
            unanswered = next((each for each in self._open if each.answer is None), None)
            if self._answering is not None and unanswered is not None:
                unanswered.answer = self._answering
        elif self._answering is not None:
            _take(self._answering, event)

    def _is_empty(self, head: bytes) -> bool:
        """Claim that an answer ends with its head (RFC 9112: 6.3)."""
        asked = next((each.request.head for each in self._open if each.answer is None or not each.answer.whole), b"")
        code = status(head)
        return code < 200 or code in (204, 304) or asked.startswith(b"HEAD ")

    def _completed(self) -> list[Overheard]:
        done = []
        while self._open and self._open[0].whole:
            self._open[0].seconds = time.monotonic() - self._open[0].started
            done.append(self._open.popleft())
        return done


def _take(heard: Heard, event: bytes | End) -> None:
    if isinstance(event, bytes):
        heard.body.write(event)
    else:
        heard.whole = True


class MLLPTap:
    """MLLP: an answer names in MSA-2 the message that it answers; one that names none answers the oldest."""

    def __init__(self) -> None:
        self._asked, self._answered = Framer(), Framer()
        self._open: deque[tuple[str, Overheard]] = deque()
        self._strange = ""

    def from_client(self, data: bytes) -> list[Overheard]:
        """Bytes of messages."""
        for event in self._asked.feed(data):
            heard = self._heard(event)
            if heard is not None:
                content = _content(heard)
                self._open.append((_control_id(content), Overheard(heard, failure=self._told())))
        return []

    def from_server(self, data: bytes) -> list[Overheard]:
        """Bytes of answers."""
        done = []
        for event in self._answered.feed(data):
            heard = self._heard(event)
            if heard is not None:
                done.append(self._answer(heard))
        return done

    def ended(self, reason: str) -> list[Overheard]:
        """What is missing will not come; a message of which only a part came is kept as far as it came."""
        if self._asked.in_frame:
            self._open.append(("", Overheard(Heard(), failure="the message broke off")))
        done = [each for _, each in self._open]
        for each in done:
            each.failure = each.failure or self._told() or reason or LATE
            each.seconds = time.monotonic() - each.started
        self._open.clear()
        return done

    def _answer(self, heard: Heard) -> Overheard:
        named = _answers(_content(heard))
        found = next((pair for pair in self._open if pair[0] == named), None)
        found = found or (self._open[0] if self._open else None)
        if found is None:
            return Overheard(Heard(), heard, "an answer to no message")
        self._open.remove(found)
        found[1].answer, found[1].seconds = heard, time.monotonic() - found[1].started
        return found[1]

    def _heard(self, event: Received | Oversize | Noise) -> Heard | None:
        if isinstance(event, Noise):
            self._strange = f"{event.size} bytes outside a frame"
            return None
        heard = Heard(whole=True)
        if isinstance(event, Oversize):
            self._strange = f"a message of more than {event.limit} bytes: only its beginning was kept"
        heard.body.write(event.message if isinstance(event, Received) else event.prefix)
        return heard

    def _told(self) -> str:
        told, self._strange = self._strange, ""
        return told


def _content(heard: Heard) -> bytes:
    heard.body.seek(0)
    return heard.body.read()


def _control_id(message: bytes) -> str:
    """MSH-10."""
    try:
        return parse_header(message).control_id
    except (Malformed, NotHL7):
        return ""


def _answers(message: bytes) -> str:
    """MSA-2."""
    line = next((each for each in message.replace(b"\n", b"\r").split(b"\r") if each.startswith(b"MSA")), b"")
    parts = line.decode("latin-1").split(line[3:4].decode("latin-1") or "|")
    return parts[2] if len(parts) > 2 else ""
