"""The audit of exchanges: one outcome for each request, recorded with the change it makes or before its answer leaves.

``dispatch.answer`` opens an exchange. The ports' database is an ``AuditedDatabase``: what a transaction of an open
exchange changes is committed together with the record of its success, or not at all.
"""

import os
import socket
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any

import structlog
from cryptography import x509
from sqlalchemy import Connection

from affinity.audited_database import OPEN
from affinity.database import Database
from affinity.outcomes import Wire
from affinity.spans import in_part
from affinity.works import Result, Work
from atna.entries import Entry
from atna.events import SECURITY_ALERT, authentication_failed, node_authentication_failed
from atna.exchanges import Canonical, Circumstances, Systems, failed, succeeded
from atna.model import AuditSource, EventOutcomeIndicator
from atna.participants import ANONYMOUS, ThisNode, system
from atna.trail import AuditTrail, AuditUnavailable
from hl7v2.message import Message
from ihe.audit import USER_AUTHENTICATION
from ihe.audited import Audit, Recorded
from ihe.datatypes import HD, Code
from ihe.domain import AffinityDomain
from ihe.errors import Rejected
from ihe.exchange import Exchange
from ihe.transactions import Actor, Transaction
from xua.errors import AssertionRefused, Subcode

APPLICATION_SERVER = Code("4", "")
"""AuditSourceTypeCode (DICOM PS3.15 A.5.1.1)."""

log = structlog.get_logger()


class AuditedExchange:
    """One request until its outcome is recorded. ``request`` is set once the request is decoded.

    ``asker`` is who sent it; ``may_lag``: a replica may answer it.
    """

    def __init__(
        self, trail: AuditTrail, audit: Audit, wire: Wire, around: Circumstances, asker: str, *, may_lag: bool
    ) -> None:
        self.request: Any = None
        self._asker = asker
        self._may_lag = may_lag
        self._trail = trail
        self._audit = audit
        self._wire = wire
        self._around = around
        self._is_recorded = False

    def __enter__(self) -> "AuditedExchange":
        """Open it in this thread."""
        self._before = OPEN.set(self)
        self._trail.together.under_way.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        """Whatever it owed is recorded, or is refused."""
        self._trail.together.under_way.discard(self)
        OPEN.reset(self._before)

    def read(self, database: Database, work: Work[Result]) -> Result:
        """Look something up; what a change is decided by is the primary's word."""
        return database.read(work, self._asker if self._may_lag else None)

    def write(self, database: Database, work: Work[Result]) -> Result:
        """Make the change and record its success, both or neither. ``work`` may run several times before it commits."""
        if self._is_recorded or self._audit.recorded is not Recorded.WITH_THE_CHANGE:
            return database.write(work, self._asker)

        foretold = self._entries(None) if self._audit.tells_the_request_alone else None

        def audited(connection: Connection) -> Result:
            result = work(connection)
            in_part("audit", self._append, connection, result, foretold)
            return result

        result = database.write(audited, self._asker)
        self._is_recorded = True
        return result

    def succeeded(self, response: Any) -> None:
        """Record that an answer leaves, unless that is recorded already. Raises AuditUnavailable."""
        if not self._is_recorded:
            result = None if self._audit.recorded is Recorded.WITH_THE_CHANGE else response
            in_part("audit", self._record, result)

    def refused(self, why: str) -> None:
        """Record that the request was refused, and why. Raises AuditUnavailable."""
        self._fail(EventOutcomeIndicator.MINOR_FAILURE, why)

    def failed(self, error: Exception) -> None:
        """Record that the request broke something that nobody foresaw; it is answered with a fault in any case."""
        try:
            self._fail(EventOutcomeIndicator.SERIOUS_FAILURE, type(error).__name__)
        except AuditUnavailable as unavailable:
            log.error("failure not audited", error=str(unavailable))

    def _fail(self, outcome: EventOutcomeIndicator, why: str) -> None:
        in_part("audit", self._record_failure, outcome, why)

    def _record_failure(self, outcome: EventOutcomeIndicator, why: str) -> None:
        events = self._audit.describe(self._wire, self.request, None)
        self._trail.record_entries(failed(self._audit, events, self._around, outcome, why))

    def _record(self, result: Any) -> None:
        self._trail.record_entries(self._entries(result))

    def _append(self, connection: Connection, result: Any, foretold: list[Entry] | None) -> None:
        self._trail.append_entries(connection, self._entries(result) if foretold is None else foretold)

    def _entries(self, result: Any) -> list[Entry]:
        return succeeded(self._audit, self._audit.describe(self._wire, self.request, result), self._around)


