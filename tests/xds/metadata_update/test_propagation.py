"""Association Propagation: what a new version inherits (3.57.4.1.3.3.1.5, 3.57.4.1.3.3.3.5, 3.57.4.1.3.1.1)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ihe.identifiers import EntryUUID
from xds.model import Association, AssociationType, AvailabilityStatus, DocumentEntry, MetadataObject, Submission
from xds.stored_queries import GET_FOLDER_AND_CONTENTS

SUBMISSION_SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
HAS_MEMBER, APND, XFRM = AssociationType.HAS_MEMBER, AssociationType.APND, AssociationType.XFRM
Reports = Callable[..., Submission]
Relate = Callable[..., Association]


def links(updater: Any, kind: AssociationType) -> set[tuple[str, str]]:
    """The ends of all associations of a kind, but those of SubmissionSets, as ``Folder 1`` or ``DocumentEntry 2``."""
    names = {
        each.entry_uuid: f"{each.kind.value} {number}"
        for of in (ENTRY, FOLDER)
        for number, each in enumerate(updater.stored(of), 1)
    }
    found = (each for each in updater.stored(ASSOCIATION) if each.association_type is kind)
    return {(names[e.source_object], names[e.target_object]) for e in found if e.source_object in names}


def new_version(updater: Any, entry: DocumentEntry, number: int = 1, **annotations: Any) -> tuple[Any, Any]:
    """A new version of the entry with this number, and its link."""
    new = updater.version(entry, updater.stored(ENTRY)[number - 1])
    return new, updater.link(new.entry_uuid, 1, **annotations)


def test_a_new_version_stays_in_its_folder(updater: Any, entry: DocumentEntry) -> None:
    updater.update(*new_version(updater, entry))
    assert links(updater, HAS_MEMBER) == {("Folder 1", "DocumentEntry 1"), ("Folder 1", "DocumentEntry 2")}


def test_the_membership_belongs_to_the_submission_set(updater: Any, entry: DocumentEntry) -> None:
    updater.update(*new_version(updater, entry))
    submission_set, folder = updater.latest(SUBMISSION_SET).entry_uuid, updater.latest(FOLDER).entry_uuid
    document = updater.latest(ENTRY).entry_uuid
    associations = updater.stored(ASSOCIATION)
    (membership,) = (e for e in associations if (e.source_object, e.target_object) == (folder, document))
    assert (submission_set, membership.entry_uuid) in {(e.source_object, e.target_object) for e in associations}


def test_the_folder_notes_when_it_got_the_version(updater: Any, entry: DocumentEntry) -> None:
    later = replace(updater.holdings.registry, clock=lambda: datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    updater.holdings = replace(updater.holdings, registry=later)
    updater.update(*new_version(updater, entry))
    (folder,) = updater.holdings.ask(GET_FOLDER_AND_CONTENTS, XDSFolderEntryUUID=(updater.latest(FOLDER).entry_uuid,))[
        1:2
    ]
    assert folder.last_update_time == "20270102030405"


def test_without_propagation_a_new_version_is_in_no_folder(updater: Any, entry: DocumentEntry) -> None:
    updater.update(*new_version(updater, entry, association_propagation=False))
    assert links(updater, HAS_MEMBER) == {("Folder 1", "DocumentEntry 1")}


def test_a_deprecated_membership_is_not_inherited(updater: Any, entry: DocumentEntry) -> None:
    folder = updater.latest(FOLDER).entry_uuid
    (membership,) = (each for each in updater.stored(ASSOCIATION) if each.source_object == folder)
    updater.update(updater.change(membership.entry_uuid))
    updater.update(*new_version(updater, entry))
    assert links(updater, HAS_MEMBER) == {("Folder 1", "DocumentEntry 1")}


@pytest.mark.parametrize("number", [1, 2])
def test_relationships_are_inherited_at_both_ends(
    number: int, updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    updater.holdings.register(another_report(2, relate("Document2", APND, updater.latest(ENTRY).entry_uuid)))
    updater.update(*new_version(updater, entry, number))
    copy = ("DocumentEntry 2", "DocumentEntry 3") if number == 1 else ("DocumentEntry 3", "DocumentEntry 1")
    assert links(updater, APND) == {("DocumentEntry 2", "DocumentEntry 1"), copy}


def test_two_related_entries_are_updated_together(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    """The example of 3.57.4.1.3.1.1: one association, between the two new versions."""
    updater.holdings.register(another_report(2, relate("Document2", APND, updater.latest(ENTRY).entry_uuid)))
    updater.update(*new_version(updater, entry, 1), *new_version(updater, entry, 2))
    new = {each.logical_id: n for n, each in enumerate(updater.stored(ENTRY), 1)}
    first, second = (new[each.logical_id] for each in updater.stored(ENTRY)[:2])
    made = (f"DocumentEntry {second}", f"DocumentEntry {first}")
    assert links(updater, APND) == {("DocumentEntry 2", "DocumentEntry 1"), made}


def test_related_updates_propagate_alike(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    updater.holdings.register(another_report(2, relate("Document2", APND, updater.latest(ENTRY).entry_uuid)))
    one = new_version(updater, entry, 1)
    found = updater.refused(*one, *new_version(updater, entry, 2, association_propagation=False))
    assert set(found.values()) == {"XDSMetadataUpdateError"}


def test_a_new_version_of_a_folder_has_its_approved_entries(
    updater: Any, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    updater.holdings.register(another_report(2))
    folder = updater.latest(FOLDER)
    first, second = (each.entry_uuid for each in updater.stored(ENTRY))
    updater.update(*updater.submit(relate(folder.entry_uuid, HAS_MEMBER, second)))
    updater.update(updater.change(first))
    new = updater.version(submission.folders[0], folder)
    updater.update(new, updater.link(new.entry_uuid, 1))
    assert {link for link in links(updater, HAS_MEMBER) if link[0] == "Folder 2"} == {("Folder 2", "DocumentEntry 2")}


def test_a_folder_and_its_entry_are_updated_together(updater: Any, submission: Submission) -> None:
    folder = updater.version(submission.folders[0], updater.latest(FOLDER))
    entry = new_version(updater, submission.document_entries[0])
    updater.update(folder, updater.link(folder.entry_uuid, 1), *entry)
    assert links(updater, HAS_MEMBER) == {("Folder 1", "DocumentEntry 1"), ("Folder 2", "DocumentEntry 2")}


def test_history_is_not_inherited(updater: Any, submission: Submission) -> None:
    """Of Folder and entry in turn, only present versions are linked anew."""
    folder = updater.version(submission.folders[0], updater.latest(FOLDER))
    updater.update(folder, updater.link(folder.entry_uuid, 1))
    updater.update(*new_version(updater, submission.document_entries[0]))
    assert links(updater, HAS_MEMBER) == {
        ("Folder 1", "DocumentEntry 1"),
        ("Folder 2", "DocumentEntry 1"),
        ("Folder 2", "DocumentEntry 2"),
    }


def test_a_replaced_entry_keeps_its_relationship(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    original = updater.latest(ENTRY).entry_uuid
    updater.holdings.register(another_report(2, relate("Document2", AssociationType.RPLC, original)))
    updater.update(*new_version(updater, entry, 2))
    inherited = ("DocumentEntry 3", "DocumentEntry 1")
    assert links(updater, AssociationType.RPLC) == {("DocumentEntry 2", "DocumentEntry 1"), inherited}


def test_documentation_and_extra_metadata_of_a_link_are_inherited(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate, codes: Any
) -> None:
    documented = replace(
        relate("Document2", APND, updater.latest(ENTRY).entry_uuid),
        association_documentation=codes["associationDocumentation"],
        entry_uuid=EntryUUID("addendum"),
    )
    updater.holdings.register(another_report(2, documented))
    updater.update(*new_version(updater, entry))
    fragments = updater.holdings.rows()["association"]
    assert sum("CORRECTION" in fragment and "APND" in fragment for fragment in fragments) == 2
