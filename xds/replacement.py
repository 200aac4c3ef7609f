"""What a replacement does to the registry (ITI TF-3: 4.2.2.2.3; ITI TF-2: 3.42.4.1.3.5)."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.identifiers import EntryUUID
from xds import store
from xds.acceptance import membership
from xds.model import Association, AssociationType, AvailabilityStatus, Submission
from xds.patients import Patient
from xds.store import Registered

REPLACING = (AssociationType.RPLC, AssociationType.XFRM_RPLC)


def replacements(submission: Submission) -> tuple[Association, ...]:
    """The associations by which an accepted submission replaces registered entries."""
    return tuple(each for each in submission.associations if each.association_type in REPLACING)


def deprecate_replaced(connection: Connection, submission: Submission) -> None:
    """Deprecate what is replaced, with its addenda and transformations; Rejected if somebody else was first."""
    originals = store.find(connection, (each.target_object for each in replacements(submission)))
    for original in originals.values():
        if not store.deprecate(connection, original):
            raise Rejected(_no_longer_approved(original))
    for derived in store.derived_from(connection, originals.keys()).values():
        if derived.status is AvailabilityStatus.APPROVED:
            store.deprecate(connection, derived)


def folder_memberships(
    connection: Connection, submission: Submission, patient: Patient, new_uuid: Callable[[], EntryUUID]
) -> tuple[Association, ...]:
    """Put each replacement into the approved Folders of its original: new FD-DE and SS-HM HasMember associations."""
    present = {(each.source_object, each.target_object) for each in submission.associations}
    wanted = {
        (folder.entry_uuid, each.source_object): None  # in this order, and once where one entry replaces several
        for each in replacements(submission)
        for folder in _folders(connection, each, patient)
    }
    return tuple(
        association
        for folder, entry in wanted
        if (folder, entry) not in present
        for association in _memberships(submission, folder, entry, new_uuid)
    )


def _folders(connection: Connection, replacement: Association, patient: Patient) -> tuple[Registered, ...]:
    folders = store.folders_with(connection, replacement.target_object)
    foreign = [each for each in folders if each.patient_key not in patient.keys]
    if foreign:
        raise Rejected(*(_other_patient(each) for each in foreign))
    return folders


def _memberships(
    submission: Submission, folder: EntryUUID, entry: EntryUUID, new_uuid: Callable[[], EntryUUID]
) -> Iterator[Association]:
    in_folder = membership(new_uuid, folder, entry)
    yield in_folder
    yield membership(new_uuid, submission.submission_set.entry_uuid, in_folder.entry_uuid)


def _no_longer_approved(original: Registered) -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_DEPRECATED_DOCUMENT,
        text="Only an approved DocumentEntry is replaceable; another submission replaced this one first",
        location=original.entry_uuid,
        citation=tf2("3.42.4.1.3.5"),
        remedy="query the registry for the present version",
    )


def _other_patient(folder: Registered) -> Breach:
    return Breach(
        code=ErrorCode.PATIENT_ID_DOES_NOT_MATCH,
        text="The replacement has the patient of the Folders that hold the replaced DocumentEntry",
        location=folder.entry_uuid,
        citation=tf2("3.42.4.1.3.5"),
    )
