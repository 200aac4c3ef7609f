"""A PIX Manager on HL7 v3: feeds, merges and the six cases of a query [ITI-44, ITI-45] (ITI TF-2: 3.44, 3.45.4.2.3)."""

from dataclasses import replace

import pytest

from conformance.counterparts.patients import PatientActors, Person
from conformance.counterparts.v3 import V3Actors
from conformance.covering import Suite, covers
from conformance.expectations import accepted
from conformance.expectations_v3 import committed, declined, found, names, nobody
from conformance.suites.pix_manager_v2 import NOWHERE, ids
from ihe.datatypes import CX, HD
from ihe.transactions import Actor
from pix.iti44 import ADDED, ITI_44, REVISED
from pix.v3_elements import attribute, children, words

SUITE = Suite(actor=Actor.PIX_MANAGER, profile="PIX", option="PIXv3")
PATIENT = "controlActProcess/subject/registrationEvent/subject1/patient"
ASKED = "/patientIdentifier/value"


@pytest.fixture
def two_domains(patients: PatientActors) -> tuple[HD, HD]:
    """Two identifier domains that the system knows."""
    declared = patients.system.patients
    if declared.second_domain is None:
        pytest.skip("patients.second_domain is not declared")
    return declared.domain, declared.second_domain


@pytest.fixture
def pair(patients: PatientActors, v3: V3Actors, two_domains: tuple[HD, HD]) -> tuple[Person, Person]:
    """One person whom two sources announced, each in its own domain."""
    here = patients.person(two_domains[0])
    there = patients.same_person(here, two_domains[1])
    for each in (here, there):
        committed(v3.feed(each))
    return here, there


@covers("ITI-44-005", "ITI-44-053", "ITI-44-063", "ITI-44-064", "ITI-45-061", "TF2-O-017", "TF2-O-018", "TF2-O-021",
        "TF2-O-022", "TF2-O-023", "TF2-O-024", "TF2-O-025", "TF2-O-028")  # fmt: skip
@pytest.mark.parametrize("interaction", [ADDED, REVISED])
def test_a_patient_is_taken(interaction: str, patients: PatientActors, v3: V3Actors) -> None:
    """A record that is added, and one that is revised before anybody added it, is committed and known afterwards."""
    person = patients.person()
    answered = v3.feed(person, interaction)
    committed(answered)
    named = attribute(answered.called.body, "acknowledgement/targetMessage/id", "root")
    assert named == attribute(answered.question, "id", "root"), f"exchange {answered.number}: targetMessage is {named}"
    nobody(v3.cross_references(person.id))


@covers("ITI-44-055", "ITI-45-004", "ITI-45-005", "ITI-45-006", "ITI-45-010", "ITI-45-037", "ITI-45-038", "ITI-45-041",
        "ITI-45-044", "ITI-45-045", "ITI-45-046", "ITI-45-047", "ITI-45-048", "ITI-45-049", "ITI-45-050", "ITI-45-051",
        "ITI-45-052", "ITI-45-053", "ITI-45-054", "ITI-45-055", "ITI-45-056", "ITI-45-057", "ITI-45-058", "ITI-45-059",
        "ITI-45-062", "ITI-45-067", "ITI-45-068", "ITI-45-069", "TF2-O-034", "TF2-O-036", "TF2-O-059")  # fmt: skip
