"""Failed handshakes are counted and recorded, and a flood of them fills nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from structlog.testing import capture_logs
from twisted.internet.defer import Deferred, fail

from affinity.metrics import ALARMS_LEFT_OUT
from affinity.node_alarms import MOST_WAITING, NodeAlarms
from atna.model import AuditMessage
from atna.trail import AuditUnavailable
from tests.atna.trail import NODE
from tls.failure import HandshakeFailure, Side
from tls.verification import Refused

FAILURE = HandshakeFailure(
    peer="10.0.0.9", side=Side.WE, reason="it has expired", refused=Refused("CN=lis", "CN=ca", 0, 10)
)


class Trail:
    """Keeps records, or cannot."""

    node = NODE

    def __init__(self) -> None:
        self.messages: list[AuditMessage] = []
        self.broken = False

    def record(self, *messages: AuditMessage) -> None:
        if self.broken:
            raise AuditUnavailable("OperationalError")
        self.messages += messages


def alarms(trail: Trail, defer: Callable[..., Any]) -> NodeAlarms:
    return NodeAlarms(trail, defer, lambda: datetime(2026, 11, 26, tzinfo=UTC))  # type: ignore[arg-type]


def at_once(work: Callable[..., None], *arguments: Any) -> "Deferred[None]":
    done: Deferred[None] = Deferred()
    done.callback(work(*arguments))
    return done


def test_a_failed_handshake_is_recorded_with_whose_certificate_and_why() -> None:
    trail = Trail()
    alarms(trail, at_once).handshake_failed(FAILURE)
    (message,) = trail.messages
    assert "it has expired" in str(message)
    assert "CN=lis" in str(message) and "10.0.0.9" in str(message)


def test_a_flood_is_counted_and_not_kept() -> None:
    trail, waiting = Trail(), []

    def defer(work: Callable[..., None], *arguments: Any) -> "Deferred[None]":
        waiting.append(Deferred())
        return waiting[-1]

    flooded, before = alarms(trail, defer), ALARMS_LEFT_OUT._value.get()
    for _ in range(MOST_WAITING + 5):
        flooded.handshake_failed(FAILURE)
    assert len(waiting) == MOST_WAITING
    assert ALARMS_LEFT_OUT._value.get() - before == 5
    waiting[0].callback(None)
    flooded.handshake_failed(FAILURE)
    assert len(waiting) == MOST_WAITING + 1


def test_a_trail_that_cannot_be_written_is_told() -> None:
    trail = Trail()
    trail.broken = True
    with capture_logs() as logs:
        alarms(trail, at_once).handshake_failed(FAILURE)
        alarms(trail, lambda *_: fail(RuntimeError())).handshake_failed(FAILURE)
    assert [each["event"] for each in logs] == ["node failure not audited"] * 2
