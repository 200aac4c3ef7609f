"""The audit of update notifications, by the manager that sends them (ITI TF-2: 3.10.5.1.1, 3.46.5.1.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from sqlalchemy import Connection

from affinity.consumers import Outcome
from affinity.domain_model import Subscriber
from affinity.notifications import Told
from atna.entries import Entry
from atna.exchanges import Circumstances, Systems, failed, succeeded
from atna.model import EventOutcomeIndicator
from atna.participants import ThisNode, system
from atna.trail import AuditTrail
from pix.iti10 import ITI_10
from pix.iti46 import ITI_46


@dataclass(frozen=True, slots=True)
class NotificationAudit:
    """Records what one subscriber was told, in the transaction that notes it."""

    trail: AuditTrail
    subscriber: Subscriber
    clock: Callable[[], datetime]

    def __call__(self, connection: Connection, told: list[Told]) -> None:
        """What never left is not told, so there is no record of it."""
        sent = [each for each in told if each.verdict.outcome is not Outcome.UNREACHABLE]
        self.trail.append_entries(connection, (entry for each in sent for entry in self._entries(each)))

    def _entries(self, told: Told) -> list[Entry]:
        audit = (ITI_46 if self.subscriber.device else ITI_10).audit
        events, around = audit.describe(told.notification, None, None), self._circumstances()
        if told.verdict.outcome is Outcome.ACCEPTED:
            return succeeded(audit, events, around)
        why = f"{told.verdict.outcome.value} {told.verdict.code}".strip()
        return failed(audit, events, around, EventOutcomeIndicator.MINOR_FAILURE, why)

    def _circumstances(self) -> Circumstances:
        systems = _systems(self.trail.node, self.subscriber)
        return Circumstances(at=self.clock(), systems=systems, principal=None)


@lru_cache(maxsize=256)
def _systems(node: ThisNode, subscriber: Subscriber) -> Systems:
    named = f"{subscriber.facility}|{subscriber.application}"
    consumer = subscriber.wire if subscriber.device else named
    return Systems(
        initiator=system(node.source.id, node.host, is_requestor=True, alternative_user_id=node.process_id),
        responder=system(consumer, urlsplit(subscriber.wire).hostname or ""),
        source=node.source,
    )
