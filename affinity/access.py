"""Access rights and registry brought together: the policy of the domain, the index that knows who is one patient."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from affinity.metrics import EMERGENCIES
from affinity.one_patient import PatientBoundAccess
from atna.events import emergency_access
from atna.trail import AuditTrail
from consent import recording, store
from consent.case import Case, personal
from consent.decision import may_break_glass
from consent.model import Act
from consent.policy import Mode, Policy
from consent.viewing import Eyes
from ihe.access import OPEN
from ihe.datatypes import CX
from ihe.exchange import Exchange, Transactor
from ihe.patients import Patient
from pix.manager import PatientIndex
from xds.visibility import Access

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAccess:
    """The shared care record's rules, for registry and repository."""

    policy: Policy
    database: Transactor[Connection]
    index: PatientIndex
    trail: AuditTrail

    def viewer(self, exchange: Exchange) -> Eyes:
        """The eyes of a request."""
        return Eyes(policy=self.policy, exchange=exchange, together=self.index.together)

    def enter(self, exchange: Exchange, patients: Collection[object]) -> None:
        """Break the glass of the patients whom a query names, where it says that it is an emergency, and why."""
        purposes = self.policy.emergency.purposes
        if exchange.principal and purposes.intersection(map(str, exchange.principal.purpose_of_use)):
            named = [each for each in patients if isinstance(each, CX)]
            opened = self.database.write(lambda connection: self._enter_all(connection, exchange, named))
            EMERGENCIES.inc(opened)

    def _enter_all(self, connection: Connection, exchange: Exchange, named: Collection[CX]) -> int:
        """How many records were opened."""
        return sum([self._enter(connection, exchange, each) for each in named])

    def _enter(self, connection: Connection, exchange: Exchange, patient_id: CX) -> bool:
        patient = self.index.resolve(connection, patient_id)
        reason = self._reason(exchange)
        if patient is None or reason is None:
            return False
        facts = store.facts(connection, patient.keys).of(patient.keys)
        case = Case(policy=self.policy, principal=exchange.principal, facts=facts, now=exchange.received_at)
        if not may_break_glass(case) or any(True for _ in case.opened()):
            return False
        self._break(connection, patient, exchange, reason)
        return True

    def _break(self, connection: Connection, patient: Patient, exchange: Exchange, reason: str) -> None:
        assert exchange.principal is not None  # who is nobody breaks no glass
        rules, party = self.policy.emergency, min(personal(exchange.principal))
        act = Act(actor=party, reason=reason, at=exchange.received_at, origin=exchange.correlation_id)
        until = exchange.received_at + timedelta(hours=rules.hours)
        recording.break_glass(connection, patient, party, act, until=until, level=rules.level)
        named = (str(patient.id),)
        alert = emergency_access(self.trail.node, exchange.received_at, exchange.principal, named, reason)
        self.trail.append(connection, (alert,))
        log.warning("glass broken", correlation=exchange.correlation_id)

    def _reason(self, exchange: Exchange) -> str | None:
        """The words beside the code of the emergency; without any, no glass breaks."""
        stated = exchange.principal.purpose_of_use if exchange.principal else ()
        words = (each.display.strip() for each in stated if str(each) in self.policy.emergency.purposes)
        return next((each for each in words if each), None)


def access(policy: Policy, database: Transactor[Connection], index: PatientIndex, trail: AuditTrail) -> Access:
    """What registry and repository keep to."""
    closed = RecordAccess(policy=policy, database=database, index=index, trail=trail)
    return PatientBoundAccess(access=OPEN if policy.mode is Mode.OPEN else closed, index=index)
