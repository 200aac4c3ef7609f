"""A Document Registry that is fed by HL7 v2: who is known, and merges [ITI-8] (ITI TF-2: 3.8.4.1.4, 3.8.4.2.4)."""

import pytest

from conformance import merges
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.counterparts.patients import PatientActors, Person
from conformance.covering import Covering, Suite, covers
from conformance.expectations import accepted, refused, succeeded
from conformance.merge_faults import MergeFault
from conformance.merges import ELSEWHERE, Merging
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.transactions import Actor

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="Patient Identity Feed")
REGISTRY = Actor.DOCUMENT_REGISTRY


@pytest.fixture
def scene(patients: PatientActors, documents: DocumentActors, invent: Inventor) -> Merging:
    """A registry that is fed by ITI-8."""

    def announce(person: Person) -> None:
        accepted(patients.feed(REGISTRY, "A04", person))

    def merge(survivor: Person, subsumed: CX) -> bool:
        return patients.feed(REGISTRY, "A40", survivor, subsumed).acknowledgement.accepted

    return Merging(patients=patients, documents=documents, invent=invent, announce=announce, merge=merge)


@covers("ITI-8-010", "ITI-8-012", "ITI-8-053")
@pytest.mark.parametrize("event", ["A01", "A04", "A05"])
def test_documents_of_a_new_patient(
    event: str, patients: PatientActors, documents: DocumentActors, invent: Inventor
) -> None:
    """A patient whom a feed announced is known: documents are taken."""
    person = patients.person(patients.system.patients.affinity_domain)
    accepted(patients.feed(REGISTRY, event, person))
    succeeded(documents.register(submission(invent.submission_set(person.id), invent.entry(person.id))))


@covers("ITI-8-054")
def test_ids_of_another_authority(patients: PatientActors, documents: DocumentActors, invent: Inventor) -> None:
    """An id of another authority is not stored: documents of it are refused."""
    stranger = patients.person(ELSEWHERE)
    assert patients.feed(REGISTRY, "A04", stranger).acknowledgement
    called = documents.register(submission(invent.submission_set(stranger.id), invent.entry(stranger.id)))
    refused(called, ErrorCode.UNKNOWN_PATIENT_ID, naming=stranger.id.id)


@covers("ITI-8-061", "ITI-8-085", "ITI-8-087", "ITI-8-088", "ITI-8-089", "ITI-8-090", "ITI-8-100", "ITI-8-102",
        "ITI-8-103")  # fmt: skip
def test_documents_follow_a_merge(scene: Merging) -> None:
    """After A40 sets, entries and folders are found for the survivor, and nothing for the subsumed id."""
    merges.documents_follow(scene)


@covers("ITI-8-101", "ITI-8-102", "ITI-8-103", "ITI-8-104")
def test_merges_form_a_chain(scene: Merging) -> None:
    """The survivor of one merge is subsumed by another: the last one has the documents of all."""
    merges.merges_form_a_chain(scene)


@covers("ITI-8-092")
def test_a_merge_is_final(scene: Merging) -> None:
    """A merge in the opposite direction does not bring the subsumed id back."""
    merges.merges_are_final(scene)


FAULTS = (
    MergeFault(id="subsumed-elsewhere", fault=merges.subsumed_elsewhere, covering=Covering(("ITI-8-093",))),
    MergeFault(id="survivor-elsewhere", fault=merges.survivor_elsewhere, covering=Covering(("ITI-8-094",))),
    MergeFault(id="with-itself", fault=merges.with_itself, covering=Covering(("ITI-8-095",))),
    MergeFault(id="subsumed-before", fault=merges.subsumed_before, covering=Covering(("ITI-8-096",))),
    MergeFault(id="survivor-subsumed", fault=merges.survivor_subsumed_before, covering=Covering(("ITI-8-097",))),
    MergeFault(id="subsumed-unknown", fault=merges.subsumed_unknown, covering=Covering(("ITI-8-098",))),
    MergeFault(id="survivor-unknown", fault=merges.survivor_unknown, covering=Covering(("ITI-8-099",))),
)


@covers("ITI-8-061")
@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.id)
def test_a_merge_at_fault_changes_nothing(case: MergeFault, scene: Merging) -> None:
    merges.changes_nothing(scene, case.fault)
