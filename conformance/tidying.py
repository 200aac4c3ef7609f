"""After a run: what it made is taken away again, as far as protocol and claims allow (ITI-62, ITI-86)."""

from affinity.client.responses import object_refs
from conformance.counterparts.documents import DocumentActors
from conformance.expectations import spelled
from conformance.harness import Harness
from ihe.datatypes import CX
from ihe.transactions import Actor
from xds.model import AvailabilityStatus, ObjectType

STEP = "tidying"
STATUSES = "({})".format(",".join(f"'{each.value}'" for each in AvailabilityStatus))
TYPES = "({})".format(",".join(f"'{each.value}'" for each in ObjectType))
REMOVE_METADATA, REMOVE_DOCUMENTS = "Remove Metadata", "Remove Documents"


def tidy(harness: Harness) -> None:
    """Remove documents and metadata of the patients whom the run announced; patients themselves nobody can remove.

    What the system refuses stays: a run says nothing about it here, for the suites asked already.
    """
    harness.transcript.step = STEP
    if harness.system.claims(Actor.DOCUMENT_REPOSITORY, REMOVE_DOCUMENTS):
        _remove_documents(harness)
    if harness.system.claims(Actor.DOCUMENT_REGISTRY, REMOVE_METADATA):
        for patient in harness.announced:
            _remove_metadata(harness.documents, patient)
    harness.transcript.step = ""


def _remove_documents(harness: Harness) -> None:
    ids = harness.documents.provided
    if ids:
        repository = harness.inventor.repository
        harness.documents.remove_documents(*((repository, each) for each in ids))


def _remove_metadata(documents: DocumentActors, patient: CX) -> None:
    kinds = ("DocumentEntry", "SubmissionSet", "Folder")
    asked = (
        ("$patientId", spelled(patient)),
        *((f"$XDS{kind}Status", STATUSES) for kind in kinds),
        ("$XDSAssociationStatus", STATUSES),
        ("$XDSDocumentEntryType", TYPES),
        ("$MetadataLevel", "2"),
    )
    found = documents.query("GetAll", *asked, return_type="ObjectRef")
    ids = object_refs(found.body) if found.answer is not None else ()
    if ids:
        documents.remove_metadata(ids)
