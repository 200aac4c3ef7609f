"""Deletion of closed records whose time is over: documents are destroyed, metadata removed, and it is said.

Whatever stops it half way, the record is still due and the next run goes on. The audit trail keeps what was done with
the record, and ``consent_event`` keeps how the record lived: neither holds a document.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection, bindparam, select

from atna.events import console_used
from atna.trail import AuditTrail
from consent import recording, store
from consent.events import instant
from consent.model import Act, RecordState
from consent.tables import record
from ihe.audit import patient as whose
from ihe.errors import Rejected
from ihe.exchange import Transactor
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from ihe.patients import Patient
from pix.manager import PatientIndex
from xds import removal, repository_store
from xds.repository import DocumentRepository
from xds.tables import TABLE_OF, document_entry

log = structlog.get_logger()

ACTOR = "affinity"
"""The program itself, in the log of access rights and in the audit."""
AT_ONCE = 100
"""Most records that one run deletes."""
HOLD = (
    select(record.c.patient_key)
    .where(record.c.patient_key.in_(bindparam("keys", expanding=True)))
    .order_by(record.c.patient_key, record.c.under)
    .with_for_update()
)
"""What is said of a record meanwhile waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeletion:
    """Deletes what is due, at most ``at_once`` records in one run; the next one is a day later."""

    database: Transactor[Connection]
    index: PatientIndex
    repository: DocumentRepository
    trail: AuditTrail
    clock: Callable[[], datetime]
    at_once: int = AT_ONCE

    def delete_due(self) -> int:
        """Delete records whose time is over, at most as many as one run may; how many there were.

        Those that stay, merged with one that is open or referred to by others, hold up nobody.
        """
        deleted = 0
        for patient in self._due():
            deleted += self._delete(patient)
            if deleted == self.at_once:
                break
        return deleted

    def _due(self) -> Iterator[Patient]:
        keys, seen = self.database.read(self._closed), set[PatientKey]()
        for start in range(0, len(keys), self.at_once):
            some = frozenset(keys[start : start + self.at_once])
            for patient in self.database.read(partial(self._patients, keys=some)):
                if patient.key not in seen:
                    seen.add(patient.key)
                    yield patient

    def _closed(self, connection: Connection) -> Sequence[PatientKey]:
        """Whose time is over, those first whose is over longest."""
        query = (
            select(record.c.patient_key)
            .where(record.c.state == RecordState.CLOSED.value, record.c.delete_at <= instant(self.clock()))
            .order_by(record.c.delete_at, record.c.patient_key)
        )
        return [PatientKey(each) for each in connection.scalars(query)]

    def _patients(self, connection: Connection, keys: Collection[PatientKey]) -> Sequence[Patient]:
        now, named = self.clock(), set(self.index.current(connection, keys).values())
        patients = [self.index.resolve(connection, each) for each in sorted(named, key=str)]
        return tuple(each for each in patients if each and _is_due(connection, each, now))

    def _delete(self, patient: Patient) -> bool:
        """Whether it is deleted. Not if its patient opened it, or was merged, since it was found to be due."""
        now = self.clock()
        own = self.database.read(lambda each: self._own(each, patient))
        self.repository.remove(own, now, may_go=lambda each: self._is_still_due(each, patient, now))
        try:
            return self.database.write(lambda each: self._finish(each, patient, now))
        except Rejected as rejected:
            # What another patient's objects refer to stays; nobody sees it, and a human has to look.
            log.error("closed record not deleted", codes=sorted(map(str, rejected.codes)))
            return False

    def _is_still_due(self, connection: Connection, patient: Patient, now: datetime) -> bool:
        """Look again, and let nobody open the record until the transaction ends."""
        connection.execute(HOLD, {"keys": patient.keys})
        return self.index.resolve(connection, patient.id) == patient and _is_due(connection, patient, now)

    def _own(self, connection: Connection, patient: Patient) -> tuple[UniqueId, ...]:
        """Documents that are registered for this patient and for nobody else."""
        this = document_entry.c
        mine = select(this.unique_id).where(this.patient_key.in_(patient.keys))
        others = select(this.unique_id).where(this.unique_id.in_(mine), this.patient_key.not_in(patient.keys))
        found = connection.scalars(mine.where(this.unique_id.not_in(others)).order_by(this.id))
        return tuple(dict.fromkeys(map(UniqueId, found)))

    def _finish(self, connection: Connection, patient: Patient, now: datetime) -> bool:
        """The metadata, the event, and the audit record, all or none; none as long as a document would be left."""
        if not self._is_still_due(connection, patient, now) or self._left(connection, patient):
            return False
        uuids = tuple(_objects(connection, patient.keys))
        if uuids:
            removal.remove_in(connection, uuids)
        reason = f"closed, and kept for as long as the domain wants; {len(uuids)} objects were removed"
        recording.delete_record(connection, patient, Act(actor=ACTOR, reason=reason, at=now, origin="housekeeping"))
        deleted = console_used(self.trail.node, now, ACTOR, f"record deleted: {reason}", (whose((str(patient.id),)),))
        self.trail.append(connection, (deleted,))
        return True

    def _left(self, connection: Connection, patient: Patient) -> bool:
        """Claim that a document came since they were removed."""
        return bool(repository_store.documents(connection, self.repository.unique_id, self._own(connection, patient)))


def _is_due(connection: Connection, patient: Patient, now: datetime) -> bool:
    """Claim that every id of the patient is of a record that is deleted, or closed and its time over, one at least.

    Ids may be merged of which one never objected, and a merge can be taken back: then none of their documents goes.
    """
    records = store.facts(connection, patient.keys).of(patient.keys).records
    due = {
        each.key for each in records if each.state is RecordState.CLOSED and each.delete_at and each.delete_at <= now
    }
    gone = {each.key for each in records if each.state is RecordState.DELETED}
    rest = set(patient.keys) - due - gone
    return bool(due) and not any(each.key in rest for each in records) and not _objects(connection, rest)


def _objects(connection: Connection, keys: Collection[PatientKey]) -> list[EntryUUID]:
    return [
        EntryUUID(uuid)
        for table in TABLE_OF.values()
        for uuid in connection.scalars(
            select(table.c.entry_uuid).where(table.c.patient_key.in_(keys)).order_by(table.c.id)
        )
    ]
