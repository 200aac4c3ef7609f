"""Update DocumentEntry Metadata: a new version, its links, and what remains of the previous one."""

from typing import Any

from xds.model import AvailabilityStatus, DocumentEntry, LocalizedString, MetadataObject

SUBMISSION_SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED


def test_a_new_version_deprecates_and_supersedes_the_previous_one(updater: Any, entry: DocumentEntry) -> None:
    (first,) = updater.stored(ENTRY)
    new = updater.version(entry, first, title=(LocalizedString("Better"),))
    updater.update(new, updater.link(new.entry_uuid, 1))
    old, latest = updater.stored(ENTRY)
    assert (old.status, old.superseded, old.version) == (DEPRECATED, True, 1)
    assert (latest.status, latest.superseded, latest.version) == (APPROVED, False, 2)
    assert latest.logical_id == old.logical_id == old.entry_uuid != latest.entry_uuid
