"""Update DocumentEntry and Folder Metadata: versions, and what remains of the previous ones."""

from collections.abc import Callable
from typing import Any

import pytest

from ihe.datatypes import CX, HD, Code
from ihe.identifiers import EntryUUID, UniqueId
from xds.model import (
    AssociationType,
    AvailabilityStatus,
    DocumentAvailability,
    DocumentEntry,
    LocalizedString,
    MetadataObject,
    ObjectType,
    Submission,
)

SUBMISSION_SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
UNKNOWN = EntryUUID("urn:uuid:11111111-2222-4333-8444-999999999999")
Reports = Callable[..., Submission]
Merge = Callable[[CX, CX], None]


def test_a_new_version_deprecates_and_supersedes_the_previous_one(updater: Any, entry: DocumentEntry) -> None:
    (first,) = updater.stored(ENTRY)
    new = updater.version(entry, first, title=(LocalizedString("Better"),))
    updater.update(new, updater.link(new.entry_uuid, 1))
    old, latest = updater.stored(ENTRY)
    assert (old.status, old.superseded, old.version) == (DEPRECATED, True, 1)
    assert (latest.status, latest.superseded, latest.version) == (APPROVED, False, 2)
    assert latest.logical_id == old.logical_id == old.entry_uuid != latest.entry_uuid


def test_versions_are_numbered_on(updater: Any, entry: DocumentEntry) -> None:
    for previous in (1, 2, 3):
        new = updater.version(entry, updater.latest(ENTRY))
        updater.update(new, updater.link(new.entry_uuid, previous))
    assert [each.version for each in updater.stored(ENTRY)] == [1, 2, 3, 4]
    assert [each.status for each in updater.stored(ENTRY)] == [DEPRECATED] * 3 + [APPROVED]
    assert [each.superseded for each in updater.stored(ENTRY)] == [True] * 3 + [False]


def test_a_folder_gets_a_new_version(updater: Any, submission: Submission) -> None:
    new = updater.version(submission.folders[0], updater.latest(FOLDER), title=(LocalizedString("Diabetes care"),))
    updater.update(new, updater.link(new.entry_uuid, 1))
    assert [(each.version, each.status) for each in updater.stored(FOLDER)] == [(1, DEPRECATED), (2, APPROVED)]


def test_a_new_version_may_have_a_uuid(updater: Any, entry: DocumentEntry) -> None:
    new = updater.version(entry, updater.latest(ENTRY), entry_uuid=UNKNOWN)
    updater.update(new, updater.link(UNKNOWN, 1))
    assert updater.latest(ENTRY).entry_uuid == UNKNOWN


def test_a_deprecated_entry_is_updated_and_stays_deprecated(updater: Any, entry: DocumentEntry) -> None:
    updater.update(updater.change(updater.latest(ENTRY).entry_uuid))
    new = updater.version(entry, updater.latest(ENTRY))
    updater.update(new, updater.link(new.entry_uuid, 1))
    assert [each.status for each in updater.stored(ENTRY)] == [DEPRECATED, DEPRECATED]
    assert [each.superseded for each in updater.stored(ENTRY)] == [True, False]


def test_a_deprecated_folder_is_not_updated(updater: Any, submission: Submission) -> None:
    updater.update(updater.change(updater.latest(FOLDER).entry_uuid))
    new = updater.version(submission.folders[0], updater.latest(FOLDER))
    assert updater.refused(new, updater.link(new.entry_uuid, 1)) == {
        f"Folder({new.entry_uuid})": "XDSMetadataUpdateError"
    }


def test_entries_and_folders_are_updated_together(updater: Any, submission: Submission) -> None:
    entry = updater.version(submission.document_entries[0], updater.latest(ENTRY))
    folder = updater.version(submission.folders[0], updater.latest(FOLDER))
    updater.update(entry, folder, updater.link(entry.entry_uuid, 1), updater.link(folder.entry_uuid, 1))
    assert [updater.latest(kind).version for kind in (ENTRY, FOLDER)] == [2, 2]


