"""Changes of status and submitted associations; and what makes it unclear which operation is meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import EntryUUID
from soap.xml import parse
from xds.ebrim_writing import encode
from xds.iti57 import ITI_57
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    MetadataObject,
    Submission,
    SubmissionSetStatus,
)

SUBMISSION_SET, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
HAS_MEMBER, APND = AssociationType.HAS_MEMBER, AssociationType.APND
UNKNOWN = EntryUUID("urn:uuid:11111111-2222-4333-8444-999999999999")
OPERATION, UPDATE = "XDSMetadataUpdateOperationError", "XDSMetadataUpdateError"
Reports = Callable[..., Submission]
Relate = Callable[..., Association]


def membership(updater: Any) -> Any:
    """The registered Folder's HasMember."""
    folders = {each.entry_uuid for each in updater.stored(FOLDER)}
    return next(each for each in updater.stored(ASSOCIATION) if each.source_object in folders)


def set_membership(updater: Any) -> Any:
    """The registered SubmissionSet's HasMember of the entry."""
    document = updater.stored(ENTRY)[0].entry_uuid
    sets = {each.entry_uuid for each in updater.stored(SUBMISSION_SET)}
    associations = updater.stored(ASSOCIATION)
    return next(e for e in associations if e.source_object in sets and e.target_object == document)


@pytest.mark.parametrize("kind", [ENTRY, FOLDER])
def test_an_object_is_deprecated_and_approved_again_without_a_new_version(kind: MetadataObject, updater: Any) -> None:
    uuid = updater.latest(kind).entry_uuid
    updater.update(updater.change(uuid))
    assert [(each.status, each.version) for each in updater.stored(kind)] == [(DEPRECATED, 1)]
    updater.update(updater.change(uuid, DEPRECATED, APPROVED))
    assert [(each.status, each.version) for each in updater.stored(kind)] == [(APPROVED, 1)]


def test_a_membership_is_deprecated_and_approved_again(updater: Any) -> None:
    uuid = membership(updater).entry_uuid
    updater.update(updater.change(uuid))
    assert membership(updater).status is DEPRECATED
    updater.update(updater.change(uuid, DEPRECATED, APPROVED))
    assert membership(updater).status is APPROVED


def test_a_relationship_is_deprecated(updater: Any, another_report: Reports, relate: Relate) -> None:
    updater.holdings.register(another_report(2, relate("Document2", APND, updater.latest(ENTRY).entry_uuid)))
    (addendum,) = (each for each in updater.stored(ASSOCIATION) if each.association_type is APND)
    updater.update(updater.change(addendum.entry_uuid))
    assert [each.status for each in updater.stored(ASSOCIATION) if each.association_type is APND] == [DEPRECATED]


def test_the_change_is_kept_with_its_submission_set(updater: Any) -> None:
    updater.update(updater.change(updater.latest(ENTRY).entry_uuid))
    trigger = updater.latest(ASSOCIATION)
    assert trigger.association_type is AssociationType.UPDATE_AVAILABILITY_STATUS
    ends = (updater.latest(SUBMISSION_SET).entry_uuid, updater.latest(ENTRY).entry_uuid)
    assert (trigger.source_object, trigger.target_object) == ends


@pytest.mark.parametrize("by_uuid", [True, False])
def test_a_new_version_may_get_another_status_at_once(by_uuid: bool, updater: Any, entry: DocumentEntry) -> None:
    """Rule 11; the target is the registered version, or the new one as in NIST's test 20003."""
    first = updater.latest(ENTRY)
    new = updater.version(entry, first)
    change = updater.change(first.entry_uuid if by_uuid else new.entry_uuid)
    updater.update(new, updater.link(new.entry_uuid, 1), change)
    assert [(each.version, each.status) for each in updater.stored(ENTRY)] == [(1, DEPRECATED), (2, DEPRECATED)]


def test_a_deprecated_entry_is_updated_and_approved_at_once(updater: Any, entry: DocumentEntry) -> None:
    first = updater.latest(ENTRY)
    updater.update(updater.change(first.entry_uuid))
    new = updater.version(entry, first)
    updater.update(new, updater.link(new.entry_uuid, 1), updater.change(new.entry_uuid, DEPRECATED, APPROVED))
    assert [each.status for each in updater.stored(ENTRY)] == [DEPRECATED, APPROVED]


