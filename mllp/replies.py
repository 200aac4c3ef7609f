"""What goes back for one frame: the answer, a refusal that the sender can read, or nothing and the line goes dead."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from hl7v2.ack import ack
from hl7v2.er7 import Malformed, NotHL7, parse_header, serialize
from hl7v2.message import Message
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange
from mllp.framing import Event, Noise, Oversize, Received

log = structlog.get_logger()

TLS_HANDSHAKE = b"\x16\x03"
METHODS = (b"GET ", b"POST", b"PUT ", b"HEAD")


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: the address, and what a TLS handshake has proved: subject and certificate (DER)."""

    address: str
    subject: str | None = None
    certificate: bytes | None = None


Answer = Callable[[bytes, Peer], Awaitable[bytes | None]]
"""Answers one message; None if its sender wants no acknowledgement. May raise NotHL7, Malformed, HangUp, anything."""


class HangUp(Exception):
    """Nothing can be answered; the connection is to be closed so that the sender does not wait for ever."""


async def reply(event: Event, peer: Peer, answer: Answer) -> bytes | None:
    """Answer one event of the framer. Raises HangUp, and nothing else."""
    if isinstance(event, Noise):
        _ignore(event, peer)
        return None
    if isinstance(event, Oversize):
        return _refuse(event.prefix, _too_long(event), peer)
    return await _answer(event, peer, answer)


async def _answer(event: Received, peer: Peer, answer: Answer) -> bytes | None:
    try:
        return await answer(event.message, peer)
    except NotHL7:
        raise _hang_up("a frame without MSH", peer, size=len(event.message)) from None
    except HangUp as unanswerable:
        raise _hang_up(str(unanswerable), peer) from unanswerable
    except Malformed as malformed:
        return _acknowledge(malformed.header, malformed, peer)
    except Exception:  # the last edge: whatever went wrong, the sender gets an answer and no traceback
        incident = uuid.uuid4().hex
        log.exception("mllp message failed", incident=incident, peer=peer.address)
        return _refuse(event.message, _unforeseen(incident), peer)


def _refuse(message: bytes, rejected: Rejected, peer: Peer) -> bytes | None:
    try:
        header = parse_header(message)
    except NotHL7:
        raise _hang_up("a frame without MSH", peer, size=len(message)) from None
    except Malformed as malformed:
        header = malformed.header
    return _acknowledge(header, rejected, peer)


def _acknowledge(header: Message, rejected: Rejected, peer: Peer) -> bytes | None:
    exchange = Exchange(correlation_id=uuid.uuid4().hex, received_at=datetime.now(UTC), peer=peer.address)
    codes = sorted(str(code.value) for code in rejected.codes)
    log.info("mllp message refused", peer=peer.address, codes=codes, correlation=exchange.correlation_id)
    acknowledgement = ack(header, rejected, exchange)
    return None if acknowledgement is None else serialize(acknowledgement)


def _ignore(noise: Noise, peer: Peer) -> None:
    if noise.prefix.startswith(TLS_HANDSHAKE):
        raise _hang_up("a TLS handshake on the port without TLS", peer)
    if noise.prefix.startswith(METHODS):
        raise _hang_up("an HTTP request on the MLLP port", peer)
    if noise.prefix.startswith(b"MSH"):
        raise _hang_up("a message without an MLLP start block", peer)
    log.warning("mllp noise between frames ignored", peer=peer.address, size=noise.size)


def _hang_up(reason: str, peer: Peer, **details: int) -> HangUp:
    log.warning("mllp connection closed", reason=reason, peer=peer.address, **details)
    return HangUp(reason)


def _too_long(event: Oversize) -> Rejected:
    breach = Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text=f"The message is longer than {event.limit} bytes, the most that is taken here, and was not read",
        citation=tf2("C.2.3.1"),
        remedy="Send less in one message, or have the operator raise the limit",
    )
    return Rejected(breach)


def _unforeseen(incident: str) -> Rejected:
    breach = Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text=f"The message could not be processed; the operator finds the cause in the log under incident {incident}",
        citation=tf2("C.2.3.1"),
    )
    return Rejected(breach)