def test_case_2_ids_of_all_domains(v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """The id of the patient in the other domain is returned, and not the one that was asked about."""
    here, there = pair
    answered = v3.cross_references(here.id)
    found(answered, [there.id.id])
    assert answered.name == "PRPA_IN201310UV02", f"exchange {answered.number}: {answered.name}"
    asked, told = (
        attribute(body, f"controlActProcess/{holder}/queryId", "root")
        for body, holder in ((answered.question, "queryByParameter"), (answered.called.body, "queryAck"))
    )
    assert asked == told, f"exchange {answered.number}: queryAck.queryId is {told} where {asked} was asked"


@covers("ITI-45-016", "ITI-45-017", "ITI-45-064", "ITI-45-065", "ITI-45-066")
def test_case_1_ids_of_a_requested_domain(v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """With a domain in DataSource the id of this domain is returned."""
    here, there = pair
    found(v3.cross_references(here.id, [there.id.authority]), [there.id.id])


@covers("ITI-45-017", "ITI-45-070", "ITI-45-071", "ITI-45-072", "ITI-45-073")
def test_ids_of_domains_that_nobody_requested(v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """Asked for the domain of the id itself, an id of the other domain is not returned: case 3."""
    here, _ = pair
    answered = v3.cross_references(here.id, [here.id.authority])
    nobody(answered)
    repeated = answered.called.body.find(".//{*}queryByParameter//{*}patientIdentifier/{*}value")
    assert repeated is not None, f"exchange {answered.number}: queryByParameter does not repeat the id"
    assert repeated.get("extension") == here.id.id, f"exchange {answered.number}: queryByParameter was changed"


@covers("ITI-45-074", "ITI-45-075", "ITI-45-076", "ITI-45-077", "ITI-45-078", "ITI-45-079")
def test_case_4_an_unknown_id(patients: PatientActors, v3: V3Actors) -> None:
    """An id that nobody announced is an error, whose XPath selects the id in the query."""
    stranger = patients.person().id
    answered = v3.cross_references(stranger)
    declined(answered, "204", ASKED, "AE")
    names(answered, "204", {"root": stranger.authority.universal_id, "extension": stranger.id})


@covers("ITI-45-074", "ITI-45-075", "ITI-45-078", "ITI-45-079")
def test_case_4_an_unknown_domain_of_the_patient(v3: V3Actors) -> None:
    """An id of a domain that nobody knows is the same error."""
    answered = v3.cross_references(CX("CTNOBODY", NOWHERE))
    declined(answered, "204", ASKED, "AE")
    names(answered, "204", {"root": NOWHERE.universal_id, "extension": "CTNOBODY"})


@covers("ITI-45-080", "ITI-45-081", "ITI-45-082", "ITI-45-083", "ITI-45-084", "ITI-45-085")
def test_case_5_unknown_domains_are_wanted(v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """Each domain in DataSource that nobody knows is an error whose XPath selects it, and no id is returned."""
    here, there = pair
    other = HD("", "2.999.405", "ISO")
    answered = v3.cross_references(here.id, [NOWHERE, there.id.authority, other])
    declined(answered, "204", "/dataSource/value", "AE")
    names(answered, "204", {"root": NOWHERE.universal_id}, {"root": other.universal_id})


@covers("ITI-45-086", "ITI-45-087")
def test_case_6_several_ids_of_a_domain(patients: PatientActors, v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """All ids that the patient has in a requested domain are returned."""
    here, there = pair
    second = patients.same_person(there, there.id.authority)
    committed(v3.feed(second))
    linked = v3.cross_references(here.id, [there.id.authority])
    if linked.ids == [there.id.id]:
        pytest.skip("the system does not link two records of one domain by itself")
    found(linked, [there.id.id, second.id.id])


@covers("ITI-45-048", "ITI-45-049")
def test_the_name_of_the_patient(v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """The answer has a name of the patient, and no other demographics."""
    here, _ = pair
    answered = v3.cross_references(here.id)
    told = " ".join(words(each) for each in children(answered.called.body, f"{PATIENT}/patientPerson/name"))
    assert here.family in told, f"exchange {answered.number}: the name is {told!r}"
    kinds = {str(each.tag).rpartition("}")[2] for each in children(answered.called.body, f"{PATIENT}/patientPerson/*")}
    assert kinds <= {"name", "asOtherIDs"}, f"exchange {answered.number}: demographics were returned: {kinds}"


@covers("ITI-44-056")
def test_what_v3_told_v2_finds(patients: PatientActors, v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """Ids that came by v3 are found by a v2 query, and ids that came by v2 by a v3 query."""
    here, there = pair
    answered = patients.cross_references(here.id, [there.id.authority])
    assert ids(answered) == [there.id.id], f"exchange {answered.exchange.number}: {ids(answered)}"
    one = patients.person(here.id.authority)
    other = patients.same_person(one, there.id.authority)
    for each in (one, other):
        accepted(patients.feed(Actor.PIX_MANAGER, "A04", each))
    found(v3.cross_references(one.id), [other.id.id])


@covers("ITI-44-005", "ITI-44-053")
def test_ids_of_other_organisations(patients: PatientActors, v3: V3Actors, two_domains: tuple[HD, HD]) -> None:
    """An id in OtherIDs is an id of the patient."""
    one, other = two_domains
    person = patients.person(one)
    second = patients.same_person(person, other).id
    committed(v3.send(ITI_44, v3.record(person, others=[second])))
    found(v3.cross_references(person.id), [second.id])


@covers("ITI-44-005")
def test_a_revision(patients: PatientActors, v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """A revised record is committed, and its links are those of what it says now."""
    here, there = pair
    committed(v3.feed(replace(here, city="Esch"), REVISED))
    found(v3.cross_references(here.id), [there.id.id])


@covers("ITI-44-075", "ITI-44-097", "ITI-44-098", "ITI-44-099")
def test_a_merge(patients: PatientActors, v3: V3Actors, pair: tuple[Person, Person]) -> None:
    """After a merge the other domain's id is linked with the survivor, and the subsumed id is unknown."""
    merged, there = pair
    survivor = patients.same_person(merged, merged.id.authority)
    committed(v3.feed(survivor))
    committed(v3.merge(survivor, merged.id))
    found(v3.cross_references(there.id, [survivor.id.authority]), [survivor.id.id])
    declined(v3.cross_references(merged.id), "204", ASKED, "AE")
