"""What an update must obey by itself, before the registry is asked (XDS Metadata Update: 3.57.4.1.3)."""

from collections import Counter
from collections.abc import Iterator

from ihe.citations import supplement
from ihe.errors import ErrorCode
from ihe.identifiers import is_uuid_urn
from ihe.rules import Offence, Offender, Rule, rule
from xds.attribute_values import where
from xds.metadata_update import Update
from xds.model import TRIGGERS, RegistryObject

UPDATE, OPERATION = ErrorCode.METADATA_UPDATE_ERROR, ErrorCode.METADATA_UPDATE_OPERATION
MU = "XDS Metadata Update"
ANNOTATIONS = {
    "PreviousVersion": "previous_version",
    "AssociationPropagation": "association_propagation",
    "OriginalStatus": "original_status",
    "NewStatus": "new_status",
}
"""Slots that control an update, and the fields that hold them (3.57.4.1.3.1.3)."""


@rule(UPDATE, supplement(MU, "3.57.4.1.3.3"))
def something_is_updated(update: Update) -> Iterator[Offender]:
    """An update holds a DocumentEntry, a Folder or a Trigger Association."""
    if not (update.versioned or update.status_changes or update.submit_associations):
        yield where(update.submission.submission_set)


@rule(ErrorCode.INVALID_REQUEST, supplement(MU, "3.57.4.1.3.1 rule 2"))
def versions_are_not_initial(update: Update) -> Iterator[Offender]:
    """An update holds no initial versions: a logicalID is there and is not the entryUUID."""
    for each in update.versioned:
        if each.logical_id in (None, each.entry_uuid):
            yield Offence(where(each, "logicalID"), observed=each.logical_id)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.3.1.2, 3.57.4.1.3.3.3.2"))
def logical_ids_are_uuids(update: Update) -> Iterator[Offender]:
    """The logicalID of a new version is a UUID, never symbolic."""
    for each in update.versioned:
        if each.logical_id is not None and not is_uuid_urn(each.logical_id):
            yield Offence(where(each, "logicalID"), observed=each.logical_id)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.1.3.3"))
def previous_versions_are_named(update: Update) -> Iterator[Offender]:
    """The SubmissionSet's HasMember of a new version has the Slot PreviousVersion: 1, 2, 3, and so on."""
    for each in update.new_versions:
        is_later = each.logical_id not in (None, each.object.entry_uuid)
        if is_later and not each.previous:
            yield Offence(where(each.link, "PreviousVersion"), observed=_written(each.previous))


@rule(OPERATION, supplement(MU, "3.57.4.1.3.1.3"))
def annotations_are_in_their_places(update: Update) -> Iterator[Offender]:
    """PreviousVersion and AssociationPropagation annotate the HasMember of a version, the others a change of status."""
    links = {each.link.entry_uuid for each in update.new_versions}
    changes = {each.entry_uuid for each in update.status_changes}
    for association in update.submission.associations:
        for slot, field in ANNOTATIONS.items():
            allowed = changes if slot in ("OriginalStatus", "NewStatus") else links
            if getattr(association, field) is not None and association.entry_uuid not in allowed:
                yield where(association, slot)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.3"))
def triggers_start_at_the_set(update: Update) -> Iterator[Offender]:
    """The sourceObject of a Trigger Association is the SubmissionSet."""
    for each in update.submission.associations:
        if each.association_type in TRIGGERS and each.source_object != update.set_uuid:
            yield Offence(where(each, "sourceObject"), observed=each.source_object, expected=update.set_uuid)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.1.2"))
def changes_say_from_what_to_what(update: Update) -> Iterator[Offender]:
    """A change of status has the Slots OriginalStatus and NewStatus."""
    for each in update.status_changes:
        for slot in ("OriginalStatus", "NewStatus"):
            if getattr(each, ANNOTATIONS[slot]) is None:
                yield where(each, slot)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.1.2"))
