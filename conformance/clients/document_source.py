"""A Document Source, such as a LIS: submits, replaces, and lives with what a repository answers (ITI TF-2: 3.41)."""

from affinity.client.cda import read_header
from conformance.clients.judging import accepted, of, sent, sent_again
from conformance.clients.secured import EXPIRED, HTTPS_DOORS, STRANGER
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.submissions import digests, documents, replaced, set_id, submission, unique_ids
from conformance.clients.wires import SOAP, has_its_action
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from ihe.transactions import Actor

SUBMITTED = of("ITI-41")
ALWAYS = (
    *SOAP,
    *("ITI-41-001", "ITI-41-003", "ITI-41-005", "ITI-41-007", "ITI-41-008", "ITI-41-010", "ITI-41-011"),
    *("TF2-V-010", "TF3-4.1-022", "TF3-4.1-024"),
)
"""What is shown by a submission in which validators find nothing, in MTOM and with its action."""


def suite(delay: float) -> ClientSuite:
    """The suite; ``delay`` is for how many seconds the answer keeps away that the client must not wait for."""
    return ClientSuite(
        actor=Actor.DOCUMENT_SOURCE,
        name="document-source",
        doors=HTTPS_DOORS,
        paths=("/xds/repository",),
        steps=(*_submitting(), _late(delay), *_refused(), _unreadable(), EXPIRED, STRANGER),
    )


def is_mtom(each: Judged, _: World) -> str:
    """The request is MTOM/XOP (3.41.4.1.2)."""
    kind = each.seen.read.payload.header("Content-Type").lower()
    fits = kind.startswith("multipart/related") and "application/xop+xml" in kind
    return "" if fits else f"the request is no MTOM/XOP package: its Content-Type is {kind[:80]}"


def about_the_patient(each: Judged, world: World) -> str:
    """Every entry is about the patient who was announced."""
    described = submission(each)
    if described is None:
        return "the metadata of the submission cannot be read"
    others = {str(entry.patient_id) for entry in described.document_entries} - {str(world.patient)}
    return f"it is about {', '.join(sorted(others))} instead of {world.patient}" if others else ""


def brings_a_report(each: Judged, _: World) -> str:
    """One document is CDA, and its entry has the id that it says itself (ITI TF-3: 4.1.1)."""
    described, sent_documents = submission(each), documents(each)
    for entry in described.document_entries if described else ():
        header = read_header(sent_documents.get(entry.entry_uuid, b""))
        if header is not None:
            own = header.get("uniqueId")
            return "" if own == entry.unique_id else f"uniqueId {entry.unique_id} is not ClinicalDocument/id {own}"
    return "none of its documents is a CDA document"


def replaces(each: Judged, _: World) -> str:
    """A RPLC Association leads to an entry that is registered already."""
    targets, described = replaced(each), submission(each)
    own = {str(entry.entry_uuid) for entry in described.document_entries} if described else set()
    if not targets:
        return "it has no RPLC Association"
    return "the entry that is replaced is one of the same submission" if own & set(targets) else ""


def not_doubled(first: Judged, second: Judged) -> str:
    """The same document comes again under the id that it had."""
    if unique_ids(first) & unique_ids(second):
        return ""
    if digests(first) & digests(second):
        return "the same document came again under another uniqueId: it is in the repository twice now"
    return "what came after the answer kept away is another document"


def as_a_new_set(first: Judged, second: Judged) -> str:
    """What was refused does not come again as it was."""
    return "the submission that was refused came again unchanged" if set_id(first) == set_id(second) else ""


def same_document(first: Judged, second: Judged) -> str:
    """The document that failed comes again."""
    return "" if digests(first) & digests(second) else "what came next is another document"


def _submitting() -> tuple[Step, ...]:
    return (
        Step(
            name="submit-report",
            ask="Submit a laboratory report in CDA about patient {patient}.",
            judge=sent(SUBMITTED, is_mtom, has_its_action, about_the_patient, brings_a_report, accepted),
            covers=(*ALWAYS, "TF3-4.1-009"),
        ),
        Step(
            name="replace-report",
            ask="Replace the report that you have just submitted by a new version.",
            judge=sent(SUBMITTED, is_mtom, has_its_action, about_the_patient, replaces, accepted),
            covers=(*ALWAYS, "ITI-41-004", "ITI-41-014"),
        ),
    )


def _late(delay: float) -> Step:
    return Step(
        name="late-answer",
        ask=f"Submit another report. The answer keeps away for {delay:g} s: the client gives up waiting and sends the "
        "same document again. It must not become two.",
        judge=sent_again(SUBMITTED, not_doubled),
        faults=at_first(FaultKind.DELAY, "ITI-41", detail=f"{delay:g}"),
    )


def _refused() -> tuple[Step, ...]:
    told = "the client tells a person, and what it sends next is no repetition: correct the report and submit it."
    return (
        Step(
            name="metadata-error",
            ask=f"Submit another report. It is refused with XDSRegistryMetadataError: {told}",
            judge=sent_again(SUBMITTED, as_a_new_set, accepted),
            faults=at_first(FaultKind.REFUSE, "ITI-41", detail="XDSRegistryMetadataError"),
        ),
        Step(
            name="duplicate-unique-id",
            ask=f"Submit another report. It is refused with XDSDuplicateUniqueIdInRegistry: {told}",
            judge=sent_again(SUBMITTED, as_a_new_set, accepted),
            faults=at_first(FaultKind.REFUSE, "ITI-41", detail="XDSDuplicateUniqueIdInRegistry"),
        ),
        Step(
            name="soap-fault",
            ask="Submit another report. It meets a SOAP Fault of the receiver: submit the same report again.",
            judge=sent_again(SUBMITTED, same_document, accepted),
            faults=at_first(FaultKind.SOAP_FAULT, "ITI-41", detail="Receiver"),
        ),
    )


def _unreadable() -> Step:
    return Step(
        name="answer-not-well-formed",
        ask="Submit another report. The answer cannot be read, though the report was stored: the client takes it for "
        "no success, and sends the same document again.",
        judge=sent_again(SUBMITTED, not_doubled),
        faults=at_first(FaultKind.NOT_WELL_FORMED, "ITI-41"),
    )
