"""A node's audit trail in traffic with others: couriers to repositories, listeners and pages of its own repository.

Syslog is received over TLS from nodes that show a certificate, and over UDP where that is opened (ITI TF-2: 3.20.4).
"""

from collections.abc import Callable, Sequence
from socket import socket
from typing import Any

import structlog
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.web.resource import Resource

from affinity.audit_fhir import PATH, AuditRecordRepository
from affinity.audit_fhir_resource import fhir_resource
from affinity.audit_repositories import courier, line
from affinity.forwarding import AuditCouriers
from affinity.node import Node, utc_now
from affinity.settings import Settings
from affinity.stewardship.access import Stewards
from atna.intake import Intake
from atna.reception import Arrival, receive
from atna.store_exchange import receive as store
from atna.transport import SyslogDatagrams, SyslogFactory, SyslogLimits
from tls.files import TLS

log = structlog.get_logger()

DATAGRAM = 65536


class AuditServer:
    """What ``Server`` opens, and closes again, for the audit trail."""

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        node: Node,
        tls: TLS | None,
        defer: Callable[..., "Deferred[Any]"],
    ) -> None:
        """``tls`` is what we show to repositories. ValueError: one wants TLS, and there are no certificates."""
        self._reactor = reactor
        self._settings = settings
        self._node = node
        self._defer = defer
        for each in node.repositories:
            line(each, tls, settings.audit_forwarding)
        self._tls = tls
        self._couriers = AuditCouriers(())
        self._intake = Intake(lambda group: defer(self._store, group), reactor)
        limits = SyslogLimits(connections=settings.limits.connections)
        self.factory = SyslogFactory(self._intake, utc_now, limits)
        self._datagrams: Any = None

    def forward(self) -> None:
        """Begin to bring the trail to its repositories, from where another process of the node may have left off."""
        patience, database = self._settings.audit_forwarding, self._node.database
        self._couriers = AuditCouriers(
            courier(each, database, self._tls, patience, utc_now) for each in self._node.repositories
        )
        self._couriers.start()

    def listen_for_datagrams(self, bound: socket) -> None:
        """Receive syslog over UDP."""
        protocol = SyslogDatagrams(self._intake, utc_now)
        self._datagrams = self._reactor.adoptDatagramPort(bound.fileno(), bound.family, protocol, DATAGRAM)

    def pages(self, url: str) -> dict[str, Resource]:
        """The FHIR interface of the repository, below the address of a port."""
        repository = AuditRecordRepository(
            database=self._node.database,
            trail=self._node.trail,
            consumers=Stewards(digests=self._settings.audit_consumers, called="audit consumer"),
            clock=utc_now,
            url=f"{url}{PATH}",
        )
        return {PATH: fhir_resource(repository, self._defer)}

    async def drain(self) -> None:
        """Take nothing more, store what has come, let the couriers end what they do. Stop listening first."""
        if self._datagrams is not None:
            await maybeDeferred(self._datagrams.stopListening)
        self.factory.close()
        stored: Deferred[None] = Deferred()
        self._intake.when_empty(lambda: stored.called or stored.callback(None))
        stored.addTimeout(self._settings.limits.drain_seconds, self._reactor)
        told = self._defer(self._couriers.stop, self._settings.limits.drain_seconds)
        await DeferredList([stored, told], consumeErrors=True)

    def _store(self, group: Sequence[Arrival]) -> None:
        """In one transaction; runs in a worker thread."""
        receptions = [receive(each, self._node.trail.node.source) for each in group]
        self._node.database.write(lambda connection: store(connection, receptions))
        for each in receptions:
            if each.complaint:
                log.warning("audit record received with faults", peer=each.peer, reason=each.complaint)