def changes_change_something(update: Update) -> Iterator[Offender]:
    """NewStatus differs from OriginalStatus."""
    for each in update.status_changes:
        if each.new_status is not None and each.new_status is each.original_status:
            yield Offence(where(each, "NewStatus"), observed=each.new_status.value)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.3.2.2"))
def changes_have_a_target(update: Update) -> Iterator[Offender]:
    """The target of a change of status is a UUID, or the new version that this update brings."""
    new = {each.entry_uuid for each in update.versioned}
    for each in update.status_changes:
        if each.target_object not in new and not is_uuid_urn(each.target_object):
            yield Offence(where(each, "targetObject"), observed=each.target_object)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.3.6.2"))
def submit_associations_bring_one(update: Update) -> Iterator[Offender]:
    """The target of SubmitAssociation is a relationship or a Folder membership of this update."""
    submitted = {each.entry_uuid for each in update.submitted}
    for each in update.submit_associations:
        if each.target_object not in submitted:
            yield Offence(where(each, "targetObject"), observed=each.target_object)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.3"))
def associations_trigger_one_operation(update: Update) -> Iterator[Offender]:
    """A relationship or a Folder membership is the target of one SubmitAssociation of this update."""
    times = Counter(each.target_object for each in update.submit_associations)
    for each in update.submitted:
        if times[each.entry_uuid] != 1:
            yield Offence(where(each), observed=f"{times[each.entry_uuid]} SubmitAssociation", expected="1")


@rule(OPERATION, supplement(MU, "3.57.4.1.3.3.1.5"))
def propagation_is_not_done_by_hand(update: Update) -> Iterator[Offender]:
    """Who submits associations of a new version takes full responsibility: AssociationPropagation is no."""
    propagated = {each.object.entry_uuid for each in update.new_versions if each.propagates}
    for each in update.submitted:
        if propagated & {each.source_object, each.target_object}:
            yield Offence(where(each), observed="AssociationPropagation yes", expected="no")


@rule(UPDATE, supplement(MU, "3.57.4.1.3.3.6.3"))
def submitted_associations_avoid_the_set(update: Update) -> Iterator[Offender]:
    """A submitted association has no end at the SubmissionSet of its update."""
    for each in update.submitted:
        if update.set_uuid in (each.source_object, each.target_object):
            yield where(each)


@rule(UPDATE, supplement(MU, "3.57.4.1.3.1 rule 13"))
def an_object_is_updated_once(update: Update) -> Iterator[Offender]:
    """An update holds at most one new version of a logical object."""
    times = Counter(each.logical_id for each in update.versioned)
    for each in update.versioned:
        if each.logical_id is not None and times[each.logical_id] > 1:
            yield Offence(where(each, "logicalID"), observed=each.logical_id)


@rule(UPDATE, supplement(MU, "3.57.4.1.3.1 rule 6"))
def sets_and_associations_have_one_version(update: Update) -> Iterator[Offender]:
    """SubmissionSets and Associations are never new versions: a logicalID is the entryUUID."""
    single: tuple[RegistryObject, ...] = (update.submission.submission_set, *update.submission.associations)
    for each in single:
        if each.logical_id not in (None, each.entry_uuid):
            yield Offence(where(each, "logicalID"), observed=each.logical_id, expected=each.entry_uuid)


def _written(number: int | None) -> str | None:
    return None if number is None else str(number)


OPERATION_RULES: tuple[Rule[Update], ...] = (
    something_is_updated,
    versions_are_not_initial,
    logical_ids_are_uuids,
    previous_versions_are_named,
    annotations_are_in_their_places,
    triggers_start_at_the_set,
    changes_say_from_what_to_what,
    changes_change_something,
    changes_have_a_target,
    submit_associations_bring_one,
    associations_trigger_one_operation,
    propagation_is_not_done_by_hand,
    submitted_associations_avoid_the_set,
    an_object_is_updated_once,
    sets_and_associations_have_one_version,
)
