"""Patient ID Reconciliation: documents that were registered for the wrong patient (3.57.4.1.3.4)."""

from collections.abc import Callable
from typing import Any

import pytest

from ihe.datatypes import CX
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    MetadataObject,
    Submission,
    SubmissionSetStatus,
)
from xds.stored_queries import FIND_DOCUMENTS

SUBMISSION_SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
APND, HAS_MEMBER = AssociationType.APND, AssociationType.HAS_MEMBER
MISMATCH = "XDSPatientIDReconciliationError"
Reports = Callable[..., Submission]
Relate = Callable[..., Association]


def moved(updater: Any, entry: DocumentEntry, to: CX, number: int = 1, propagate: bool = False) -> tuple[Any, Any]:
    """A new version for another patient, and its link."""
    new = updater.version(entry, updater.stored(ENTRY)[number - 1], patient_id=to)
    return new, updater.link(new.entry_uuid, 1, association_propagation=None if propagate else False)


def found(updater: Any, patient: CX) -> list[str]:
    entries = updater.holdings.ask(
        FIND_DOCUMENTS, XDSDocumentEntryPatientId=(patient,), XDSDocumentEntryStatus=(APPROVED,)
    )
    return [each.unique_id for each in entries]


def test_a_document_moves_to_another_patient(
    updater: Any, another_report: Reports, patient: CX, other_patient: CX
) -> None:
    """3.57.4.1.3.4.1; here the document leaves its Folder, which is not updated."""
    entry = another_report(1).document_entries[0]
    updater.update(*moved(updater, entry, other_patient), patient=other_patient)
    assert (found(updater, patient), len(found(updater, other_patient))) == ([], 1)


def test_a_folder_cannot_keep_what_moves(updater: Any, entry: DocumentEntry, other_patient: CX) -> None:
    refused = updater.refused(*moved(updater, entry, other_patient, propagate=True), patient=other_patient)
    assert set(refused.values()) == {MISMATCH}


def test_a_document_moves_with_its_folder(
    updater: Any, submission: Submission, relate: Relate, other_patient: CX
) -> None:
    """Without propagation "an Administrator must calculate and submit all of the details": the membership, too."""
    folder = updater.version(submission.folders[0], updater.latest(FOLDER), patient_id=other_patient)
    entry, link = moved(updater, submission.document_entries[0], other_patient)
    membership = updater.submit(relate(folder.entry_uuid, HAS_MEMBER, entry.entry_uuid))
    folder_link = updater.link(folder.entry_uuid, 1, association_propagation=False)
    updater.update(folder, entry, link, folder_link, *membership, patient=other_patient)
    assert len(found(updater, other_patient)) == 1


def test_entry_and_set_have_the_same_patient(updater: Any, entry: DocumentEntry, other_patient: CX) -> None:
    new, link = moved(updater, entry, other_patient)
    assert updater.refused(new, link) == {f"DocumentEntry({new.entry_uuid}).patientId": MISMATCH}


def test_a_split_record_deprecates_the_association(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate, other_patient: CX
) -> None:
    """3.57.4.1.3.4.3: the addendum keeps its patient."""
    updater.holdings.register(another_report(2, relate("Document2", APND, updater.latest(ENTRY).entry_uuid)))
    (addendum,) = (each for each in updater.stored(ASSOCIATION) if each.association_type is APND)
    updater.update(*moved(updater, entry, other_patient), updater.change(addendum.entry_uuid), patient=other_patient)
    assert len(found(updater, other_patient)) == 1


def test_a_split_record_may_deprecate_the_addendum(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate, other_patient: CX
) -> None:
    updater.holdings.register(another_report(2, relate("Document2", APND, updater.latest(ENTRY).entry_uuid)))
    addendum = updater.latest(ENTRY).entry_uuid
    updater.update(*moved(updater, entry, other_patient), updater.change(addendum), patient=other_patient)
    assert len(found(updater, other_patient)) == 1


def test_a_propagated_relationship_links_no_two_patients(
    updater: Any, another_report: Reports, relate: Relate, other_patient: CX
) -> None:
    updater.holdings.register(another_report(2))
    updater.holdings.register(another_report(3, relate("Document3", APND, updater.latest(ENTRY).entry_uuid)))
    entry = another_report(2).document_entries[0]
    new, link = moved(updater, entry, other_patient, number=2, propagate=True)
    assert set(updater.refused(new, link, patient=other_patient).values()) == {MISMATCH}


def test_a_submitted_association_links_no_two_patients(
    updater: Any, another_report: Reports, relate: Relate, other_patient: CX
) -> None:
    updater.holdings.register(another_report(2, patient_id=other_patient))
    one, other = (each.entry_uuid for each in updater.stored(ENTRY))
    association = relate(other, APND, one)
    assert set(updater.refused(*updater.submit(association)).values()) == {MISMATCH}


def test_nothing_is_approved_again_for_a_set_of_another_patient(updater: Any, other_patient: CX) -> None:
    uuid = updater.latest(ENTRY).entry_uuid
    updater.update(updater.change(uuid))
    change = updater.change(uuid, DEPRECATED, APPROVED)
    assert set(updater.refused(change, patient=other_patient).values()) == {MISMATCH}


def test_an_association_is_not_approved_between_two_patients(
    updater: Any, entry: DocumentEntry, other_patient: CX, patient: CX
) -> None:
    """The membership of the version that moved is history; its entry cannot come back either."""
    folder = updater.latest(FOLDER).entry_uuid
    (membership,) = (each for each in updater.stored(ASSOCIATION) if each.source_object == folder)
    updater.update(updater.change(membership.entry_uuid))
    updater.update(*moved(updater, entry, other_patient), patient=other_patient)
    updater.update(updater.change(membership.entry_uuid, DEPRECATED, APPROVED))
    assert found(updater, patient) == []


@pytest.mark.parametrize("propagate", [True, False])
def test_merged_patients_are_one(
    propagate: bool, updater: Any, entry: DocumentEntry, patients: Any, patient: CX, other_patient: CX
) -> None:
    patients.merge(patient, other_patient)
    updater.update(*moved(updater, entry, other_patient, propagate=propagate), patient=other_patient)
    assert len(found(updater, other_patient)) == 1


def test_an_inclusion_by_reference_is_no_link_of_patients(
    updater: Any, another_report: Reports, other_patient: CX, relate: Relate
) -> None:
    by_reference = relate(
        "SubmissionSet01", HAS_MEMBER, updater.latest(ENTRY).entry_uuid, SubmissionSetStatus.REFERENCE
    )
    updater.holdings.register(another_report(2, by_reference, patient_id=other_patient))
    uuid = updater.stored(ENTRY)[0].entry_uuid
    updater.update(updater.change(uuid))
    updater.update(updater.change(uuid, DEPRECATED, APPROVED))
    assert updater.stored(ENTRY)[0].status is APPROVED