def test_a_replaced_document_has_versions_too(
    updater: Any, holdings: Any, another_report: Reports, relate: Any
) -> None:
    """The replaced entry is deprecated but the latest version of itself."""
    original = updater.latest(ENTRY)

    holdings.register(another_report(2, relate("Document2", AssociationType.RPLC, original.entry_uuid)))
    new = updater.version(another_report(1).document_entries[0], original)
    updater.update(new, updater.link(new.entry_uuid, 1))
    assert (updater.latest(ENTRY).status, updater.latest(ENTRY).version) == (DEPRECATED, 2)


def test_the_document_may_be_marked_offline(updater: Any, entry: DocumentEntry) -> None:
    new = updater.version(entry, updater.latest(ENTRY), document_availability=DocumentAvailability.OFFLINE)
    updater.update(new, updater.link(new.entry_uuid, 1))
    assert "OFFLINE" in str(updater.holdings.rows()["document_entry"])


CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no logicalID": ({"logical_id": None}, ".logicalID", "XDSInvalidRequestException"),
    "a symbolic logicalID": ({"logical_id": EntryUUID("Doc")}, ".logicalID", "XDSMetadataUpdateOperationError"),
    "an unknown logicalID": ({"logical_id": UNKNOWN}, ".logicalID", "UnresolvedReferenceException"),
    "another uniqueId": ({"unique_id": UniqueId("2.25.400.77")}, ".uniqueId", "XDSMetadataIdentifierError"),
    "another hash": ({"hash": "0" * 40}, ".hash", "XDSNonIdenticalHash"),
    "another size": ({"size": 4712}, ".size", "XDSNonIdenticalSize"),
    "a missing attribute": ({"class_code": None}, ".classCode", "XDSMetadataUpdateError"),
    "a bad value": ({"creation_time": "yesterday"}, ".creationTime", "XDSMetadataUpdateError"),
    "a foreign code": ({"class_code": Code("X", "2.25.200.1", "X")}, ".classCode", "XDSMetadataUpdateError"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_makes_the_new_version_wrong(name: str, updater: Any, entry: DocumentEntry) -> None:
    changes, attribute, code = CHANGES[name]
    new = updater.version(entry, updater.latest(ENTRY), **changes)
    assert updater.refused(new, updater.link(new.entry_uuid, 1)) == {
        f"DocumentEntry({new.entry_uuid}){attribute}": code
    }


def test_the_object_type_stays(updater: Any, entry: DocumentEntry) -> None:
    gone: dict[str, Any] = {"hash": None, "size": None, "creation_time": None}
    new = updater.version(entry, updater.latest(ENTRY), object_type=ObjectType.ON_DEMAND, **gone)
    found = updater.refused(new, updater.link(new.entry_uuid, 1))
    assert found[f"DocumentEntry({new.entry_uuid}).objectType"] == "XDSMetadataIdentifierError"


def test_an_entry_is_no_version_of_a_folder(updater: Any, entry: DocumentEntry) -> None:
    new = updater.version(entry, updater.latest(ENTRY), logical_id=updater.latest(FOLDER).logical_id)
    found = updater.refused(new, updater.link(new.entry_uuid, 1))
    assert found == {f"DocumentEntry({new.entry_uuid}).logicalID": "XDSMetadataIdentifierError"}


def test_a_first_version_that_names_itself_is_refused(updater: Any, entry: DocumentEntry) -> None:
    new = updater.version(entry, updater.latest(ENTRY), entry_uuid=UNKNOWN, logical_id=UNKNOWN)
    found = updater.refused(new, updater.link(UNKNOWN, 1))
    assert found == {f"DocumentEntry({UNKNOWN}).logicalID": "XDSInvalidRequestException"}


@pytest.mark.parametrize("previous", [2, 7])
def test_another_previous_version_is_refused(previous: int, updater: Any, entry: DocumentEntry) -> None:
    new = updater.version(entry, updater.latest(ENTRY))
    found = updater.refused(new, updater.link(new.entry_uuid, previous))
    assert found == {f"DocumentEntry({new.entry_uuid}).PreviousVersion": "XDSMetadataVersionError"}


def test_an_older_version_is_not_updated(updater: Any, entry: DocumentEntry) -> None:
    second, new = (updater.version(entry, updater.latest(ENTRY)) for _ in range(2))
    updater.update(second, updater.link(second.entry_uuid, 1))
    found = updater.refused(new, updater.link(new.entry_uuid, 1))
    assert found == {f"DocumentEntry({new.entry_uuid}).PreviousVersion": "XDSMetadataVersionError"}


@pytest.mark.parametrize("previous", [None, 0])
def test_the_previous_version_is_named(previous: int | None, updater: Any, entry: DocumentEntry) -> None:
    new = updater.version(entry, updater.latest(ENTRY))
    found = updater.refused(new, updater.link(new.entry_uuid, previous))
    assert found == {f"Association(link {new.entry_uuid}).PreviousVersion": "XDSMetadataUpdateOperationError"}


def test_an_object_is_updated_once_at_a_time(updater: Any, entry: DocumentEntry) -> None:
    one, two = (updater.version(entry, updater.latest(ENTRY)) for _ in range(2))
    found = updater.refused(one, two, updater.link(one.entry_uuid, 1), updater.link(two.entry_uuid, 1))
    assert {found[f"DocumentEntry({each.entry_uuid}).logicalID"] for each in (one, two)} == {"XDSMetadataUpdateError"}


def test_every_error_of_an_update_is_told(updater: Any, entry: DocumentEntry, submission: Submission) -> None:
    new = updater.version(entry, updater.latest(ENTRY), hash="0" * 40)
    folder = updater.version(submission.folders[0], updater.latest(FOLDER), unique_id=UniqueId("2.25.600.9"))
    change = updater.change(UNKNOWN)
    links = (updater.link(new.entry_uuid, 3), updater.link(folder.entry_uuid, 1))
    assert updater.refused(new, folder, change, *links) == {
        f"DocumentEntry({new.entry_uuid}).PreviousVersion": "XDSMetadataVersionError",
        f"DocumentEntry({new.entry_uuid}).hash": "XDSNonIdenticalHash",
        f"Folder({folder.entry_uuid}).uniqueId": "XDSMetadataIdentifierError",
        f"Association(change {UNKNOWN}).targetObject": "UnresolvedReferenceException",
    }


def test_an_unknown_patient_is_refused(updater: Any, entry: DocumentEntry) -> None:
    nobody = CX("nobody", HD("", "2.25.101", "ISO"))
    new = updater.version(entry, updater.latest(ENTRY), patient_id=nobody)
    found = updater.refused(new, updater.link(new.entry_uuid, 1), patient=nobody)
    assert set(found.values()) == {"XDSUnknownPatientId"}


def test_something_must_be_updated(updater: Any) -> None:
    assert updater.refused() == {"SubmissionSet(Update01)": "XDSMetadataUpdateError"}


def test_the_submission_set_is_new(updater: Any, entry: DocumentEntry, submission: Submission) -> None:
    updater.submission_set = submission.submission_set
    new = updater.version(entry, updater.latest(ENTRY))
    update = updater.pack(new, updater.link(new.entry_uuid, 1))
    updater.send(update)
    with pytest.raises(Exception, match="XDSDuplicateUniqueIdInRegistry"):
        updater.send(update)


def test_a_version_is_the_id_s_that_has_the_document_though_it_is_merged(
    updater: Any, entry: DocumentEntry, submission: Submission, merge: Merge, patient: CX, other_patient: CX
) -> None:
    """Where the merge is taken back, it goes home with it."""
    merge(patient, other_patient)
    new = updater.version(entry, updater.latest(ENTRY), patient_id=other_patient)
    folder = updater.version(submission.folders[0], updater.latest(FOLDER), patient_id=other_patient)
    links = [updater.link(each.entry_uuid, 1) for each in (new, folder)]
    updater.update(new, folder, *links, patient=other_patient)
    assert len({each.patient_key for kind in MetadataObject for each in updater.stored(kind)}) == 1