Change = Callable[[Any], Association]
CHANGES: dict[str, tuple[Change, str, str]] = {
    "OriginalStatus differs": (
        lambda it: it.change(it.latest(ENTRY).entry_uuid, DEPRECATED, APPROVED),
        "OriginalStatus",
        UPDATE,
    ),
    "no NewStatus": (lambda it: it.change(it.latest(ENTRY).entry_uuid, new=None), "NewStatus", OPERATION),
    "no OriginalStatus": (lambda it: it.change(it.latest(ENTRY).entry_uuid, None), "OriginalStatus", OPERATION),
    "no change": (lambda it: it.change(it.latest(ENTRY).entry_uuid, APPROVED, APPROVED), "NewStatus", OPERATION),
    "PreviousVersion": (
        lambda it: it.change(it.latest(ENTRY).entry_uuid, previous_version=1),
        "PreviousVersion",
        OPERATION,
    ),
    "another source": (
        lambda it: it.change(it.latest(ENTRY).entry_uuid, source_object=it.latest(FOLDER).entry_uuid),
        "sourceObject",
        OPERATION,
    ),
    "an unknown target": (lambda it: it.change(UNKNOWN), "targetObject", "UnresolvedReferenceException"),
    "a SubmissionSet": (lambda it: it.change(it.latest(SUBMISSION_SET).entry_uuid), "targetObject", OPERATION),
    "a SubmissionSet's HasMember": (lambda it: it.change(set_membership(it).entry_uuid), "targetObject", OPERATION),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_fault_makes_a_change_of_status_wrong(name: str, updater: Any) -> None:
    make, attribute, code = CHANGES[name]
    change = make(updater)
    assert updater.refused(change) == {f"Association({change.entry_uuid}).{attribute}": code}


def test_an_unreadable_status_is_no_operation(updater: Any) -> None:
    update = updater.pack(updater.change(updater.latest(ENTRY).entry_uuid))
    body = encode(update).replace(DEPRECATED.value.encode(), b"urn:oasis:names:tc:ebxml-regrep:StatusType:Withdrawn")
    with pytest.raises(Rejected) as caught:
        wire = SOAPRequest(parse(body))
        ITI_57.handle(ITI_57.decode(wire), updater.holdings.registry, updater.holdings.exchange)
    assert [str(each.code) for each in caught.value.breaches] == [OPERATION]


def test_the_status_of_an_older_version_stays(updater: Any, entry: DocumentEntry) -> None:
    first = updater.latest(ENTRY)
    new = updater.version(entry, first)
    updater.update(new, updater.link(new.entry_uuid, 1))
    change = updater.change(first.entry_uuid, DEPRECATED, APPROVED)
    assert updater.refused(change) == {f"Association({change.entry_uuid}).targetObject": UPDATE}


def test_a_status_changes_once_at_a_time(updater: Any) -> None:
    change = updater.change(updater.latest(ENTRY).entry_uuid)
    again = replace(change, entry_uuid=EntryUUID("again"))
    assert set(updater.refused(change, again).values()) == {UPDATE}


def test_an_association_is_submitted_between_registered_entries(
    updater: Any, another_report: Reports, relate: Relate
) -> None:
    updater.holdings.register(another_report(2))
    original, addendum = (each.entry_uuid for each in updater.stored(ENTRY))
    updater.update(*updater.submit(relate(addendum, APND, original)))
    (stored,) = (each for each in updater.stored(ASSOCIATION) if each.association_type is APND)
    assert (stored.source_object, stored.target_object, stored.status) == (addendum, original, APPROVED)


def test_an_entry_is_put_into_a_folder(updater: Any, another_report: Reports, relate: Relate) -> None:
    updater.holdings.register(another_report(2))
    folder, entry = updater.latest(FOLDER).entry_uuid, updater.latest(ENTRY).entry_uuid
    updater.update(*updater.submit(relate(folder, HAS_MEMBER, entry)))
    assert (folder, entry) in {(each.source_object, each.target_object) for each in updater.stored(ASSOCIATION)}


def test_new_versions_are_linked_by_hand(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    updater.holdings.register(another_report(2))
    one, two = (updater.version(entry, registered) for registered in updater.stored(ENTRY))
    links = [updater.link(each.entry_uuid, 1, association_propagation=False) for each in (one, two)]
    updater.update(one, two, *links, *updater.submit(relate(two.entry_uuid, APND, one.entry_uuid)))
    (stored,) = (each for each in updater.stored(ASSOCIATION) if each.association_type is APND)
    assert stored.source_object == updater.latest(ENTRY).entry_uuid


def test_an_association_needs_its_trigger(updater: Any, another_report: Reports, relate: Relate) -> None:
    updater.holdings.register(another_report(2))
    original, addendum = (each.entry_uuid for each in updater.stored(ENTRY))
    association = relate(addendum, APND, original)
    found = updater.refused(association, updater.change(updater.latest(FOLDER).entry_uuid))
    assert found == {f"Association({association.entry_uuid})": OPERATION}


def test_a_trigger_needs_its_association(updater: Any, relate: Relate) -> None:
    trigger = updater.submit(relate(UNKNOWN, APND, UNKNOWN))[1]
    assert OPERATION in updater.refused(trigger).values()


def test_ends_exist(updater: Any, relate: Relate) -> None:
    association = relate(UNKNOWN, APND, updater.latest(ENTRY).entry_uuid)
    found = updater.refused(*updater.submit(association))
    assert found == {f"Association({association.entry_uuid})": "UnresolvedReferenceException"}


def test_ends_are_of_the_right_kind(updater: Any, relate: Relate) -> None:
    association = relate(updater.latest(ENTRY).entry_uuid, APND, updater.latest(FOLDER).entry_uuid)
    assert updater.refused(*updater.submit(association)) == {f"Association({association.entry_uuid})": UPDATE}


def test_ends_are_not_deprecated(updater: Any, another_report: Reports, relate: Relate) -> None:
    updater.holdings.register(another_report(2))
    original, addendum = (each.entry_uuid for each in updater.stored(ENTRY))
    association = relate(addendum, APND, original)
    found = updater.refused(*updater.submit(association), updater.change(original))
    assert found == {f"Association({association.entry_uuid})": UPDATE}


def test_an_end_is_not_the_version_that_is_replaced(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    updater.holdings.register(another_report(2))
    original, addendum = updater.stored(ENTRY)
    new = updater.version(entry, original)
    link = updater.link(new.entry_uuid, 1, association_propagation=False)
    association = relate(addendum.entry_uuid, APND, original.entry_uuid)
    found = updater.refused(new, link, *updater.submit(association))
    assert found == {f"Association({association.entry_uuid})": UPDATE}


def test_what_is_propagated_is_not_linked_by_hand(
    updater: Any, entry: DocumentEntry, another_report: Reports, relate: Relate
) -> None:
    """CP-ITI-1029, NIST: "shall not request Association Propagation when performing a manual operation"."""
    updater.holdings.register(another_report(2))
    original, addendum = updater.stored(ENTRY)
    new = updater.version(entry, original)
    association = relate(addendum.entry_uuid, APND, new.entry_uuid)
    found = updater.refused(new, updater.link(new.entry_uuid, 1), *updater.submit(association))
    assert found == {f"Association({association.entry_uuid})": OPERATION}


def test_a_submitted_association_has_no_end_at_the_new_set(updater: Any, relate: Relate) -> None:
    association = relate("Update01", APND, updater.latest(ENTRY).entry_uuid)
    assert updater.refused(*updater.submit(association))[f"Association({association.entry_uuid})"] == UPDATE


def test_an_association_has_one_version(updater: Any) -> None:
    change = updater.change(updater.latest(ENTRY).entry_uuid, logical_id=UNKNOWN)
    assert updater.refused(change) == {f"Association({change.entry_uuid}).logicalID": UPDATE}


def test_a_document_is_included_by_reference_beside_an_update(updater: Any, another_report: Reports) -> None:
    updater.holdings.register(another_report(2))
    other = updater.latest(ENTRY).entry_uuid
    by_reference = updater.link(other, None, submission_set_status=SubmissionSetStatus.REFERENCE)
    updater.update(updater.change(updater.latest(FOLDER).entry_uuid), by_reference)
    assert updater.latest(ENTRY).entry_uuid == other
    assert other in {each.target_object for each in updater.stored(ASSOCIATION)[-2:]}


INCLUDED: dict[str, tuple[Callable[[Any], str], str]] = {
    "unknown": (lambda it: UNKNOWN, "UnresolvedReferenceException"),
    "a Folder": (lambda it: str(it.latest(FOLDER).entry_uuid), "UnresolvedReferenceException"),
    "deprecated": (lambda it: str(it.stored(ENTRY)[0].entry_uuid), UPDATE),
}


@pytest.mark.parametrize("name", INCLUDED)
def test_what_is_included_by_reference_is_an_approved_entry(name: str, updater: Any, another_report: Reports) -> None:
    updater.holdings.register(another_report(2))
    updater.update(updater.change(updater.stored(ENTRY)[0].entry_uuid))
    find, code = INCLUDED[name]
    by_reference = updater.link(find(updater), None, submission_set_status=SubmissionSetStatus.REFERENCE)
    found = updater.refused(updater.change(updater.latest(ENTRY).entry_uuid), by_reference)
    assert found == {f"Association({by_reference.entry_uuid})": code}


def test_annotations_are_in_their_places(updater: Any) -> None:
    change = updater.change(updater.latest(ENTRY).entry_uuid, association_propagation=True)
    assert updater.refused(change) == {f"Association({change.entry_uuid}).AssociationPropagation": OPERATION}
