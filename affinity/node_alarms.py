"""Nodes that prove nothing, counted and in the audit trail (Node-Authentication-failure, ITI TF-2: 3.20)."""

from collections.abc import Callable
from datetime import datetime

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from affinity.admission import Shown
from affinity.auditing import subject
from affinity.metrics import ALARMS_LEFT_OUT, HANDSHAKES_FAILED
from atna.events import node_authentication_failed
from atna.trail import AuditTrail, AuditUnavailable
from tls.failure import HandshakeFailure

log = structlog.get_logger()

MOST_WAITING = 100
"""Failed handshakes that wait to be recorded: a flood of them must not fill the memory, nor keep the database busy."""


class NodeAlarms:
    """Records failures of node authentication. ``defer`` runs blocking work in a worker thread."""

    def __init__(self, trail: AuditTrail, defer: Callable[..., "Deferred[None]"], now: Callable[[], datetime]) -> None:
        self._trail = trail
        self._defer = defer
        self._now = now
        self._waiting = 0

    def handshake_failed(self, failure: HandshakeFailure) -> None:
        """A TLS handshake failed. For the reactor's thread."""
        HANDSHAKES_FAILED.labels(failure.side).inc()
        whose = failure.refused.subject if failure.refused else None
        self._record_later(failure.peer, f"{failure.side}: {failure.reason}", whose)

    def forwarded_refused(self, shown: Shown, reason: str) -> None:
        """A proxy has forwarded a certificate that is not let in. For the reactor's thread."""
        self._record_later(shown.peer, reason, subject(shown.certificate))

    def _record_later(self, peer: str, reason: str, certificate: str | None) -> None:
        if self._waiting >= MOST_WAITING:
            ALARMS_LEFT_OUT.inc()
            return
        self._waiting += 1
        self._defer(self._record, peer, reason, certificate).addBoth(self._done)

    def _done(self, result: object) -> None:
        self._waiting -= 1
        if isinstance(result, Failure):
            log.error("node failure not audited", error=result.type.__name__)

    def _record(self, peer: str, reason: str, certificate: str | None) -> None:
        """It is refused in any case, so that a trail that cannot be written changes nothing."""
        try:
            self._trail.record(node_authentication_failed(self._trail.node, self._now(), peer, reason, certificate))
        except AuditUnavailable as unavailable:
            log.error("node failure not audited", error=str(unavailable))
