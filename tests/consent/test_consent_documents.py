"""Consent documents come and go, and others' words stay: on both engines, over the log and its projections."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from affinity.database import Database
from consent import documents, recording, store
from consent.effects import CloseRecord, Deed, Hide, LetIn, OpenRecord, ShutOut
from consent.facts import Facts
from consent.model import Act, RecordState, organization, professional
from ihe.datatypes import CX, HD
from ihe.identifiers import PatientKey, UniqueId
from ihe.patients import Patient

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ACT = Act(actor="patient", reason="my wish", at=NOW)
BY_HAND = Act(actor="Léa", reason="at the counter", at=NOW, origin="console")
HOSPITAL, DOCTOR = organization("1.2.3"), professional("9")
FIRST, SECOND = UniqueId("2.25.1"), UniqueId("2.25.2")
PATIENT = Patient(key=PatientKey(1), keys=(PatientKey(1),), id=CX("P1", HD("", "1.2", "ISO")))


def give(database: Database, unique_id: UniqueId, *done: Deed) -> None:
    database.write(lambda each: documents.take_up(each, PATIENT, unique_id, done, ACT, 30 * DAY))


def end(database: Database, unique_id: UniqueId) -> None:
    def work(connection: Connection) -> None:
        for each in store.consents_given(connection, PATIENT.keys):
            if each.unique_id == unique_id:
                documents.end(connection, PATIENT, each, ACT)

    database.write(work)


def known(database: Database) -> Facts:
    return database.read(lambda connection: store.facts(connection, PATIENT.keys).of(PATIENT.keys))


def state(database: Database) -> RecordState | None:
    return known(database).state(NOW)


def test_what_a_document_did_ends_with_it(database: Database) -> None:
    give(database, FIRST, OpenRecord(), LetIn(DOCTOR), ShutOut(HOSPITAL), Hide(UniqueId("1.9")))
    during = known(database)
    assert during.state(NOW) is RecordState.OPEN
    assert [each.party for each in during.relationships] == [DOCTOR]
    assert [each.party for each in during.exclusions] == [HOSPITAL]
    assert [each.unique_id for each in during.masks] == ["1.9"]
    end(database, FIRST)
    after = known(database)
    assert not any((after.relationships, after.exclusions, after.masks))
    assert after.state(NOW) is RecordState.SUSPENDED, "nobody opened it but the document"


def test_an_opposition_that_ends_gives_the_record_back(database: Database) -> None:
    database.write(lambda each: recording.open_record(each, PATIENT, BY_HAND))
    give(database, FIRST, CloseRecord())
    assert known(database).records[0].delete_at == NOW + 30 * DAY
    end(database, FIRST)
    assert state(database) is RecordState.OPEN


def test_a_waiting_period_goes_on_after_an_opposition_that_ends(database: Database) -> None:
    database.write(lambda each: recording.create_record(each, PATIENT, BY_HAND, NOW + 3 * DAY))
    give(database, FIRST, CloseRecord())
    end(database, FIRST)
    facts = known(database)
    assert (facts.state(NOW), facts.state(NOW + 3 * DAY)) == (RecordState.WAITING, RecordState.OPEN)


def test_what_a_person_said_after_a_document_stays(database: Database) -> None:
    give(database, FIRST, OpenRecord())
    database.write(lambda each: recording.close_record(each, PATIENT, BY_HAND))
    end(database, FIRST)
    assert state(database) is RecordState.CLOSED


def test_what_two_say_stays_until_both_take_it_back(database: Database) -> None:
    give(database, FIRST, ShutOut(HOSPITAL), Hide(UniqueId("1.9")), Hide(UniqueId("1.8")))
    give(database, SECOND, ShutOut(HOSPITAL), Hide(UniqueId("1.9")))
    end(database, FIRST)
    facts = known(database)
    assert [each.party for each in facts.exclusions] == [HOSPITAL]
    assert [each.unique_id for each in facts.masks] == ["1.9"]
    end(database, SECOND)
    assert not known(database).exclusions + known(database).masks


def test_an_exclusion_by_hand_outlives_the_document_that_said_the_same(database: Database) -> None:
    database.write(lambda each: recording.exclude(each, PATIENT, HOSPITAL, BY_HAND))
    give(database, FIRST, ShutOut(HOSPITAL))
    end(database, FIRST)
    assert [each.party for each in known(database).exclusions] == [HOSPITAL]


def test_a_state_of_a_document_that_ended_before_does_not_come_back(database: Database) -> None:
    give(database, FIRST, OpenRecord())
    give(database, SECOND, CloseRecord())
    end(database, FIRST)
    assert state(database) is RecordState.CLOSED
    end(database, SECOND)
    assert state(database) is RecordState.SUSPENDED


def test_a_document_may_come_again(database: Database) -> None:
    for _ in range(2):
        give(database, FIRST, OpenRecord(), ShutOut(HOSPITAL))
        assert [each.party for each in known(database).exclusions] == [HOSPITAL]
        end(database, FIRST)
        assert not known(database).exclusions
    assert state(database) is RecordState.SUSPENDED
