"""A record begins with the patient's arrival, and encounters let people in, in the transaction of the feed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from affinity.database import Database
from affinity.encounter_relationships import attending, moment
from affinity.record_file import Creation
from affinity.record_life import RecordLife
from consent import log
from consent.model import EventType, RecordState, organization, professional
from pix.model import Identifier, Origin
from tests.consent.stage import HOSPITAL, NATIONAL, NORTH, NOW, RULES, Stage, make_stage

DAY = timedelta(days=1)
CLINIC, KIEFFER = organization(NORTH), professional("90000022")


def let_in(stage: Stage, after: timedelta = timedelta(), id: str = "78") -> set[str]:
    return {each.party for each in stage.facts(id).relationships if each.holds_at(stage.now + after)}


def test_an_arrival_creates_a_record_that_opens_when_the_patient_had_time_to_object(stage: Stage) -> None:
    facts = stage.facts()
    assert [facts.state(NOW + days * DAY) for days in (0, 29, 30)] == [
        RecordState.WAITING,
        RecordState.WAITING,
        RecordState.OPEN,
    ]
    (event,) = stage.index.database.read(lambda each: log.history(each, stage.patient()))
    assert (event.type, event.actor) == (EventType.RECORD_CREATED, "HIS|H")
    assert "arrival" in event.reason and event.origin.startswith("ITI-30 ")


def test_a_second_feed_creates_no_second_record(stage: Stage) -> None:
    stage.feed((NATIONAL, "78"), family="Weber-Klein")
    assert len(stage.facts().records) == 1


def test_an_id_that_is_no_patient_id_of_the_domain_has_no_record(stage: Stage) -> None:
    stage.feed((HOSPITAL, "L-2"), family="Klein", birth="19500101")
    assert stage.index.database.read(lambda each: len(log.history(each, stage.patient()))) == 1


def test_each_patient_of_a_load_has_a_record_and_none_changes_who_is_let_in_to_another(stage: Stage) -> None:
    stage.visit("A01")
    stage.load(("Faber", ((NATIONAL, "80"),)), ("Thoma", ((HOSPITAL, "L-3"),)), ("Kremer", ((NATIONAL, "81"),)))
    assert [len(stage.facts(each).records) for each in ("80", "81")] == [1, 1]
    assert let_in(stage) == {CLINIC, KIEFFER} and let_in(stage, id="80") == let_in(stage, id="81") == set()


def test_a_load_that_tells_whose_an_encounter_is_lets_in_to_that_patient_alone(stage: Stage) -> None:
    stage.visit("A01", patient="L-7")
    stage.load(("Faber", ((NATIONAL, "80"),)), ("Weber", ((NATIONAL, "79"), (HOSPITAL, "L-7"))))
    assert let_in(stage, id="79") == {CLINIC, KIEFFER} and let_in(stage, id="80") == set()


def test_where_patients_ask_for_it_an_arrival_creates_nothing(database: Database, tmp_path: Path) -> None:
    stage = make_stage(database, tmp_path)
    life = RecordLife(rules=replace(RULES, creation=Creation.OPT_IN), facilities={})
    stage.index = replace(stage.index, follow=life.follow)
    stage.feed((NATIONAL, "78"))
    assert stage.facts().state(NOW) is None


def test_an_admission_lets_hospital_and_doctor_in_and_its_cancellation_ends_it(stage: Stage) -> None:
    stage.visit("A01")
    assert let_in(stage) == {CLINIC, KIEFFER}
    assert let_in(stage, 99 * DAY) and not let_in(stage, 100 * DAY)
    stage.visit("A11")
    assert let_in(stage) == set()


def test_a_discharge_ends_it_after_the_delay_and_its_cancellation_takes_that_back(stage: Stage) -> None:
    stage.visit("A01")
    stage.now += 3 * DAY
    stage.visit("A03")
    assert let_in(stage, 9 * DAY) == {CLINIC, KIEFFER}
    assert let_in(stage, 10 * DAY) == set()
    stage.visit("A13")
    assert let_in(stage, 30 * DAY) == {CLINIC, KIEFFER}


def test_a_visit_lets_in_and_another_doctor_takes_over(stage: Stage) -> None:
    stage.visit("A04")
    assert KIEFFER in let_in(stage)
    stage.visit("A08", doctor="90000033^Thill^Marc^^^^^^&2.25.700&ISO")
    assert let_in(stage) == {CLINIC, professional("90000033")}


def test_a_pre_admission_lets_nobody_in(stage: Stage) -> None:
    stage.visit("A05")
    assert let_in(stage) == set()


def test_an_encounter_known_before_the_patient_is_counts_when_the_patient_is_known(stage: Stage) -> None:
    stage.visit("A01", patient="L-7")
    stage.feed((NATIONAL, "79"), (HOSPITAL, "L-7"))
    assert let_in(stage, id="79") == {CLINIC, KIEFFER}


def test_an_encounter_that_turns_out_to_be_another_patients_lets_nobody_in_any_more(stage: Stage) -> None:
    stage.visit("A01")
    stage.feed((NATIONAL, "79"), family="Klein", birth="19500101")
    one, other = Identifier(authority=NATIONAL, id="78"), Identifier(authority=HOSPITAL, id="L-1")
    origin = Origin(source="HIS|H", message_id="UNLINK", digest="u1", answer=b"AA", transaction="ITI-30")
    stage.index.unlink((one,), (other,), origin)
    assert let_in(stage) == set()
    origin = replace(origin, message_id="LINK", digest="u2")
    stage.index.link((Identifier(authority=NATIONAL, id="79"),), (other,), origin)
    assert let_in(stage, id="79") == {CLINIC, KIEFFER}


def test_who_was_let_in_stays_in_when_ids_are_merged(stage: Stage) -> None:
    stage.feed((NATIONAL, "79"))
    stage.visit("A01")
    stage.merge("78", "79")
    assert {CLINIC, KIEFFER} <= let_in(stage, id="79")


def test_a_message_that_is_refused_lets_nobody_in(stage: Stage) -> None:
    stage.visit("A01")
    with pytest.raises(Exception, match="admi"):
        stage.visit("A01")
    assert len(stage.facts().relationships) == 2


def test_a_local_number_names_no_doctor_of_the_domain() -> None:
    numbers = "4711^Thill~90000022^Kieffer^Nora^^^^^^&2.25.700&ISO~90000033^^^^^^^^&1.2.250&ISO"
    assert list(attending(numbers, "2.25.700")) == [KIEFFER]
    assert list(attending(numbers, "")) == []


def test_times_of_encounters_are_read_with_their_zone() -> None:
    found = moment("20261126130000+0100")
    assert found == NOW
    assert moment("20261126120000.123") == NOW
    assert moment("yesterday") is None
