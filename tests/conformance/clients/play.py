"""A good client for each suite, and the play of a whole suite."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from conformance.clients.session import Session
from tests.conformance.clients.messengers import ADT, Asker, Searcher
from tests.conformance.clients.nodes import Auditor, Manager
from tests.conformance.clients.web import HIS, LIS, Doctor
from tests.conformance.clients.web_v3 import V3Consumer, V3Source

PATIENCE = 20.0

VENDORS: Mapping[str, Callable[..., Any]] = {
    "document-source": LIS,
    "document-consumer": HIS,
    "x-service-user": Doctor,
    "pix-consumer-v3": lambda session, **more: V3Consumer(session, "/pix", **more),
    "pdq-consumer-v3": lambda session, **more: V3Consumer(session, "/pdq", **more),
    "patient-identity-source": ADT,
    "patient-identity-source-v3": V3Source,
    "audit-sender": Auditor,
    "audit-sender-udp": Auditor,
    "audit-sender-fhir": Auditor,
    "pix-manager-notifications": Manager,
    "pix-consumer": Asker,
    "pdq-consumer": Searcher,
}
"""A good client for each suite."""


def play(session: Session, **fault: Any) -> dict[str, str]:
    """Let a client do what every step asks, and say how each then stands."""
    vendor = VENDORS[session.course.suite.name](session, **fault)
    while (current := session.course.current) is not None:
        vendor.act(current.step.name)
        until(session, lambda before=current: session.course.current is not before)
    return {stand.step.name: stand.standing.value for stand in session.course.snapshot()}


def until(session: Session, happened: Callable[[], bool]) -> None:
    """Wait for what a thread of the simulator is about to note."""
    changed, deadline = threading.Event(), time.monotonic() + PATIENCE
    session.course.changed = changed.set
    while not happened():
        assert time.monotonic() < deadline, f"{session.course.step} still waits: {told(session)}"
        changed.wait(0.05)
        changed.clear()


def told(session: Session) -> list[str]:
    """What the broken steps say, and what the last requests were, for a test that fails."""
    broken = [f"{stand.step.name}: {stand.message}" for stand in session.course.snapshot() if stand.message]
    last = [f"{each.number} {each.name} {each.seen.exchange.failure}" for each in session.course.judged[-3:]]
    return broken + last + [f"{each.door}: {each.reason}" for each in session.desk.handshakes]
