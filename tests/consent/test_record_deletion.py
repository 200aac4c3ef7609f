"""A record that the patient closed is deleted after its delay: documents, metadata, and a word of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, select, text
from sqlalchemy.exc import OperationalError

from affinity.database import Database
from affinity.record_deletion import RecordDeletion
from affinity.works import Result, Work
from atna import store as trail
from atna.model import AuditSource
from atna.participants import ThisNode
from atna.trail import AuditTrail
from consent import documents, log, recording
from consent.effects import CloseRecord
from consent.model import Act, EventType, RecordState
from consent.tables import record as consent_record
from ihe.identifiers import UniqueId
from tests.consent.stage import BPPC, NATIONAL, NOW, OPPOSITION, Stage
from xds.repository import DocumentRepository, RemovedDocuments, always
from xds.tables import TABLE_OF
from xds.visibility import Viewer

TEXT = "urn:ihe:iti:xds:2017:mimeTypeSufficient"
DAY = timedelta(days=1)
NODE = ThisNode(source=AuditSource(id="affinity@test"), process_id="1", host="h")


@dataclass
class Meanwhile:
    """The database, where ``then[n]`` happens as soon as somebody has read for the n-th time."""

    database: Database
    then: dict[int, Callable[[], object]]
    reads: int = field(default=0)

    def read(self, work: Work[Result]) -> Result:
        found = self.database.read(work)
        self.reads += 1
        self.then.get(self.reads, lambda: None)()
        return found

    def write(self, work: Work[Result]) -> Result:
        return self.database.write(work)


def delete_due(stage: Stage, then: dict[int, Callable[[], object]] | None = None, at_once: int = 100) -> int:
    assert isinstance(stage.index.database, Database)
    deletion = RecordDeletion(
        database=Meanwhile(stage.index.database, then or {}),
        index=stage.index,
        repository=stage.repository,
        trail=AuditTrail(database=stage.index.database, node=NODE),
        clock=lambda: stage.now,
        at_once=at_once,
    )
    return deletion.delete_due()


def close(stage: Stage, id: str = "78", days: int | None = 10) -> None:
    act = Act(actor="Léa", reason="the patient objects", at=stage.now)
    until = None if days is None else stage.now + days * DAY
    stage.index.database.write(lambda each: recording.close_record(each, stage.patient(id), act, until))


def objects(stage: Stage) -> int:
    tables = TABLE_OF.values()
    return stage.index.database.read(lambda each: sum(len(each.execute(select(one.c.id)).all()) for one in tables))


def test_a_closed_record_is_deleted_when_its_time_is_over(stage: Stage) -> None:
    unique_id = stage.submit("a report", TEXT)
    close(stage)
    stage.now += 9 * DAY
    assert delete_due(stage) == 0
    assert unique_id in stage.repository.documents([unique_id])
    stage.now += 1 * DAY
    assert delete_due(stage) == 1
    assert stage.facts().state(stage.now) is RecordState.DELETED
    assert stage.repository.documents([unique_id]) == {}
    assert objects(stage) == 0
    assert delete_due(stage) == 0


def test_the_deletion_is_in_the_log_and_in_the_audit(stage: Stage) -> None:
    close(stage, days=0)
    delete_due(stage)
    newest = stage.index.database.read(lambda each: log.history(each, stage.patient()))[0]
    assert (newest.type, newest.actor, newest.origin) == (EventType.RECORD_DELETED, "affinity", "housekeeping")
    wanted = trail.Search(patients=(str(stage.patient().id),))
    (record,) = stage.index.database.read(lambda each: trail.search(each, wanted))
    assert "record deleted" in (record.message.event.outcome_description or "")


def test_other_patients_keep_theirs(stage: Stage) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    kept = stage.submit("another's report", TEXT, id="79")
    stage.submit("a report", TEXT)
    close(stage, days=0)
    assert delete_due(stage) == 1
    assert kept in stage.repository.documents([kept])
    assert stage.facts("79").state(stage.now) is RecordState.WAITING


@pytest.mark.parametrize(("closed", "surviving"), [("78", "79"), ("79", "78")])
@pytest.mark.parametrize("record", [recording.open_record, recording.suspend_record, None])
def test_a_merge_destroys_no_documents_of_a_patient_who_never_objected(
    stage: Stage, closed: str, surviving: str, record: Callable[..., int] | None
) -> None:
    """A merge can be taken back, a destroyed document cannot."""
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    other = "79" if closed == "78" else "78"
    theirs = stage.submit("a report of the other", TEXT, id=other)
    if record is None:
        stage.index.database.write(lambda each: each.execute(delete(consent_record)))
    else:
        act = Act(actor="Léa", reason="at the desk", at=stage.now)
        stage.index.database.write(lambda each: record(each, stage.patient(other), act))
    close(stage, closed, days=0)
    stage.merge({"78": "79", "79": "78"}[surviving], surviving)
    assert stage.facts(surviving).state(stage.now) is RecordState.CLOSED
    assert delete_due(stage) == 0
    assert theirs in stage.repository.documents([theirs])


def test_a_record_that_stays_holds_up_no_other(stage: Stage) -> None:
    """The first is merged with one that is open, and is due day after day."""
    for id, name in (("79", "Klein"), ("80", "Schmit")):
        stage.feed((NATIONAL, id), family=name, birth="19500101")
    stage.submit("a report of the other", TEXT, id="79")
    close(stage, "78", days=0)
    stage.merge("79", "78")
    stage.now += 1 * DAY
    close(stage, "80", days=0)
    assert delete_due(stage, at_once=1) == 1
    assert stage.facts("80").state(stage.now) is RecordState.DELETED


def test_one_run_deletes_so_many_and_the_next_the_rest(stage: Stage) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    for id in ("78", "79"):
        close(stage, id, days=0)
    assert [delete_due(stage, at_once=1) for _ in range(3)] == [1, 1, 0]


@pytest.mark.parametrize("first", [0, 5])
def test_what_both_patients_of_a_merge_closed_is_deleted_when_the_later_time_is_over(stage: Stage, first: int) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    close(stage, "78", days=first)
    close(stage, "79", days=10)
    if first == 0:
        assert delete_due(stage) == 1
    unique_id = stage.submit("a report", TEXT, id="79")
    stage.merge("78", "79")
    for days, expected in ((9, 0), (1, 1)):
        stage.now += days * DAY
        assert delete_due(stage) == expected
    assert stage.repository.documents([unique_id]) == {}


@pytest.mark.parametrize("days", [None, 1])
def test_what_is_not_due_stays(here: Stage, days: int | None) -> None:
    close(here, days=days)
    assert delete_due(here) == 0


def test_an_opposition_may_be_due_at_once(stage: Stage) -> None:
    """``delete_after_days = 0`` is no delay, and not no deletion."""
    act = Act(actor="Léa", reason="the patient objects", at=stage.now)
    stage.index.database.write(
        lambda each: documents.take_up(
            each, stage.patient(), UniqueId("2.25.1"), (CloseRecord(),), act, keep_closed=timedelta(0)
        )
    )
    assert delete_due(stage) == 1


def test_a_record_that_was_opened_again_is_not_deleted(stage: Stage) -> None:
    close(stage, days=0)
    act = Act(actor="Léa", reason="changed my mind", at=stage.now)
    stage.index.database.write(lambda each: recording.open_record(each, stage.patient(), act))
    assert delete_due(stage) == 0


def test_an_opposition_by_document_leads_to_deletion(stage: Stage) -> None:
    stage.submit(OPPOSITION, BPPC)
    assert stage.facts().state(NOW) is RecordState.CLOSED
    stage.now += 3650 * DAY
    assert delete_due(stage) == 1
    assert objects(stage) == 0


def test_half_a_deletion_is_finished_by_the_next(stage: Stage) -> None:
    unique_id = stage.submit("a report", TEXT)
    close(stage, days=0)
    stage.repository.remove([unique_id], stage.now)
    assert delete_due(stage) == 1
    assert objects(stage) == 0


@pytest.mark.parametrize("reads", [2, 3])
def test_a_record_that_is_opened_since_it_was_found_to_be_due_keeps_its_documents(stage: Stage, reads: int) -> None:
    """A run deletes a hundred, one after the other: opened when one was due, or when its documents were listed."""
    unique_id = stage.submit("a report", TEXT)
    close(stage, days=0)
    act = Act(actor="Léa", reason="changed my mind", at=stage.now)

    def reopen() -> None:
        stage.index.database.write(lambda each: recording.open_record(each, stage.patient(), act))

    assert delete_due(stage, {reads: reopen}) == 0
    assert stage.facts().state(stage.now) is RecordState.OPEN
    assert unique_id in stage.repository.documents([unique_id])


def test_a_merge_just_before_the_deletion_destroys_nothing_of_whom_never_objected(stage: Stage) -> None:
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    theirs = stage.submit("a report of the other", TEXT, id="79")
    mine = stage.submit("a report", TEXT)
    close(stage, days=0)
    assert delete_due(stage, {3: lambda: stage.merge("79", "78")}) == 0
    assert {mine, theirs} == set(stage.repository.documents([mine, theirs]))


def test_a_document_that_comes_during_the_deletion_does_not_outlive_its_metadata(stage: Stage) -> None:
    stage.submit("a report", TEXT)
    close(stage, days=0)
    late: list[UniqueId] = []
    assert delete_due(stage, {3: lambda: late.append(stage.submit("a late report", TEXT))}) == 0
    assert set(late) == set(stage.repository.documents(late))
    assert delete_due(stage) == 1
    assert stage.repository.documents(late) == {}
    assert objects(stage) == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_opens_a_record_waits_for_its_deletion(stage: Stage) -> None:
    close(stage, days=0)
    patient, act = stage.patient(), Act(actor="Léa", reason="changed my mind", at=stage.now)

    def reopen(connection: Connection) -> None:
        connection.execute(text("SET LOCAL lock_timeout = '1ms'"))
        recording.open_record(connection, patient, act)

    class Held(DocumentRepository):
        """One whose documents somebody wants to keep as soon as they may go."""

        def remove(
            self,
            ids: Iterable[UniqueId],
            now: datetime,
            viewer: Viewer | None = None,
            may_go: Callable[[Connection], bool] = always,
        ) -> RemovedDocuments:
            def checked(connection: Connection) -> bool:
                found = may_go(connection)
                with pytest.raises(OperationalError, match="lock timeout"):
                    stage.index.database.write(reopen)
                return found

            return DocumentRepository.remove(self, ids, now, viewer, checked)

    stage.repository = Held(**{each.name: getattr(stage.repository, each.name) for each in fields(DocumentRepository)})
    assert delete_due(stage) == 1
