"""A PIX Manager on HL7 v2: feeds, merges and the six cases of a query [ITI-8, ITI-9] (ITI TF-2: 3.8, 3.9.4.2.2.6)."""

import pytest

from conformance.counterparts.patients import Answered, PatientActors, Person
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined, not_found
from ihe.datatypes import CX, HD
from ihe.transactions import Actor

SUITE = Suite(actor=Actor.PIX_MANAGER, profile="PIX", option="PIXv2")
NOWHERE = HD("", "2.999.404", "ISO")


@pytest.fixture
def two_domains(patients: PatientActors) -> tuple[HD, HD]:
    """Two identifier domains that the system knows."""
    declared = patients.system.patients
    if declared.second_domain is None:
        pytest.skip("patients.second_domain is not declared")
    return declared.domain, declared.second_domain


@pytest.fixture
def pair(patients: PatientActors, two_domains: tuple[HD, HD]) -> tuple[Person, Person]:
    """One person whom two sources announced, each in its own domain."""
    one, other = two_domains
    here = patients.person(one)
    there = patients.same_person(here, other)
    for each in (here, there):
        accepted(patients.feed(Actor.PIX_MANAGER, "A04", each))
    return here, there


def ids(answered: Answered) -> list[str]:
    """The ids that were returned, in their order."""
    return [each.id for patient in answered.found.patients for each in patient.identifiers]


@covers("ITI-8-009", "ITI-8-011", "ITI-8-040", "ITI-8-046")
@pytest.mark.parametrize("event", ["A01", "A04", "A05"])
def test_a_new_patient(event: str, patients: PatientActors) -> None:
    """A new patient is acknowledged, and known to the next query."""
    person = patients.person()
    accepted(patients.feed(Actor.PIX_MANAGER, event, person))
    answered = patients.cross_references(person.id)
    assert answered.acknowledgement.code == "AA", f"exchange {answered.exchange.number}: the patient is not known"


@covers("ITI-9-002", "ITI-9-016", "ITI-9-018", "ITI-9-031", "ITI-9-037", "ITI-9-038", "ITI-9-040", "ITI-9-042",
        "ITI-9-044", "ITI-9-045", "ITI-9-051", "ITI-9-052", "ITI-9-053", "ITI-9-055")  # fmt: skip
def test_case_1_ids_found(patients: PatientActors, pair: tuple[Person, Person]) -> None:
    """The id of the patient in the other domain is returned, and not the one that was asked about."""
    here, there = pair
    answered = patients.cross_references(here.id)
    found, number = answered.found, answered.exchange.number
    assert (found.code, found.outcome) == ("AA", "OK"), f"exchange {number}: {found.code} {found.outcome}"
    assert ids(answered) == [there.id.id], f"exchange {number}: {ids(answered)} where {there.id.id} is due"
    message = answered.message
    assert message["MSH"].text(9) == "RSP" and message["MSH"].text(9, 2) == "K23", f"exchange {number}: MSH-9"
    assert message["MSA"].text(2) == _asked(answered, "MSH", 10), f"exchange {number}: MSA-2 names another query"
    assert message["QAK"].text(1) == message["QPD"].text(2), f"exchange {number}: QAK-1 is not the query tag"
    assert message["QPD"].raw(3) == _asked(answered, "QPD", 3, raw=True), f"exchange {number}: QPD was changed"


@covers("ITI-9-043", "ITI-9-046", "ITI-9-047", "ITI-9-048", "ITI-9-049")
def test_no_demographics_leak(patients: PatientActors, pair: tuple[Person, Person]) -> None:
    """PID has no field but PID-3 and PID-5, and PID-5 has no name."""
    answered = patients.cross_references(pair[0].id)
    pid, number = answered.message.find("PID"), answered.exchange.number
    assert pid is not None, f"exchange {number}: no PID"
    filled = [field for field in range(1, 40) if pid.raw(field)]
    assert filled == [3, 5], f"exchange {number}: PID has {filled}"
    assert pid.raw(5) == "~^^^^^^S", f"exchange {number}: PID-5 is {pid.raw(5)}"
    authority = [pid.repetitions(3)[0].text(4, part) for part in (1, 2, 3)]
    assert all(authority), f"exchange {number}: PID-3.4 is not complete: {authority}"


