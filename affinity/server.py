"""The listeners of one node, and its couriers: HTTP, HTTPS, MLLP, MLLP over TLS; opened together, drained together."""

from collections.abc import Callable
from dataclasses import dataclass
from socket import socket
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.task import LoopingCall
from twisted.web.resource import Resource

from affinity import health
from affinity.admission import Admission
from affinity.audit_server import AuditServer
from affinity.auditing import Auditor
from affinity.catalogue import AnyTransaction, hl7v2_transactions, soap_endpoints
from affinity.certificates import LOOK_SECONDS, CertificateWatch
from affinity.consent_api import PATH as CONSENT_PATH
from affinity.consent_api import ConsentAPI
from affinity.desk_audit import DeskAudit
from affinity.duties import Duties
from affinity.hl7_answers import HL7Answers
from affinity.issuers import Issuers
from affinity.listening import DATAGRAMS, Sockets, mllp_limits, soap_limits
from affinity.measures import Kept, registry
from affinity.metrics import begin_at_zero
from affinity.node import Node, utc_now
from affinity.node_alarms import NodeAlarms
from affinity.node_measures import at_rest, under_way
from affinity.partners import seats
from affinity.patient_binding import SamePerson, patient_bound
from affinity.proxies import Proxies
from affinity.refusals import Refusals
from affinity.settings import Settings
from affinity.soap_answers import SOAPAnswers
from affinity.station import Station
from affinity.stewardship import PATH
from affinity.stewardship.access import Stewards
from affinity.stewardship.counted import Counted
from affinity.stewardship.resource import stewardship_resource
from affinity.stewardship.routes import StewardshipAPI
from affinity.workers import Workers
from atna.events import started, stopped
from atna.trail import AuditUnavailable
from ihe.transactions import Actor
from mllp.factory import MLLPFactory
from soap.server import build_site
from soap.site import SOAPSite
from tls.files import TLS
from tls.places import Places
from tls.server import Certificates, secured
from xua.authentication import XUAMode
from xua.verifier import Verifier

log = structlog.get_logger()

SECURED = frozenset({"https", "mllps", "syslogs"})
"""The ports with TLS."""
PROBES = 2
"""Threads that answer ``/health`` and ``/metrics``, so that they answer while every worker is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Who is let in: our certificates, how to believe an assertion, and whether the ports without TLS are opened.

    ``calling`` is what we show where we call others.
    """

    tls: TLS | None
    calling: TLS | None
    mode: XUAMode
    verifier: Verifier
    issuers: Issuers
    plain: bool


