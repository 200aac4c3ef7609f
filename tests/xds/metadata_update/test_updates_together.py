"""Updates at the same time, one after the other in any order, and what queries say about it."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ihe.datatypes import CX
from ihe.errors import Rejected
from xds.model import (
    AvailabilityStatus,
    DocumentAvailability,
    DocumentEntry,
    LocalizedString,
    MetadataObject,
    RegistryObject,
    Submission,
)
from xds.stored_queries import FIND_DOCUMENTS, GET_ASSOCIATIONS, GET_DOCUMENTS, GET_FOLDER_AND_CONTENTS, GET_FOLDERS

SUBMISSION_SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
Attempt = Callable[[], None]


def at_once(attempts: list[Callable[[], None]]) -> Counter[str]:
    """Run attempts in threads of their own and count what became of them."""

    def outcome(attempt: Attempt) -> str:
        try:
            attempt()
        except Rejected as rejected:
            return ",".join(sorted(str(code) for code in rejected.codes))
        return "success"

    with ThreadPoolExecutor(len(attempts)) as pool:
        return Counter(pool.map(outcome, attempts))


def sending(updater: Any, *objects: RegistryObject, patient: CX | None = None) -> Attempt:
    """An attempt to send an update of its own SubmissionSet."""
    update = updater.pack(*objects, patient=patient)

    def attempt() -> None:
        updater.send(update)

    return attempt


def test_of_several_updates_of_one_version_one_wins(updater: Any, entry: DocumentEntry) -> None:
    first = updater.latest(ENTRY)
    versions = [updater.version(entry, first) for _ in range(8)]
    outcomes = at_once([sending(updater, each, updater.link(each.entry_uuid, 1)) for each in versions])
    assert outcomes == {"success": 1, "XDSMetadataVersionError": 7}
    assert [(each.version, each.status) for each in updater.stored(ENTRY)] == [(1, DEPRECATED), (2, APPROVED)]


def test_two_patients_do_not_both_get_the_next_version(
    updater: Any, entry: DocumentEntry, patient: CX, other_patient: CX
) -> None:
    """No constraint spans patients: the row of the previous version decides."""
    first = updater.latest(ENTRY)
    attempts = []
    for whose in (patient, other_patient) * 3:
        new = updater.version(entry, first, patient_id=whose)
        link = updater.link(new.entry_uuid, 1, association_propagation=False)
        attempts.append(sending(updater, new, link, patient=whose))
    assert at_once(attempts) == {"success": 1, "XDSMetadataVersionError": 5}
    assert [each.version for each in updater.stored(ENTRY)] == [1, 2]


def test_of_several_changes_of_one_status_one_wins(updater: Any) -> None:
    uuid = updater.latest(ENTRY).entry_uuid
    outcomes = at_once([sending(updater, updater.change(uuid)) for _ in range(6)])
    assert outcomes == {"success": 1, "XDSMetadataUpdateError": 5}


def test_an_update_and_a_change_of_status_leave_one_latest_version(updater: Any, entry: DocumentEntry) -> None:
    first = updater.latest(ENTRY)
    new = updater.version(entry, first)
    update = sending(updater, new, updater.link(new.entry_uuid, 1))
    outcomes = at_once([update, sending(updater, updater.change(first.entry_uuid))])
    assert outcomes["success"] >= 1
    assert [each.entry_uuid for each in updater.stored(ENTRY) if not each.superseded] == [
        updater.latest(ENTRY).entry_uuid
    ]


STEPS = st.lists(st.sampled_from(["update", "stale update", "deprecate", "approve"]), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_leaves_one_latest_version(steps: list[str], updater: Any, entry: DocumentEntry) -> None:
    for step in steps:
        latest = updater.latest(ENTRY)
        try:
            if "update" in step:
                new = updater.version(entry, latest)
                previous = latest.version - 1 if step == "stale update" else latest.version
                updater.update(new, updater.link(new.entry_uuid, previous))
            elif step == "deprecate":
                updater.update(updater.change(latest.entry_uuid))
            else:
                updater.update(updater.change(latest.entry_uuid, DEPRECATED, APPROVED))
        except Rejected:
            pass
        versions = updater.stored(ENTRY)
        assert [each.version for each in versions] == list(range(1, len(versions) + 1))
        assert [each.superseded for each in versions] == [True] * (len(versions) - 1) + [False]
        assert all(each.status is DEPRECATED for each in versions[:-1])


def updated(updater: Any, entry: DocumentEntry, **changes: Any) -> None:
    new = updater.version(entry, updater.latest(ENTRY), **changes)
    updater.update(new, updater.link(new.entry_uuid, updater.latest(ENTRY).version))


@pytest.mark.parametrize(("level", "versions"), [(1, [2]), (2, [1, 2])])
def test_level_one_shows_the_latest_version_alone(
    level: int, versions: list[int], updater: Any, entry: DocumentEntry, patient: CX
) -> None:
    updated(updater, entry, title=(LocalizedString("Better"),))
    both = {"XDSDocumentEntryStatus": (APPROVED, DEPRECATED), "MetadataLevel": (level,)}
    found = updater.holdings.ask(FIND_DOCUMENTS, XDSDocumentEntryPatientId=(patient,), **both)
    assert [each.version for each in found] == versions
    assert found[-1].title == (LocalizedString("Better"),)
    for name, value in (("UniqueId", entry.unique_id), ("LogicalID", updater.latest(ENTRY).logical_id)):
        found = updater.holdings.ask(GET_DOCUMENTS, MetadataLevel=(level,), **{f"XDSDocumentEntry{name}": (value,)})
        assert [each.version for each in found] == versions
        assert len({each.logical_id for each in found}) == 1


def test_an_offline_document_is_for_level_two(updater: Any, entry: DocumentEntry) -> None:
    updated(updater, entry, document_availability=DocumentAvailability.OFFLINE)
    asked = {"XDSDocumentEntryEntryUUID": (updater.latest(ENTRY).entry_uuid,)}
    assert updater.holdings.ask(GET_DOCUMENTS, **asked) == []
    assert len(updater.holdings.ask(GET_DOCUMENTS, MetadataLevel=(2,), **asked)) == 1


def test_level_one_shows_no_deprecated_folder(updater: Any) -> None:
    uuid = updater.latest(FOLDER).entry_uuid
    updater.update(updater.change(uuid))
    assert updater.holdings.ask(GET_FOLDERS, XDSFolderEntryUUID=(uuid,)) == []
    assert len(updater.holdings.ask(GET_FOLDERS, XDSFolderEntryUUID=(uuid,), MetadataLevel=(2,))) == 1


def test_a_folder_shows_the_entry_that_stayed_in_it(updater: Any, entry: DocumentEntry) -> None:
    updated(updater, entry)
    found = updater.holdings.ask(GET_FOLDER_AND_CONTENTS, XDSFolderEntryUUID=(updater.latest(FOLDER).entry_uuid,))
    assert [type(each).__name__ for each in found] == ["DocumentEntry", "Folder", "Association"]
    assert found[0].version == 2


def test_a_deprecated_membership_is_for_level_two(updater: Any, submission: Submission) -> None:
    folder = updater.latest(FOLDER).entry_uuid
    (membership,) = (each for each in updater.stored(ASSOCIATION) if each.source_object == folder)
    updater.update(updater.change(membership.entry_uuid))
    folder_and_contents = {"XDSFolderEntryUUID": (folder,)}
    assert len(updater.holdings.ask(GET_FOLDER_AND_CONTENTS, **folder_and_contents)) == 1
    assert len(updater.holdings.ask(GET_FOLDER_AND_CONTENTS, MetadataLevel=(2,), **folder_and_contents)) == 3


def test_what_triggered_an_update_is_for_level_two(updater: Any) -> None:
    uuid = updater.latest(ENTRY).entry_uuid
    updater.update(updater.change(uuid))
    asked = {"uuid": (uuid,)}
    assert len(updater.holdings.ask(GET_ASSOCIATIONS, **asked)) == 2
    (change,) = (
        each for each in updater.holdings.ask(GET_ASSOCIATIONS, MetadataLevel=(2,), **asked) if each.new_status
    )
    assert (change.original_status, change.new_status) == (APPROVED, DEPRECATED)


def test_the_history_of_a_version_is_in_its_link(updater: Any, entry: DocumentEntry) -> None:
    """ "Association objects returned will include Slots that reflect the update history" (3.18.4.1.2.5.1)."""
    updated(updater, entry)
    found = updater.holdings.ask(GET_ASSOCIATIONS, uuid=(updater.latest(ENTRY).entry_uuid,))
    assert [each.previous_version for each in found if each.submission_set_status] == [1]
