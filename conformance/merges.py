"""What becomes of documents when patients are merged, told by HL7 v2 and v3 alike (ITI TF-2: 3.8.4.2.4, 3.44.4.2.4)."""

from collections.abc import Callable
from dataclasses import dataclass

from affinity.client.responses import verdict
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, ids, submission
from conformance.counterparts.patients import PatientActors, Person
from conformance.counterparts.soap import Called
from conformance.expectations import everything, refused, returned, spelled, succeeded
from ihe.datatypes import CX, HD
from ihe.errors import ErrorCode
from xds.model import RegistryObject

ELSEWHERE = HD("", "2.999.404", "ISO")
"""The authority of no affinity domain."""

FINDING = (
    ("FindDocuments", "$XDSDocumentEntryPatientId"),
    ("FindSubmissionSets", "$XDSSubmissionSetPatientId"),
    ("FindFolders", "$XDSFolderPatientId"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """Where merges are played. ``announce`` feeds a patient; ``merge`` merges an id into a patient, taken or not."""

    patients: PatientActors
    documents: DocumentActors
    invent: Inventor
    announce: Callable[[Person], None]
    merge: Callable[[Person, CX], bool]

    def patient(self) -> Person:
        """Somebody whom the registry knows."""
        person = self.patients.person(self.patients.system.patients.affinity_domain)
        self.announce(person)
        return person

    def stored(self, person: Person) -> set[str]:
        """Register an entry in a folder of this patient; the ids of set, entry and folder."""
        packing_slip = self.invent.submission_set(person.id)
        things: list[RegistryObject] = [self.invent.entry(person.id), self.invent.folder(person.id)]
        succeeded(self.documents.register(submission(packing_slip, *things)))
        return ids([packing_slip, *things])

    def merged(self, survivor: Person, subsumed: CX) -> None:
        """A merge that is taken."""
        assert self.merge(survivor, subsumed), f"the merge of {subsumed.id} into {survivor.id.id} was not taken"

    def holds(self, patient: CX, due: set[str]) -> None:
        """The registry has just these objects of a patient, and their associations."""
        came = {each for each, _ in everything(self.documents, patient)}
        assert due <= came, f"of {patient.id} the registry does not find {sorted(due - came)}"

    def refuses_documents(self, patient: CX) -> None:
        """A submission about this id is refused, and a query for it yields nothing: it may be refused as well."""
        called = self.documents.register(submission(self.invent.submission_set(patient), self.invent.entry(patient)))
        refused(called, ErrorCode.UNKNOWN_PATIENT_ID, naming=patient.id)
        for query, parameter in FINDING:
            yields_nothing(self.documents.query(query, (parameter, spelled(patient))))


def yields_nothing(called: Called) -> None:
    """A query found nothing, or the registry does not know its patient (ITI TF-2: 3.18.4.1.3)."""
    if verdict(called.body).succeeded:
        returned(called, ())
    else:
        refused(called, ErrorCode.UNKNOWN_PATIENT_ID)


def documents_follow(scene: Merging) -> None:
    """Sets, entries and folders of the subsumed id are found for the survivor, and none for the subsumed id."""
    survivor, subsumed = scene.patient(), scene.patient()
    kept, moved = scene.stored(survivor), scene.stored(subsumed)
    scene.merged(survivor, subsumed.id)
    scene.holds(survivor.id, kept | moved)
    scene.refuses_documents(subsumed.id)


def merges_form_a_chain(scene: Merging) -> None:
    """The survivor of one merge is subsumed by another: the last one has the documents of all."""
    first, second, third = (scene.patient() for _ in range(3))
    stored = [scene.stored(each) for each in (first, second, third)]
    scene.merged(second, first.id)
    scene.merged(third, second.id)
    scene.holds(third.id, set().union(*stored))
    for each in (first, second):
        scene.refuses_documents(each.id)


def merges_are_final(scene: Merging) -> None:
    """A merge in the opposite direction does not bring the subsumed id back."""
    survivor, subsumed = scene.patient(), scene.patient()
    moved = scene.stored(subsumed)
    scene.merged(survivor, subsumed.id)
    scene.merge(subsumed, survivor.id)
    scene.holds(survivor.id, moved)
    scene.refuses_documents(subsumed.id)


Fault = Callable[[Merging, Person], None]
"""A merge that is at fault, about a patient who keeps the documents."""


def subsumed_elsewhere(scene: Merging, person: Person) -> None:
    """The subsumed id is of another authority."""
    scene.merge(person, CX("CT1", ELSEWHERE))


def survivor_elsewhere(scene: Merging, person: Person) -> None:
    """The surviving id is of another authority."""
    scene.merge(scene.patients.same_person(person, ELSEWHERE), person.id)


def with_itself(scene: Merging, person: Person) -> None:
    """An id is merged with itself."""
    scene.merge(person, person.id)


def subsumed_before(scene: Merging, person: Person) -> None:
    """The subsumed id was subsumed by an earlier merge."""
    gone = scene.patient()
    scene.merged(person, gone.id)
    scene.merge(scene.patient(), gone.id)


def survivor_subsumed_before(scene: Merging, person: Person) -> None:
    """The surviving id was subsumed by an earlier merge."""
    gone = scene.patient()
    scene.merged(scene.patient(), gone.id)
    scene.merge(gone, person.id)


def subsumed_unknown(scene: Merging, person: Person) -> None:
    """The subsumed id is one that the registry does not know."""
    scene.merge(person, scene.patients.person(person.id.authority).id)


def survivor_unknown(scene: Merging, person: Person) -> None:
    """The surviving id is one that the registry does not know."""
    scene.merge(scene.patients.person(person.id.authority), person.id)


def changes_nothing(scene: Merging, fault: Fault) -> None:
    """After a merge at fault the documents are where they were, and new ones of the patient are taken."""
    person = scene.patient()
    kept = scene.stored(person)
    fault(scene, person)
    scene.holds(person.id, kept)
    scene.stored(person)
