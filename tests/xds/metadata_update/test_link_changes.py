"""A local id with another XAD-PID: its documents follow by new versions (ITI TF-2: 3.64.4.1.3)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ihe.datatypes import CX
from ihe.identifiers import EntryUUID
from ihe.patients import LinkChange
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    MetadataObject,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)
from xds.query_parameters import Clause
from xds.stored_queries import FIND_DOCUMENTS, FIND_SUBMISSION_SETS

SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED = AvailabilityStatus.APPROVED
Follow = Callable[..., None]


@pytest.fixture
def follow(updater: Any, patient: CX, other_patient: CX, entry: DocumentEntry) -> Follow:
    """The id P-77 of the report goes from its patient to the other one; ``subsumed`` becomes P-77 as well.

    ``now`` is the id that P-77 has become since.
    """
    registry = updater.holdings.registry

    def move(subsumed: CX | None = None, new: CX = other_patient, now: CX | None = None) -> None:
        def work(connection: Any) -> None:
            previous, target = (registry.patients.resolve(connection, each) for each in (patient, new))
            local = entry.source_patient_id
            assert local is not None
            change = LinkChange(
                local=now or local,
                previous=previous,
                new=target,
                subsumed=subsumed,
                source_id="2.25.77",
                earlier=(local,) if now else (),
            )
            registry.follow(connection, change)

        registry.database.write(work)

    return move


def documents(updater: Any, patient: CX) -> list[DocumentEntry]:
    status = Clause((APPROVED.value,))
    found = updater.holdings.ask(
        FIND_DOCUMENTS, XDSDocumentEntryPatientId=Clause((str(patient),)), XDSDocumentEntryStatus=status
    )
    return [each for each in found if isinstance(each, DocumentEntry)]


def test_documents_of_the_local_id_are_the_new_patients(
    updater: Any, follow: Follow, patient: CX, other_patient: CX, entry: DocumentEntry
) -> None:
    follow()
    assert documents(updater, patient) == []
    (moved,) = documents(updater, other_patient)
    assert (moved.patient_id, moved.source_patient_id) == (other_patient, entry.source_patient_id)
    assert (moved.unique_id, moved.version) == (entry.unique_id, 2)
    first, second = updater.stored(ENTRY)
    assert (first.status, first.superseded, first.version) == (AvailabilityStatus.DEPRECATED, True, 1)
    assert (second.logical_id, second.version, second.status) == (first.logical_id, 2, APPROVED)


def test_documents_of_an_earlier_local_id_go_along_and_keep_it(
    updater: Any, follow: Follow, patient: CX, other_patient: CX, entry: DocumentEntry
) -> None:
    assert entry.source_patient_id is not None
    follow(now=replace(entry.source_patient_id, id="P-78"))
    assert documents(updater, patient) == []
    (moved,) = documents(updater, other_patient)
    assert moved.source_patient_id == entry.source_patient_id


def test_a_submission_set_tells_what_happened(updater: Any, follow: Follow, other_patient: CX) -> None:
    follow()
    status = Clause((APPROVED.value,))
    found = updater.holdings.ask(
        FIND_SUBMISSION_SETS, XDSSubmissionSetPatientId=Clause((str(other_patient),)), XDSSubmissionSetStatus=status
    )
    (told,) = (each for each in found if isinstance(each, SubmissionSet))
    assert (told.source_id, told.author, told.submission_time) == ("2.25.77", (), "20261123093000")
    new = {each.entry_uuid for kind in (ENTRY, FOLDER) for each in updater.stored(kind)[1:]}
    members = {e.target_object for e in updater.stored(ASSOCIATION) if e.source_object == told.entry_uuid}
    assert new < members


def test_a_folder_all_of_whose_documents_move_goes_with_them(updater: Any, follow: Follow) -> None:
    follow()
    first, second = updater.stored(FOLDER)
    assert (first.superseded, second.version, second.logical_id) == (True, 2, first.logical_id)
    assert second.patient_key == 2
    inside = [e.target_object for e in updater.stored(ASSOCIATION) if e.source_object == second.entry_uuid]
    assert inside == [updater.stored(ENTRY)[1].entry_uuid]


def test_a_folder_with_documents_of_others_stays(
    updater: Any, follow: Follow, another_report: Callable[..., Submission], patient: CX
) -> None:
    folder = updater.latest(FOLDER).entry_uuid
    into = Association(
        entry_uuid=EntryUUID("into"),
        association_type=AssociationType.HAS_MEMBER,
        source_object=folder,
        target_object=EntryUUID("Document2"),
    )
    told = replace(
        into, entry_uuid=EntryUUID("told"), source_object=EntryUUID("SubmissionSet01"), target_object=EntryUUID("into")
    )
    updater.holdings.register(another_report(2, into, told, source_patient_id=replace(patient, id="P-1")))
    follow()
    assert [each.superseded for each in updater.stored(FOLDER)] == [False]
    assert [each.patient_key for each in updater.stored(ENTRY)] == [1, 1, 2]


@pytest.mark.parametrize("both", [True, False])
def test_an_addendum_stays_linked_if_it_moves_too(
    updater: Any,
    follow: Follow,
    another_report: Callable[..., Submission],
    relate: Callable[..., Association],
    entry: DocumentEntry,
    patient: CX,
    both: bool,
) -> None:
    addendum = relate("Document2", AssociationType.APND, updater.latest(ENTRY).entry_uuid)
    source = entry.source_patient_id if both else replace(patient, id="P-1")
    updater.holdings.register(another_report(2, addendum, source_patient_id=source))
    follow()
    appended = [each for each in updater.stored(ASSOCIATION) if each.association_type is AssociationType.APND]
    assert len(appended) == (2 if both else 1)
    if both:
        by_uuid = {each.entry_uuid: each.version for each in updater.stored(ENTRY)}
        assert (by_uuid[appended[1].source_object], by_uuid[appended[1].target_object]) == (2, 2)


def test_documents_of_other_local_ids_and_deprecated_ones_stay(
    updater: Any, follow: Follow, another_report: Callable[..., Submission], patient: CX, entry: DocumentEntry
) -> None:
    updater.holdings.register(another_report(2, source_patient_id=replace(patient, id="P-1")))
    updater.update(updater.change(updater.stored(ENTRY)[0].entry_uuid))
    before = updater.holdings.rows()
    follow()
    assert updater.holdings.rows() == before


def test_a_subsumed_local_id_is_replaced_in_the_documents(
    updater: Any, follow: Follow, another_report: Callable[..., Submission], patient: CX, entry: DocumentEntry
) -> None:
    assert entry.source_patient_id is not None
    subsumed = replace(entry.source_patient_id, id="P-OLD")
    updater.holdings.register(another_report(2, source_patient_id=subsumed))
    follow(subsumed, new=patient)
    assert {each.source_patient_id for each in documents(updater, patient)} == {entry.source_patient_id}
    assert [each.version for each in updater.stored(ENTRY)] == [1, 1, 2], "the other document is as it should be"


def test_who_included_a_document_by_reference_includes_its_next_version(
    updater: Any,
    follow: Follow,
    another_report: Callable[..., Submission],
    relate: Callable[..., Association],
    patient: CX,
) -> None:
    original = updater.latest(ENTRY).entry_uuid
    included = relate("SubmissionSet01", AssociationType.HAS_MEMBER, original, SubmissionSetStatus.REFERENCE)
    updater.holdings.register(another_report(2, included, source_patient_id=replace(patient, id="P-1")))
    follow()
    referring = [e for e in updater.stored(ASSOCIATION) if e.target_object == original and e.status is not APPROVED]
    (old,) = referring
    new = [e for e in updater.stored(ASSOCIATION) if e.source_object == old.source_object and e.id > old.id]
    assert [e.target_object for e in new if e.target_object == updater.latest(ENTRY).entry_uuid]
