"""What exactly one process of a node does: tell subscribers, forward and seal the audit trail, the daily chores."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from affinity.audit_server import AuditServer
from affinity.chores import housekeeping
from affinity.configuration_audit import ConfigurationAudit, complain_of_changes, tell_changes
from affinity.consumers import consumer
from affinity.domain_model import Subscriber
from affinity.duty import Duty
from affinity.node import Node, utc_now
from affinity.notification_audit import NotificationAudit
from affinity.notifications import Courier, Patience
from affinity.sealing import Sealing, Seals
from affinity.settings import Settings
from affinity.station import Station
from tls.files import TLS

Defer = Callable[..., "Deferred[Any]"]
FILE = "duty"
"""File of the data directory, locked by the process that is on duty."""


class Duties:
    """The couriers, the forwarder, the sealer and the chores of a node, begun by whichever process is on duty."""

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        node: Node,
        calling: TLS | None,
        audit: AuditServer,
        defer: Defer,
        station: Station,
    ) -> None:
        """``calling`` is what we show to subscribers. ValueError: one wants TLS, and there are no certificates."""
        self._node = node
        self._audit = audit
        self._defer = defer
        self._station = station
        self._couriers = tuple(_courier(node, each, calling) for each in node.subscribers)
        self._seals = Seals(node.database, settings.data, utc_now)
        self._sealing = Sealing(reactor, self._seals, settings.audit.seal_seconds, defer)
        self._configuration = ConfigurationAudit(settings, node.trail, utc_now)
        self._housekeeping = housekeeping(settings, node, self._configuration, reactor, defer)
        self._duty = Duty(reactor, settings.data / FILE, self._take_up)

    def start(self) -> None:
        """Begin, now or when the process that is on duty has ended."""
        self._duty.start()

    def stop(self, seconds: float) -> "Deferred[Any]":
        """Begin nothing new; fires when what was under way is over, or after so long. Not the forwarder."""
        self._duty.stop()
        for each in self._housekeeping:
            each.stop()
        self._sealing.stop()
        return self._defer(self._node.couriers.stop, seconds)

    def note_changes(self) -> None:
        """Record what changed in the configuration since it was looked at last."""
        if self._duty.is_mine:
            self._defer(self._configuration.note_changes).addCallbacks(tell_changes, complain_of_changes)

    def seal(self) -> None:
        """Seal what is left, once nothing comes any more. Raises SQLAlchemyError."""
        if self._duty.is_mine:
            self._seals.seal()

    def _take_up(self) -> None:
        self._station.heed(self._node.couriers.wake)
        self._node.couriers.start(self._couriers)
        self._audit.forward()
        for each in self._housekeeping:
            each.start()
        self._sealing.start()


def _courier(node: Node, subscriber: Subscriber, calling: TLS | None) -> Courier:
    told = consumer(subscriber, node.domain, calling)
    audit = NotificationAudit(node.trail, subscriber, utc_now)
    return Courier(subscriber.name, told, node.database, utc_now, Patience(), audit)
