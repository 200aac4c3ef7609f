"""A Document Registry that is fed by HL7 v3: who is known, and merges [ITI-44] (ITI TF-2: 3.44.4.1.4, 3.44.4.2.4)."""

from dataclasses import replace

import pytest

from conformance import merges
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.counterparts.patients import PatientActors, Person
from conformance.counterparts.v3 import V3Actors
from conformance.covering import Covering, Suite, covers
from conformance.expectations import refused, succeeded
from conformance.expectations_v3 import committed, declined
from conformance.merge_faults import MergeFault
from conformance.merges import ELSEWHERE, Merging
from conformance.suites.pix_manager_v3_feed_refusals import WRONG
from conformance.wrong_v3 import Wrong
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.transactions import Actor
from pix.iti44 import ADDED, REVISED
from pix.iti44_registry import ITI_44_REGISTRY

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="Patient Identity Feed HL7v3")


@pytest.fixture
def scene(patients: PatientActors, v3: V3Actors, documents: DocumentActors, invent: Inventor) -> Merging:
    """A registry that is fed by ITI-44."""

    def announce(person: Person) -> None:
        committed(v3.feed(person, ADDED, ITI_44_REGISTRY))

    def merge(survivor: Person, subsumed: CX) -> bool:
        return v3.merge(survivor, subsumed, ITI_44_REGISTRY).found.code == "CA"

    return Merging(patients=patients, documents=documents, invent=invent, announce=announce, merge=merge)


@pytest.fixture
def person(patients: PatientActors) -> Person:
    """Somebody whom the registry does not know yet."""
    return patients.person(patients.system.patients.affinity_domain)


@covers("ITI-44-006", "ITI-44-066", "ITI-44-067", "ITI-44-072")
@pytest.mark.parametrize("interaction", [ADDED, REVISED])
def test_documents_of_a_new_patient(
    interaction: str, person: Person, v3: V3Actors, documents: DocumentActors, invent: Inventor
) -> None:
    """A patient whom a feed announced is known: documents are taken."""
    committed(v3.feed(person, interaction, ITI_44_REGISTRY))
    succeeded(documents.register(submission(invent.submission_set(person.id), invent.entry(person.id))))


@covers("ITI-44-068")
def test_ids_of_another_authority(person: Person, v3: V3Actors, documents: DocumentActors, invent: Inventor) -> None:
    """Beside an id of the affinity domain one of another authority is ignored: documents of it are refused."""
    stranger = replace(person, id=CX(person.id.id, ELSEWHERE)).id
    committed(v3.send(ITI_44_REGISTRY, v3.record(person, others=[stranger])))
    called = documents.register(submission(invent.submission_set(stranger), invent.entry(stranger)))
    refused(called, ErrorCode.UNKNOWN_PATIENT_ID, naming=stranger.id)


@covers("ITI-44-006")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, scene: Merging, v3: V3Actors, person: Person) -> None:
    body = v3.record(person)
    case.change(body)
    declined(v3.send(ITI_44_REGISTRY, body), case.code, case.at)
    scene.refuses_documents(person.id)


@covers("ITI-44-076", "ITI-44-104", "ITI-44-105", "ITI-44-106", "ITI-44-107", "ITI-44-116", "ITI-44-117")
def test_documents_follow_a_merge(scene: Merging) -> None:
    """After a merge sets, entries and folders are found for the survivor, and nothing for the subsumed id."""
    merges.documents_follow(scene)


@covers("ITI-44-115", "ITI-44-116", "ITI-44-117", "ITI-44-118")
def test_merges_form_a_chain(scene: Merging) -> None:
    """The survivor of one merge is subsumed by another: the last one has the documents of all."""
    merges.merges_form_a_chain(scene)


@covers("ITI-44-108")
def test_a_merge_is_final(scene: Merging) -> None:
    """A merge in the opposite direction does not bring the subsumed id back."""
    merges.merges_are_final(scene)


FAULTS = (
    MergeFault(id="subsumed-elsewhere", fault=merges.subsumed_elsewhere, covering=Covering(("ITI-44-109",))),
    MergeFault(id="survivor-elsewhere", fault=merges.survivor_elsewhere, covering=Covering(("ITI-44-110",))),
    MergeFault(id="with-itself", fault=merges.with_itself, covering=Covering(("ITI-44-111",))),
    MergeFault(id="subsumed-before", fault=merges.subsumed_before, covering=Covering(("ITI-44-112",))),
    MergeFault(id="survivor-subsumed", fault=merges.survivor_subsumed_before, covering=Covering(("ITI-44-113",))),
    MergeFault(id="subsumed-unknown", fault=merges.subsumed_unknown, covering=Covering(("ITI-44-114",))),
)


@covers("ITI-44-076")
@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.id)
def test_a_merge_at_fault_changes_nothing(case: MergeFault, scene: Merging) -> None:
    merges.changes_nothing(scene, case.fault)
