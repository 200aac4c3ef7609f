"""From ``repositories.toml`` to couriers: which wire, how it is spoken, and how patiently (ITI TF-2: 3.20.4.1.2.1)."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from affinity.audit_outbox import TrailOutbox, Wrap, as_audit_event, as_syslog
from affinity.audit_watch import Alarm
from affinity.collector_fhir import FHIRCollector
from affinity.collector_tls import Context, TLSCollector
from affinity.collector_udp import UDPCollector
from affinity.collectors import Collector
from affinity.database import Database
from affinity.domain_model import Repository
from affinity.forwarding import AuditCourier, Pace
from affinity.notifications import Patience
from affinity.settings import AuditForwarding
from mllp.client import client_context
from tls.files import TLS

PATIENCE = Patience(first=1.0, longest=60.0, poll=1.0)
OCTETS = 1024 * 1024
"""Most that is sent over TLS before the collector must confirm: as much may have to be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A collector with how it is used, and in which words it is told."""

    collector: Collector
    pace: Pace
    wrap: Wrap


def courier(
    repository: Repository,
    database: Database,
    tls: TLS | None,
    settings: AuditForwarding,
    clock: Callable[[], datetime],
) -> AuditCourier:
    """One that brings the trail to a repository. ValueError: it wants TLS, and there are no certificates."""
    made = line(repository, tls, settings)
    return AuditCourier(
        repository.name,
        made.collector,
        TrailOutbox(database, repository.name, made.wrap),
        clock,
        made.pace,
        PATIENCE,
        Alarm(seconds=settings.alarm_seconds, records=settings.alarm_records),
    )


def line(repository: Repository, tls: TLS | None, settings: AuditForwarding) -> Line:
    """Speak to a repository as ``repositories.toml`` says."""
    wire = urlsplit(repository.wire)
    host, port = wire.hostname or "", wire.port
    window = float(settings.replay_seconds)
    if wire.scheme == "syslog+udp":
        collector: Collector = UDPCollector(host, port or 0)
        return Line(collector=collector, pace=Pace(window=window), wrap=as_syslog(socket.getfqdn()))
    if wire.scheme == "syslog+tls":
        collector = TLSCollector(host, port or 0, _context(repository, tls))
        pace = Pace(window=window, confirm_seconds=settings.confirm_seconds, confirm_octets=OCTETS)
        return Line(collector=collector, pace=pace, wrap=as_syslog(socket.getfqdn()))
    context = _context(repository, tls) if wire.scheme == "https" else None
    return Line(collector=FHIRCollector(host, port, wire.path, context), pace=Pace(), wrap=as_audit_event)


def _context(repository: Repository, tls: TLS | None) -> Context:
    if tls is None:
        raise ValueError(f"audit repository {repository.name} is spoken to over TLS, but no certificates are set")
    return partial(client_context, tls)