@covers("ITI-9-017", "ITI-9-056", "ITI-9-057", "ITI-9-058")
def test_case_2_nothing_in_the_requested_domain(patients: PatientActors, two_domains: tuple[HD, HD]) -> None:
    """A patient without an id in the requested domain is not found, which is no error."""
    person = patients.person()
    accepted(patients.feed(Actor.PIX_MANAGER, "A04", person))
    not_found(patients.cross_references(person.id, [two_domains[1]]))


@covers("ITI-9-059", "ITI-9-060", "ITI-9-061", "ITI-9-062", "ITI-9-063")
def test_case_3_an_unknown_id(patients: PatientActors) -> None:
    """An id that nobody announced is an error at QPD^1^3^1^1."""
    answered = patients.cross_references(CX("CTNOBODY", patients.system.patients.domain))
    declined(answered, "204", location="QPD^1^3^1^1")
    assert answered.found.outcome == "AE", f"exchange {answered.exchange.number}: QAK-2 {answered.found.outcome}"


@covers("ITI-9-064", "ITI-9-065", "ITI-9-066", "ITI-9-067")
def test_case_4_an_unknown_domain_of_the_patient(patients: PatientActors) -> None:
    """A domain that nobody knows in QPD-3 is an error at QPD^1^3^1^4."""
    declined(patients.cross_references(CX("CTNOBODY", NOWHERE)), "204", location="QPD^1^3^1^4")


@covers("ITI-9-068", "ITI-9-069", "ITI-9-070", "ITI-9-071", "ITI-9-072", "ITI-9-073", "ITI-9-074", "ITI-9-075")
def test_case_5_an_unknown_domain_is_wanted(patients: PatientActors, pair: tuple[Person, Person]) -> None:
    """A domain that nobody knows in QPD-4 is an error at its repetition, and no id is returned."""
    here, there = pair
    answered = patients.cross_references(here.id, [there.id.authority, NOWHERE])
    declined(answered, "204", location="QPD^1^4^2")
    assert not answered.found.patients, f"exchange {answered.exchange.number}: ids were returned"


@covers("ITI-9-027", "ITI-9-028", "ITI-9-029")
@pytest.mark.parametrize("spelling", ["namespace", "universal", "both"])
def test_spellings_of_a_domain(spelling: str, patients: PatientActors, pair: tuple[Person, Person]) -> None:
    """A domain is recognised by its namespace id, by its OID, and by both."""
    here, there = pair
    authority = here.id.authority
    spelled = {
        "namespace": HD(authority.namespace_id),
        "universal": HD("", authority.universal_id, "ISO"),
        "both": authority,
    }[spelling]
    if spelling != "universal" and not authority.namespace_id:
        pytest.skip("patients.domain has no namespace id")
    answered = patients.cross_references(CX(here.id.id, spelled))
    assert ids(answered) == [there.id.id], f"exchange {answered.exchange.number}: {ids(answered)}"


@covers("ITI-8-060", "ITI-8-080", "ITI-8-081", "ITI-8-082")
def test_a_merge(patients: PatientActors, pair: tuple[Person, Person]) -> None:
    """After A40 the other domain's id is linked with the survivor, and the merged id is unknown."""
    merged, there = pair
    survivor = patients.same_person(merged, merged.id.authority)
    accepted(patients.feed(Actor.PIX_MANAGER, "A04", survivor))
    accepted(patients.feed(Actor.PIX_MANAGER, "A40", survivor, merged.id))
    answered = patients.cross_references(there.id, [survivor.id.authority])
    assert ids(answered) == [survivor.id.id], f"exchange {answered.exchange.number}: {ids(answered)}"
    declined(patients.cross_references(merged.id), "204")


@covers("ITI-8-192")
def test_a_merge_between_domains(patients: PatientActors, pair: tuple[Person, Person]) -> None:
    """A merge of ids of two domains is refused and changes nothing."""
    here, there = pair
    told = patients.feed(Actor.PIX_MANAGER, "A40", here, there.id)
    assert not told.acknowledgement.accepted, f"exchange {told.exchange.number}: the merge was taken"
    answered = patients.cross_references(here.id)
    assert ids(answered) == [there.id.id], f"exchange {answered.exchange.number}: {ids(answered)}"


def _asked(answered: Answered, name: str, field: int, *, raw: bool = False) -> str:
    """A field of the request."""
    segment = answered.question[name]
    return segment.raw(field) if raw else segment.text(field)