class Server:
    """A node with its doors open. ``ports`` tells where it listens once it is started."""

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        node: Node,
        doors: Doors,
        transactions: tuple[AnyTransaction, ...],
        station: Station,
    ) -> None:
        self.ports: dict[str, int] = {}
        self._station = station
        self._reactor = reactor
        self._settings = settings
        self._node = node
        self._doors = doors
        self._transactions = patient_bound(transactions, SamePerson(node.ports[Actor.PIX_MANAGER]))
        self._auditing = Auditor(node.trail, node.domain, node.may_lag)
        self._workers = Workers(reactor, settings.limits.threads)
        self._alarms = NodeAlarms(node.trail, self._workers.defer, utc_now)
        self._admission = Admission(partners=node.partners, allowances=station.allowances)
        self._certificates = Certificates(doors.tls) if doors.tls else None
        self._watch = CertificateWatch(reactor, self._certificates, utc_now) if self._certificates else None
        self._look = _looking(reactor, doors.issuers.reload_if_changed)
        self._places = Places(settings.limits.connections_per_peer, seats(node.partners))
        self._mllp = MLLPFactory(self._hl7_answers(), reactor, mllp_limits(settings.limits), self._places)
        self._probes = Workers(reactor, PROBES)
        self._audit = AuditServer(reactor, settings, node, doors.calling, self._workers.defer)
        self._duties = Duties(reactor, settings, node, doors.calling, self._audit, self._workers.defer, station)
        self._sites: list[SOAPSite] = []
        self._counted = Counted()
        self._listening: list[Any] = []
        self._now = station.share(under_way(self._workers, node.database, self._mllp, self._sites))

    def start(self) -> None:
        """Open every configured port, then say which they are. OSError names a port that is taken."""
        self._node.trail.record(started(self._node.trail.node, utc_now()))
        begin_at_zero(each.id for each in self._transactions)
        self._workers.start()
        self._probes.start()
        sockets = self._station.open()
        self.ports.update((name, bound.getsockname()[1]) for name, bound in sockets.items())
        self._listen(sockets)
        self._station.publish(self.ports)
        self._duties.start()
        self._look.start(LOOK_SECONDS)
        if self._watch is not None:
            self._watch.start()

    def reload(self) -> None:
        """Read the certificates again, ours, those of authorities and those of issuers."""
        self._doors.issuers.reload()
        if self._watch is not None:
            self._watch.reload()
        self._duties.note_changes()

    async def drain(self) -> None:
        """Take no more connections, answer what was received, then let go of everything."""
        self._station.withdraw()
        told = self._duties.stop(self._settings.limits.drain_seconds)
        if self._look.running:
            self._look.stop()
        if self._watch is not None:
            self._watch.stop()
        await DeferredList([maybeDeferred(port.stopListening) for port in self._listening])
        timer = self._reactor.callLater(self._settings.limits.drain_seconds, self._give_up)
        sites = [site.drain() for site in self._sites]
        await DeferredList([self._mllp.drain(), told, Deferred.fromCoroutine(self._audit.drain()), *sites])
        await self._workers.until_idle()
        if timer.active():
            timer.cancel()
        self._workers.stop()
        self._probes.stop()
        self._end_trail()
        self._node.close()
        log.info("stopped")

    def _end_trail(self) -> None:
        """Record the stop and seal what is left; a database that is away does not keep a node from stopping."""
        try:
            self._node.trail.record(stopped(self._node.trail.node, utc_now()))
            self._duties.seal()
        except (AuditUnavailable, SQLAlchemyError) as error:
            log.error("stop not audited", error=type(error).__name__)

    def _listen(self, sockets: Sockets) -> None:
        """Adopt what is bound; the ports are known by now, for the WSDL names them."""
        for name, bound in sockets.items():
            if name == DATAGRAMS:
                self._audit.listen_for_datagrams(bound)
            else:
                self._listening.append(self._adopt(name, bound))
            bound.close()

    def _adopt(self, name: str, bound: socket) -> Any:
        certificates = self._certificates if name in SECURED else None
        outer = secured(self._factory(name), certificates, self._reactor, self._alarms.handshake_failed)
        return self._reactor.adoptStreamPort(bound.fileno(), bound.family, outer)

    def _factory(self, name: str) -> Any:
        """What answers on a port of this name."""
        if name.startswith("mllp"):
            return self._mllp
        return self._audit.factory if name == "syslogs" else self._site(name)

    def _site(self, scheme: str) -> SOAPSite:
        host = self._settings.listen.host
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.ports[scheme]}"
        answers = SOAPAnswers(
            ports=self._node.ports,
            mode=self._doors.mode,
            verifier=self._doors.verifier,
            clock=utc_now,
            validation=self._settings.validation,
            on_refusal=Refusals(database=self._node.database, clock=utc_now),
            admission=self._admission,
            auditing=self._auditing,
            url=self._settings.listen.public_url or url,
        )
        site = build_site(
            soap_endpoints(self._transactions),
            answers,
            self._node.store.create,
            public_url=self._settings.listen.public_url or url,
            limits=soap_limits(self._settings.limits),
            extra={
                **health.pages(self._node.database, self._probes.defer, (self._measures(),), self._node.partners),
                **self._audit.pages(self._settings.listen.public_url or url),
                PATH: self._stewardship(),
                CONSENT_PATH: self._consent(),
            },
        )
        site.places, site.defer = self._places, self._workers.defer
        if self._certificates is not None:
            site.behind = self._proxies(self._certificates)
        self._sites.append(site)
        return site

    def _measures(self) -> CollectorRegistry:
        stock = Kept(at_rest(self._node.database, self._settings, utc_now))
        return registry(self._now, stock, *([self._watch.measure] if self._watch else []))

    def _proxies(self, certificates: Certificates) -> Proxies:
        refused = self._alarms.forwarded_refused
        return Proxies(partners=self._node.partners, verify=certificates.verify, on_refusal=refused)

    def _stewardship(self) -> Resource:
        stewards = Stewards(digests=self._settings.stewards)
        api = StewardshipAPI(
            index=self._node.ports[Actor.PIX_MANAGER],
            stewards=stewards,
            counted=self._counted,
            audit=DeskAudit(self._auditing, utc_now),
        )
        return stewardship_resource(api, self._workers.defer)

    def _consent(self) -> Resource:
        api = ConsentAPI(
            index=self._node.ports[Actor.PIX_MANAGER],
            trail=self._node.trail,
            stewards=Stewards(digests=self._settings.stewards),
            clock=utc_now,
        )
        return stewardship_resource(api, self._workers.defer)

    def _hl7_answers(self) -> HL7Answers:
        chosen = hl7v2_transactions(self._transactions)
        return HL7Answers(
            transactions=chosen,
            ports=self._node.ports,
            sources=self._node.sources,
            clock=utc_now,
            defer=self._workers.defer,
            validation=self._settings.validation,
            on_refusal=Refusals(database=self._node.database, clock=utc_now),
            admission=self._admission,
            auditing=self._auditing,
        )

    def _give_up(self) -> None:
        log.warning("requests were still under way when the time to drain was over")
        self._mllp.abort()
        for site in self._sites:
            site.abort()
        self._workers.abandon()


def _looking(reactor: Any, look: Callable[[], None]) -> LoopingCall:
    loop = LoopingCall(look)
    loop.clock = reactor
    return loop