@dataclass(frozen=True, slots=True)
class Auditor:
    """Opens the audit of exchanges of one node. ``domain`` knows the assigning authorities by all their names.

    ``may_lag`` are actors whose queries a replica may answer.
    """

    trail: AuditTrail
    domain: AffinityDomain
    may_lag: frozenset[Actor] = frozenset()
    canonical: Canonical = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "canonical", canonical_in(self.domain))

    def open(
        self, transaction: Transaction[Any, Any, Any, Any, Any], wire: Wire, exchange: Exchange
    ) -> AuditedExchange:
        """An exchange, as a context."""
        audit = transaction.audit
        return AuditedExchange(
            self.trail,
            audit,
            wire,
            self._circumstances(wire, exchange),
            _asker(exchange),
            may_lag=transaction.responder in self.may_lag and audit.recorded is Recorded.BEFORE_THE_ANSWER,
        )

    def unauthenticated(
        self, transaction: Transaction[Any, Any, Any, Any, Any], exchange: Exchange, refused: AssertionRefused
    ) -> None:
        """Record the precise reason, which the sender is not told; a signature that does not verify is an alert."""
        kind = SECURITY_ALERT if refused.subcode is Subcode.FAILED_CHECK else USER_AUTHENTICATION
        node, asked = self.trail.node, transaction.audit.type
        at, peer = exchange.received_at, exchange.peer
        self.trail.record(authentication_failed(node, at, peer, refused.reason, asked, exchange.node, kind))

    def not_admitted(self, exchange: Exchange, reason: str) -> None:
        """Record that the other node has no agreement with this one, or not this one."""
        at, peer = exchange.received_at, exchange.peer
        self.trail.record(node_authentication_failed(self.trail.node, at, peer, reason, exchange.node))

    def _circumstances(self, wire: Wire, exchange: Exchange) -> Circumstances:
        initiator, responder = _names(wire, exchange)
        return Circumstances(
            at=exchange.received_at,
            systems=_systems(self.trail.node, initiator, exchange.peer, exchange.node, responder),
            principal=exchange.principal,
            canonical=self.canonical,
        )


@lru_cache(maxsize=1024)
def _systems(node: ThisNode, initiator: str, peer: str, certified: str | None, responder: str) -> Systems:
    return Systems(
        initiator=system(initiator, peer, is_requestor=True, alternative_user_id=certified),
        responder=system(responder, node.host, alternative_user_id=node.process_id),
        source=node.source,
    )


def canonical_in(domain: AffinityDomain) -> Canonical:
    """What spells ``id^^^namespace&oid&ISO`` as ``id^^^&oid&ISO`` where the domain knows the authority."""

    @lru_cache(maxsize=1024)
    def issuer(authority: str) -> str | None:
        parts = (*authority.split("^")[0].split("&"), "", "")
        known = domain.authority(HD(*parts[:3])) if any(parts) else None
        return known.oid if known else None

    def canonical(patient_id: str) -> str:
        id, _, authority = patient_id.partition("^^^")
        oid = issuer(authority)
        return patient_id if oid is None else f"{id}^^^&{oid}&ISO"

    return canonical


def spelled(rejected: Rejected) -> str:
    """What was wrong with a request, as the trail keeps it."""
    return "; ".join(f"{breach.code}: {breach.code_context}" for breach in rejected.breaches)


def this_node(source_id: str | None, site: str | None = None) -> ThisNode:
    """How the records of this process name it; ``site`` is the AuditEnterpriseSiteID."""
    host = socket.gethostname()
    types = (APPLICATION_SERVER,)
    source = AuditSource(id=source_id or f"affinity@{host}", enterprise_site_id=site, types=types)
    return ThisNode(source=source, process_id=str(os.getpid()), host=host)


@lru_cache(maxsize=1000)
def subject(certificate: bytes | None) -> str | None:
    """The subject of a certificate in DER form, as RFC 4514 spells it."""
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string() if certificate else None


def _asker(exchange: Exchange) -> str:
    """Whose changes an answer must show: the partner's, else those of the node that is at the other end."""
    return exchange.partner.name if exchange.partner else exchange.node or exchange.peer


def _names(wire: Wire, exchange: Exchange) -> tuple[str, str]:
    """UserIDs: ``facility|application`` of HL7 v2 (3.8.5.1), else anonymous and the endpoint (3.18.5.1.2)."""
    if isinstance(wire, Message):
        return (
            f"{wire.sending_facility}|{wire.sending_application}",
            f"{wire.receiving_facility}|{wire.receiving_application}",
        )
    return ANONYMOUS, exchange.endpoint
