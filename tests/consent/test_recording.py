"""A record's life as events, and what holds of it for one id, for merged ids, and after a merge is taken back."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, event, select, text

from affinity.database import Database
from consent import log, recording, store
from consent.facts import Facts
from consent.model import Act, Party, RecordState, RelationshipKind, organization, professional
from consent.projection import PROJECTIONS
from ihe.datatypes import CX, HD
from ihe.identifiers import PatientKey, UniqueId
from ihe.patients import Patient

Word = Callable[[Connection], None]
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ACT = Act(actor="Léa", reason="my wish", at=NOW, origin="test")
DOCTOR: Party = professional("90000022")
HOSPITAL: Party = organization("urn:oid:1.2.3")
TREATS = RelationshipKind.TREATING_DOCTOR


def patient(key: int, *subsumed: int) -> Patient:
    keys = tuple(PatientKey(each) for each in (key, *subsumed))
    return Patient(key=keys[0], keys=keys, id=CX(f"P{key}", HD("", "1.2", "ISO")))


ALONE, OTHER, BOTH = patient(1), patient(2), patient(1, 2)


def known(connection: Connection, whose: Patient) -> Facts:
    return store.facts(connection, whose.keys).of(whose.keys)


def state(database: Database, whose: Patient, at: datetime = NOW) -> RecordState | None:
    return database.read(lambda connection: known(connection, whose).state(at))


def test_a_record_opens_when_the_waiting_period_is_over(database: Database) -> None:
    assert state(database, ALONE) is None
    database.write(lambda connection: recording.create_record(connection, ALONE, ACT, NOW + 30 * DAY))
    assert state(database, ALONE) is RecordState.WAITING
    assert state(database, ALONE, NOW + 30 * DAY) is RecordState.OPEN


def test_opposition_closes_it_and_the_patient_may_come_back(database: Database) -> None:
    database.write(lambda connection: recording.open_record(connection, ALONE, ACT))
    database.write(lambda connection: recording.close_record(connection, ALONE, ACT, NOW + DAY))
    assert state(database, ALONE) is RecordState.CLOSED
    database.write(lambda connection: recording.open_record(connection, ALONE, ACT))
    assert state(database, ALONE) is RecordState.OPEN


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_later_of_two_words_at_once_holds_though_its_transaction_ends_first(database: Database) -> None:
    """It has the higher number in the log, from which the tables may be made anew."""
    between: list[str] = []

    def close(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "INSERT INTO consent_record" in statement and not between:
            between.append("closed")
            database.write(lambda connection: recording.close_record(connection, ALONE, ACT))

    event.listen(database.engine, "before_cursor_execute", close)
    database.write(lambda connection: recording.open_record(connection, ALONE, ACT))
    newest_first = database.read(lambda connection: log.history(connection, ALONE))
    assert [each.type for each in newest_first] == ["record-closed", "record-opened"]
    assert state(database, ALONE) is RecordState.CLOSED
    database.write(log.rebuild)
    assert state(database, ALONE) is RecordState.CLOSED


PAPERS = [UniqueId("1.2.3")]
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def say(connection: Connection) -> None:
    """Exclude a party and hide a document."""
    recording.exclude(connection, BOTH, DOCTOR, ACT)
    recording.mask(connection, BOTH, PAPERS, ACT)


def take_back(connection: Connection) -> None:
    """Let the party in again and show the document, of one of both ids."""
    recording.lift_exclusion(connection, OTHER, DOCTOR, ACT)
    recording.unmask(connection, OTHER, PAPERS, ACT)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("first", "second", "stays"), [(say, take_back, False), (take_back, say, True)])
def test_of_two_words_at_once_the_later_holds(database: Database, first: Word, second: Word, stays: bool) -> None:
    """As the log has it, from which the tables may be made anew: who says it again, or takes it back, means it."""
    database.write(say)
    with ThreadPoolExecutor() as pool, database.engine.connect() as watching:

        def work(connection: Connection) -> Future[None]:
            first(connection)
            begun = pool.submit(database.write, second)
            while not (begun.done() or watching.scalar(WAITING)):
                watching.rollback()
            return begun

        database.write(work).result()
    made = database.read(lambda connection: known(connection, OTHER))
    assert (bool(made.exclusions), bool(made.masks)) == (stays, stays)
    database.write(log.rebuild)
    assert database.read(lambda connection: known(connection, OTHER)) == made


def test_a_merge_takes_the_stricter_state_and_its_end_gives_each_its_own_back(database: Database) -> None:
    database.write(lambda connection: recording.open_record(connection, ALONE, ACT))
    database.write(lambda connection: recording.close_record(connection, OTHER, ACT))
    assert state(database, BOTH) is RecordState.CLOSED
    database.write(lambda connection: recording.open_record(connection, BOTH, ACT))
    assert state(database, BOTH) is RecordState.OPEN
    assert (state(database, ALONE), state(database, OTHER)) == (RecordState.OPEN, RecordState.CLOSED)


def test_what_was_closed_while_merged_stays_closed_for_each(database: Database) -> None:
    for whose in (ALONE, OTHER):
        database.write(lambda connection, whose=whose: recording.open_record(connection, whose, ACT))  # type: ignore[misc]
    database.write(lambda connection: recording.close_record(connection, BOTH, ACT))
    assert {state(database, whose) for whose in (ALONE, OTHER, BOTH)} == {RecordState.CLOSED}


def test_a_relationship_ends_at_its_time(database: Database) -> None:
    number = database.write(lambda c: recording.relate(c, ALONE, DOCTOR, TREATS, ACT, source="encounter 7"))
    [found] = database.read(lambda c: store.relationships_from(c, "encounter 7"))
    assert (found.number, found.party, found.holds_at(NOW + 900 * DAY)) == (number, DOCTOR, True)
    database.write(lambda c: recording.end_relationship(c, ALONE, number, ACT, NOW + 90 * DAY))
    [found] = database.read(lambda c: store.relationships_from(c, "encounter 7"))
    assert found.holds_at(NOW + 89 * DAY) and not found.holds_at(NOW + 90 * DAY)
    database.write(lambda c: recording.end_relationship(c, ALONE, number, ACT))
    assert database.read(lambda c: store.relationships_from(c, "encounter 7")) == ()


def test_an_exclusion_outlives_the_merge_in_which_it_was_said(database: Database) -> None:
    database.write(lambda c: recording.exclude(c, BOTH, HOSPITAL, ACT))
    for whose in (ALONE, OTHER, BOTH):
        assert [each.party for each in database.read(lambda c, w=whose: known(c, w).exclusions)][:1] == [HOSPITAL]  # type: ignore[misc]


def test_an_exclusion_lifted_while_merged_is_back_when_the_merge_is_taken_back(database: Database) -> None:
    database.write(lambda c: recording.exclude(c, OTHER, HOSPITAL, ACT))
    database.write(lambda c: recording.lift_exclusion(c, BOTH, HOSPITAL, ACT))
    assert database.read(lambda c: known(c, BOTH)).exclusions == ()
    assert len(database.read(lambda c: known(c, OTHER)).exclusions) == 1
    database.write(lambda c: recording.lift_exclusion(c, OTHER, HOSPITAL, ACT))
    assert database.read(lambda c: known(c, OTHER)).exclusions == ()


def test_a_mask_names_documents_and_a_profession(database: Database) -> None:
    papers = [UniqueId("1.1"), UniqueId("1.2")]
    database.write(lambda c: recording.mask(c, ALONE, papers, ACT, "nurse"))
    database.write(lambda c: recording.mask(c, ALONE, papers[:1], ACT))
    database.write(lambda c: recording.unmask(c, ALONE, papers[1:], ACT, "nurse"))
    masks = database.read(lambda c: known(c, ALONE)).masks
    assert sorted((each.unique_id, each.profession) for each in masks) == [("1.1", "*"), ("1.1", "nurse")]


def test_the_review_list_holds_what_nobody_has_looked_at(database: Database) -> None:
    number = database.write(
        lambda c: recording.break_glass(c, ALONE, DOCTOR, ACT, until=NOW + timedelta(hours=8), level="R")
    )
    [waiting] = database.read(store.unreviewed_emergencies)
    assert (waiting.number, waiting.party, waiting.level, waiting.reason) == (number, DOCTOR, "R", "my wish")
    database.write(lambda c: recording.review_glass(c, ALONE, number, ACT))
    assert database.read(store.unreviewed_emergencies) == ()


def test_an_act_without_a_reason_is_none() -> None:
    with pytest.raises(ValueError, match="a reason"):
        Act(actor="Léa", reason=" ", at=NOW)


def test_the_projections_are_made_anew_from_the_log(database: Database) -> None:
    def everything(connection: Connection) -> list[list[tuple[object, ...]]]:
        return [sorted(map(tuple, connection.execute(select(table))), key=repr) for table in PROJECTIONS]

    def life(connection: Connection) -> None:
        recording.create_record(connection, BOTH, ACT, NOW + DAY)
        number = recording.relate(connection, ALONE, DOCTOR, TREATS, ACT, until=NOW + DAY)
        recording.end_relationship(connection, ALONE, number, ACT)
        recording.exclude(connection, BOTH, HOSPITAL, ACT)
        recording.lift_exclusion(connection, ALONE, HOSPITAL, ACT)
        recording.mask(connection, BOTH, [UniqueId("1.1")], ACT)
        recording.unmask(connection, OTHER, [UniqueId("1.1")], ACT)
        broken = recording.break_glass(connection, OTHER, DOCTOR, ACT, until=NOW + DAY, level="N")
        recording.review_glass(connection, OTHER, broken, ACT)
        recording.close_record(connection, BOTH, ACT, NOW + DAY)

    database.write(life)
    before = database.read(everything)
    assert database.write(log.rebuild) == 10
    assert database.read(everything) == before
    assert database.read(lambda c: log.history(c, BOTH))[0].type == "record-closed"
