"""Submissions with one thing wrong: what a registry must refuse, written as a sentence and a function of a scene."""

from collections.abc import Callable
from dataclasses import dataclass

from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, link, submission
from conformance.counterparts.soap import Called
from conformance.covering import Covering
from conformance.expectations import everything, refused, related, succeeded
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID
from xds.model import Association, AssociationType, DocumentEntry, Folder, Submission, SubmissionSet

METADATA = ErrorCode.REGISTRY_METADATA_ERROR
KEPT_OUT = ("ITI-42-018", "ITI-42-019", "ITI-42-078")
"""A refusal has a code, and leaves nothing behind."""
CHECKED = "ITI-42-028"
"""Attributes and objects are validated against TF-3: 4.2 and 4.3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where a refusal is played: two patients, and what is registered of the first."""

    documents: DocumentActors
    invent: Inventor
    patient: CX
    other_patient: CX

    def entry(self, **changes: object) -> DocumentEntry:
        """A new entry of the patient."""
        return self.invent.entry(self.patient, **changes)

    def folder(self, **changes: object) -> Folder:
        """A new folder of the patient."""
        return self.invent.folder(self.patient, **changes)

    def packing_slip(self, **changes: object) -> SubmissionSet:
        """A new SubmissionSet of the patient."""
        return self.invent.submission_set(self.patient, **changes)

    def submit(self, *things: DocumentEntry | Folder | Association, **changes: object) -> Submission:
        """A submission of the patient; ``changes`` are of its SubmissionSet."""
        return submission(self.packing_slip(**changes), *things)

    def registered(self, *things: DocumentEntry | Folder, links: tuple[Association, ...] = ()) -> SubmissionSet:
        """Register good objects first; returns their set."""
        packing_slip = self.packing_slip(patient_id=things[0].patient_id)
        succeeded(self.documents.register(submission(packing_slip, *things, *links)))
        return packing_slip

    def known(self, **changes: object) -> DocumentEntry:
        """An entry that is registered."""
        entry = self.entry(**changes)
        self.registered(entry)
        return entry


Wrong = Callable[[Scene], Submission]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One change that makes a submission wrong, and the codes with which it may be refused."""

    id: str
    sentence: str
    wrong: Wrong
    codes: tuple[ErrorCode, ...]
    covering: Covering


def refusal(
    *covers: str, codes: tuple[ErrorCode, ...] = (METADATA,), breaking: tuple[str, ...] = ()
) -> Callable[[Wrong], Refusal]:
    """Make a Refusal of a function; the first line of its docstring is the sentence."""

    def declare(wrong: Wrong) -> Refusal:
        return Refusal(
            id=wrong.__name__,
            sentence=(wrong.__doc__ or wrong.__name__).splitlines()[0],
            wrong=wrong,
            codes=codes,
            covering=Covering(covers, breaking),
        )

    return declare


def wrong_entry(id: str, breaking: str, sentence: str, **changes: object) -> Refusal:
    """An entry with one wrong attribute."""
    return Refusal(
        id=id,
        sentence=sentence,
        wrong=lambda scene: scene.submit(scene.entry(**changes)),
        codes=(METADATA,),
        covering=Covering((CHECKED,), (breaking,)),
    )


def wrong_set(id: str, breaking: str, sentence: str, **changes: object) -> Refusal:
    """A SubmissionSet with one wrong attribute."""
    return Refusal(
        id=id,
        sentence=sentence,
        wrong=lambda scene: scene.submit(scene.entry(), **changes),
        codes=(METADATA,),
        covering=Covering((CHECKED,), (breaking,)),
    )


def related_to(kind: AssociationType, target: EntryUUID) -> Wrong:
    """A relationship of a new entry to ``target``."""

    def wrong(scene: Scene) -> Submission:
        entry = scene.entry()
        return scene.submit(entry, link(kind, entry.entry_uuid, target))

    return wrong


def refuses(scene: Scene, case: Refusal, send: Callable[[Submission], Called] | None = None) -> None:
    """The registry refuses it with one of its codes, and what is registered stays as it was.

    ``send`` is how it gets it: None: by ITI-42.
    """
    wrong = case.wrong(scene)
    before = everything(scene.documents, scene.patient)
    called = (send or scene.documents.register)(wrong)
    refused(called, *case.codes)
    related(called)
    assert everything(scene.documents, scene.patient) == before, "the refused submission changed what is registered"
