"""A Document Registry takes entries of documents that are made when they are asked for [ITI-61] (ITI TF-2: 3.61)."""

from dataclasses import dataclass

import pytest

from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, link, membership, submission
from conformance.covering import Covering, Suite, covers
from conformance.expectations import everything, refused, related, returned, spelled, succeeded, the_objects
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.transactions import Actor
from xds.model import AssociationType, AvailabilityStatus, DocumentEntry, ObjectType

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="On-Demand Documents")
ON_DEMAND = ("$XDSDocumentEntryType", f"('{ObjectType.ON_DEMAND.value}')")
EITHER = ("$XDSDocumentEntryType", f"('{ObjectType.ON_DEMAND.value}','{ObjectType.STABLE.value}')")
NOTHING_YET = {"object_type": ObjectType.ON_DEMAND, "creation_time": None, "hash": None, "size": None}


@covers("ITI-61-025", "ITI-61-034", "ITI-18-036", "ITI-18-037", "ITI-18-038", "ITI-61-032")
def test_it_is_found_if_it_is_asked_for(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """On-Demand entries are returned where $XDSDocumentEntryType names them, and only there."""
    stable, promised = invent.entry(patient), invent.entry(patient, **NOTHING_YET)
    succeeded(documents.register(submission(invent.submission_set(patient), stable)))
    called = documents.promise(submission(invent.submission_set(patient), promised))
    succeeded(called)
    related(called)
    whose = ("$XDSDocumentEntryPatientId", spelled(patient))
    returned(documents.query("FindDocuments", whose), {stable.entry_uuid})
    returned(documents.query("FindDocuments", whose, ON_DEMAND), {promised.entry_uuid})
    returned(documents.query("FindDocuments", whose, EITHER), {stable.entry_uuid, promised.entry_uuid})


@covers("ITI-18-067")
def test_times_of_creation_do_not_tell(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A range of creationTime neither includes nor excludes an On-Demand entry."""
    promised = invent.entry(patient, **NOTHING_YET)
    succeeded(documents.promise(submission(invent.submission_set(patient), promised)))
    asked = ("$XDSDocumentEntryPatientId", spelled(patient)), ("$XDSDocumentEntryCreationTimeFrom", "20990101")
    returned(documents.query("FindDocuments", *asked, ON_DEMAND), {promised.entry_uuid})


@covers("ITI-18-130", "ITI-18-140")
def test_types_in_other_queries(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """GetSubmissionSetAndContents and GetFolderAndContents return On-Demand entries where they are asked for."""
    promised, folder, packing_slip = (
        invent.entry(patient, **NOTHING_YET),
        invent.folder(patient),
        invent.submission_set(patient),
    )
    inside, labelled = membership(packing_slip, folder, promised)
    succeeded(documents.promise(submission(packing_slip, promised, folder, inside, labelled)))
    for query, name, id in (
        ("GetSubmissionSetAndContents", "$XDSSubmissionSetEntryUUID", packing_slip.entry_uuid),
        ("GetFolderAndContents", "$XDSFolderEntryUUID", folder.entry_uuid),
    ):
        for asked, due in (((), False), ((ON_DEMAND,), True)):
            called = documents.query(query, (name, id), *asked, return_type="ObjectRef")
            succeeded(called)
            refs = {each.get("id") for each in called.body.iterfind("{*}RegistryObjectList/{*}ObjectRef")}
            assert (promised.entry_uuid in refs) is due, f"exchange {called.exchange.number}: {query}"


@covers("ITI-18-157")
def test_types_of_related_documents(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """GetRelatedDocuments returns an On-Demand entry where it is asked for."""
    promised, addendum = invent.entry(patient, **NOTHING_YET), invent.entry(patient)
    succeeded(documents.promise(submission(invent.submission_set(patient), promised)))
    appends = link(AssociationType.APND, addendum.entry_uuid, promised.entry_uuid)
    succeeded(documents.register(submission(invent.submission_set(patient), addendum, appends)))
    asked = ("$XDSDocumentEntryEntryUUID", addendum.entry_uuid)
    types = ("$AssociationTypes", f"('{AssociationType.APND.value}')")
    both = {promised.entry_uuid, addendum.entry_uuid, appends.entry_uuid}
    returned(documents.query("GetRelatedDocuments", asked, types, EITHER), both)
    returned(documents.query("GetRelatedDocuments", asked, types), ())


@covers("ITI-18-095")
def test_types_among_everything(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """GetAll returns On-Demand entries where they are asked for."""
    promised, stable = invent.entry(patient, **NOTHING_YET), invent.entry(patient)
    succeeded(documents.promise(submission(invent.submission_set(patient), promised)))
    succeeded(documents.register(submission(invent.submission_set(patient), stable)))
    approved = f"('{AvailabilityStatus.APPROVED.value}')"
    statuses = ((f"$XDS{kind}Status", approved) for kind in ("DocumentEntry", "SubmissionSet", "Folder"))
    asked = (("$patientId", spelled(patient)), *statuses)
    for more, due in (((), {stable.entry_uuid}), ((ON_DEMAND,), {promised.entry_uuid})):
        found = the_objects(documents.query("GetAll", *asked, *more))
        came = {each.entry_uuid for each in found if isinstance(each, DocumentEntry)}
        assert came == due, f"{came} where {due} is due"


@covers("ITI-61-022")
def test_two_promises_of_one_document(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """Two On-Demand entries may have one uniqueId."""
    first = invent.entry(patient, **NOTHING_YET)
    second = invent.entry(patient, **NOTHING_YET, unique_id=first.unique_id)
    for each in (first, second):
        succeeded(documents.promise(submission(invent.submission_set(patient), each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What cannot be known of a document that is not there yet."""

    attribute: str
    value: object
    assertion: int

    @property
    def sentence(self) -> str:
        """What it shows."""
        return f"An On-Demand entry with {self.attribute}."

    @property
    def covering(self) -> Covering:
        """The registry's assertion, and the sender's."""
        return Covering((f"ITI-61-{self.assertion:03}",), (f"ITI-61-{self.assertion - 21:03}",))


TOLD = (
    Told(attribute="creation_time", value="20260101", assertion=28),
    Told(attribute="hash", value="0" * 40, assertion=29),
    Told(attribute="size", value=7, assertion=30),
)


@covers("ITI-61-018", "ITI-61-019")
@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.attribute)
def test_it_tells_too_much(case: Told, documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    entry: DocumentEntry = invent.entry(patient, **{**NOTHING_YET, case.attribute: case.value})
    called = documents.promise(submission(invent.submission_set(patient), entry))
    refused(called, ErrorCode.REGISTRY_METADATA_ERROR)
    assert not everything(documents, patient), "the refused promise was kept"


@covers("ITI-61-020", breaking=("ITI-61-003",))
def test_a_stable_entry_is_no_promise(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A Stable entry."""
    called = documents.promise(submission(invent.submission_set(patient), invent.entry(patient)))
    refused(called, ErrorCode.REGISTRY_METADATA_ERROR)


@covers("ITI-42-063")
def test_a_snapshot_is_stable(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A snapshot that is itself On-Demand."""
    promised = invent.entry(patient, **NOTHING_YET)
    succeeded(documents.promise(submission(invent.submission_set(patient), promised)))
    again = invent.entry(patient, **NOTHING_YET)
    snapshot = link(AssociationType.IS_SNAPSHOT_OF, again.entry_uuid, promised.entry_uuid)
    called = documents.promise(submission(invent.submission_set(patient), again, snapshot))
    refused(called, ErrorCode.REGISTRY_METADATA_ERROR)
