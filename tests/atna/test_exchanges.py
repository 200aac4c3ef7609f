"""Records of one kind have a part in common that is written once; each says what it says all the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atna.compact import unpack
from atna.dicom import read
from atna.entries import entry, entry_of
from atna.exchanges import MOST_OBJECTS, Circumstances, Systems, failed, succeeded
from atna.model import AuditMessage, EventOutcomeIndicator, ParticipantObject
from atna.participants import system
from ihe.audit import SOURCE, EventActionCode, patient, report
from ihe.audited import Event
from ihe.datatypes import Code
from ihe.exchange import Principal
from tests.atna.test_atna_dicom import OBJECTS, XML_TEXTS, few, or_none
from tests.atna.test_atna_seam import DOCTOR
from tests.atna.trail import NODE, START
from xds.iti18 import ITI_18
from xds.iti43 import ITI_43

SYSTEMS = Systems(
    initiator=system("HIS|NORD", "10.0.0.9", is_requestor=True, alternative_user_id="CN=his"),
    responder=system("https://node/xds", "node.example"),
    source=NODE.source,
)
EVENTS = st.builds(
    Event,
    objects=few(OBJECTS),
    action=or_none(st.sampled_from(EventActionCode)),
    outcome=st.sampled_from(EventOutcomeIndicator),
    description=or_none(XML_TEXTS.filter(bool)),
)


def around(minutes: int = 0, who: Principal | None = None) -> Circumstances:
    return Circumstances(at=START + timedelta(minutes=minutes), systems=SYSTEMS, principal=who)


def said(minutes: int = 0, who: Principal | None = None, *objects: ParticipantObject) -> AuditMessage:
    [made] = succeeded(ITI_18.audit, [Event(objects=objects)], around(minutes, who))
    return read(unpack(made.message))


@settings(max_examples=100)
@given(event=EVENTS, minutes=st.integers(0, 10**6), who=st.sampled_from([None, DOCTOR]))
def test_a_record_says_all_of_its_event_and_is_found_by_what_it_says(
    event: Event, minutes: int, who: Principal | None
) -> None:
    [made] = succeeded(ITI_43.audit, [event], around(minutes, who))
    message = read(unpack(made.message))
    assert message.event.time == START + timedelta(minutes=minutes)
    assert (message.event.outcome, message.event.action) == (event.outcome, event.action or ITI_43.audit.action)
    assert (message.event.outcome_description, message.objects) == (event.description, event.objects)
    assert entry_of(unpack(made.message)) == entry(message) == made


def test_a_record_of_a_person_does_not_speak_of_another() -> None:
    other = replace(DOCTOR, name_id="other", subject_id="Somebody Else")
    people = [said(0, each).participants[1:-1] for each in (DOCTOR, other, DOCTOR, None)]
    assert [[one.alternative_user_id for one in each][:1] for each in people] == [
        ["John Doe"],
        ["Somebody Else"],
        ["John Doe"],
        [],
    ]


@pytest.mark.parametrize("kind", ["roles", "purpose_of_use"])
def test_codes_are_recorded_as_this_assertion_displays_them(kind: str) -> None:
    english, french = (replace(DOCTOR, **{kind: (Code("1", "2", text),)}) for text in ("Doctor", "Médecin"))
    assert english == french
    displayed = [
        (message.participants[1].roles if kind == "roles" else message.event.purpose_of_use)[0].display
        for message in (said(0, english), said(0, french))
    ]
    assert displayed == ["Doctor", "Médecin"]


def test_a_failure_after_a_success_says_why_and_the_next_success_does_not() -> None:
    event, minor = Event(objects=(patient(["1^^^&1.2.3&ISO"]),)), EventOutcomeIndicator.MINOR_FAILURE
    succeeded(ITI_18.audit, [event], around())
    [refused] = failed(ITI_18.audit, [event], around(), minor, "not yours")
    [again] = succeeded(ITI_18.audit, [event], around())
    assert (refused.outcome, read(unpack(refused.message)).event.outcome_description) == (minor, "not yours")
    assert (again.outcome, read(unpack(again.message)).event.outcome_description) == (0, None)


def test_who_answers_as_source_is_the_source() -> None:
    [made] = succeeded(ITI_43.audit, [Event()], around())
    [source] = [each for each in read(unpack(made.message)).participants if SOURCE in each.roles]
    assert source.user_id == "https://node/xds"


def test_of_many_objects_every_piece_names_the_patient() -> None:
    many = (patient(["1^^^&1.2.3&ISO"]), *(report(f"1.2.{each}") for each in range(2 * MOST_OBJECTS + 1)))
    made = succeeded(ITI_43.audit, [Event(objects=many)], around())
    pieces = [read(unpack(each.message)).objects for each in made]
    assert [each[0].id for each in pieces] == ["1^^^&1.2.3&ISO"] * 3
    assert [each.id for piece in pieces for each in piece[1:]] == [each.id for each in many[1:]]
    assert len({each.patient for each in made}) == 1
