"""Between wire and behaviour: a request is read, the plan says what goes wrong, all of it is written down."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic

from conformance.exchanges import Exchange, Payload, TLSFacts, Transcript, Wire
from conformance.simulators.faults import Fault, FaultKind
from conformance.simulators.reading import Read
from conformance.simulators.refusing import refusal
from conformance.simulators.spoiling import SPOILT
from ihe.exchange import Exchange as Circumstances

Behaviour = Callable[[Read], Payload | None]
"""What the simulated actor answers. None: nothing. OSError: what stands behind it cannot be reached."""
REFUSING = frozenset({FaultKind.REFUSE, FaultKind.SOAP_FAULT, FaultKind.HTTP_STATUS})
"""The actor is not asked."""
AFTER_FAILURE = "nothing behind the simulator answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is on the other side of a connection."""

    address: str
    door: str
    tls: TLSFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it was received, at which door, what was answered, and which fault was planned for it."""

    exchange: Exchange
    read: Read
    door: str
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A TLS handshake that failed: at which door, who came, and why."""

    door: str
    peer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How an answer leaves: after so many seconds, at so many bytes a second; ``reset`` cuts the connection instead."""

    answer: Payload | None
    number: int = 0
    seconds: float = 0.0
    pace: int = 0
    reset: bool = False


class Watcher:
    """Told of everything; the watcher of a simulator that nobody watches."""

    step = ""
    """What is under way; each exchange is noted with it."""

    def due(self, read: Read) -> Fault | None:
        """What goes wrong with this request."""
        return None

    def saw(self, seen: Seen) -> None:
        """A request has been received and its answer is about to leave."""

    def refused(self, handshake: Handshake) -> None:
        """A handshake has failed."""


@dataclass(slots=True)
class Desk:
    """Where the requests of every door come together. Its methods may be called by several threads."""

    watcher: Watcher
    transcript: Transcript = field(default_factory=Transcript)
    handshakes: list[Handshake] = field(default_factory=list)
    untaken: dict[int, str] = field(default_factory=dict)
    """Numbers of the exchanges whose answer could not be delivered, and why."""
    _order: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, wire: Wire, read: Read, peer: Peer, behave: Behaviour) -> Sending:
        """Deal with one request. What it returns has been written down by then."""
        began, started = datetime.now(UTC), monotonic()
        fault = self.watcher.due(read)
        answer, failure = _answered(fault, read, behave)
        exchange = Exchange(
            wire=wire,
            transaction=read.name or None,
            initiator=peer.address,
            responder=_responder(read),
            began=began,
            seconds=monotonic() - started,
            request=read.payload,
            answer=answer,
            failure=failure,
            tls=peer.tls,
            step=self.watcher.step,
        )
        number = self._note(Seen(exchange=exchange, read=read, door=peer.door, fault=fault))
        return _sending(answer, number, fault)

    def broke_off(self, wire: Wire, content: bytes, peer: Peer, why: str) -> None:
        """A client has stopped in the middle of a request."""
        payload = Payload(content=content)
        exchange = Exchange(
            wire=wire,
            transaction=None,
            initiator=peer.address,
            responder="",
            began=datetime.now(UTC),
            seconds=0.0,
            request=payload,
            answer=None,
            failure=why,
            tls=peer.tls,
        )
        self._note(Seen(exchange=exchange, read=Read(payload=payload), door=peer.door))

    def not_taken(self, sending: Sending, why: str) -> None:
        """The client was gone before it had the whole answer."""
        self.untaken[sending.number] = why

    def refused(self, handshake: Handshake) -> None:
        """A handshake has failed."""
        self.handshakes.append(handshake)
        self.watcher.refused(handshake)

    def _note(self, seen: Seen) -> int:
        with self._order:
            exchange = self.transcript.add(seen.exchange)
            self.watcher.saw(replace(seen, exchange=exchange))
        return exchange.number


def _sending(answer: Payload | None, number: int, fault: Fault | None) -> Sending:
    if fault is None:
        return Sending(answer=answer, number=number)
    is_cut = fault.kind is FaultKind.DROP
    return Sending(answer=answer, number=number, seconds=fault.seconds, pace=fault.pace, reset=is_cut)


def _answered(fault: Fault | None, read: Read, behave: Behaviour) -> tuple[Payload | None, str]:
    """The answer after the fault, and why there is none."""
    if fault is not None and fault.kind is FaultKind.DROP:
        return None, f"planned fault: {fault}"
    if fault is not None and fault.kind in REFUSING:
        refused = refusal(fault, read, _circumstances())
        return refused, "" if refused else f"planned fault: {fault}; the request cannot be read"
    try:
        answer = behave(read)
    except OSError as error:
        return None, f"{AFTER_FAILURE}: {error}"
    if answer is None or (fault is not None and fault.kind is FaultKind.CLOSE):
        return None, f"planned fault: {fault}" if fault else ""
    return (SPOILT[fault.kind](answer) if fault is not None and fault.kind in SPOILT else answer), ""


def _circumstances() -> Circumstances:
    return Circumstances(correlation_id=uuid.uuid4().hex, received_at=datetime.now(UTC))


def _responder(read: Read) -> str:
    return str(read.transaction.responder) if read.transaction is not None else ""
