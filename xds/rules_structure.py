"""How the objects of a submission hang together (ITI TF-3: 4.1.4, 4.2.2; ITI TF-2: 3.42.4.1.3)."""

from collections import Counter
from collections.abc import Iterator

from ihe.citations import tf2, tf3
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID, is_uuid_urn
from ihe.rules import Offence, Offender, Rule, rule
from xds.attribute_values import where
from xds.model import (
    Association,
    AssociationType,
    DocumentEntry,
    Folder,
    ObjectType,
    RegistryObject,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)

METADATA = ErrorCode.REGISTRY_METADATA_ERROR
HAS_MEMBER = AssociationType.HAS_MEMBER
RELATIONSHIPS = frozenset(
    {
        AssociationType.RPLC,
        AssociationType.XFRM,
        AssociationType.APND,
        AssociationType.XFRM_RPLC,
        AssociationType.SIGNS,
        AssociationType.IS_SNAPSHOT_OF,
    }
)
OF_REGISTERED = frozenset({AssociationType.RPLC, AssociationType.XFRM_RPLC, AssociationType.IS_SNAPSHOT_OF})
"""Relationships whose target must be in the registry already (ITI TF-2: 3.42.4.1.2)."""


def _members(submission: Submission) -> Iterator[Association]:
    return (each for each in submission.associations if each.association_type is HAS_MEMBER)


def _relationships(submission: Submission) -> Iterator[Association]:
    return (each for each in submission.associations if each.association_type in RELATIONSHIPS)


def _by_id(submission: Submission) -> dict[EntryUUID, RegistryObject]:
    return {each.entry_uuid: each for each in submission.objects}


def _of_set(submission: Submission) -> dict[EntryUUID, list[Association]]:
    """The HasMember associations of the SubmissionSet, by what they include."""
    included: dict[EntryUUID, list[Association]] = {}
    for each in _members(submission):
        if each.source_object == submission.submission_set.entry_uuid:
            included.setdefault(each.target_object, []).append(each)
    return included


def is_folder_membership(association: Association, submission: Submission) -> bool:
    """Claim that this is an FD-DE HasMember: a HasMember of anything but the SubmissionSet."""
    own = submission.submission_set.entry_uuid
    return association.association_type is HAS_MEMBER and association.source_object != own


@rule(METADATA, tf3("4.2.3.1.5"))
def ids_are_distinct(submission: Submission) -> Iterator[Offender]:
    """Every object of a submission has its own id."""
    times = Counter(each.entry_uuid for each in submission.objects)
    yield from (id for id, count in times.items() if count > 1)


@rule(METADATA, tf3("4.2.3.1.5"))
def uuids_are_well_formed(submission: Submission) -> Iterator[Offender]:
    """What starts with urn:uuid: is a UUID in lower case."""
    for each in submission.objects:
        ids = [each.entry_uuid]
        if isinstance(each, Association):
            ids += [each.source_object, each.target_object]
        for id in ids:
            if id.lower().startswith("urn:uuid:") and not is_uuid_urn(id):
                yield Offence(where(each), observed=id)


@rule(METADATA, tf3("4.1.4"))
def something_is_submitted(submission: Submission) -> Iterator[Offender]:
    """A submission holds a DocumentEntry, a Folder or an FD-DE HasMember, or includes a document by reference."""
    members = list(_members(submission))
    if not (submission.document_entries or submission.folders or members):
        yield where(submission.submission_set)


@rule(METADATA, tf3("4.2.2.1.1"))
def entries_are_members_of_the_set(submission: Submission) -> Iterator[Offender]:
    """Every DocumentEntry is linked to the SubmissionSet by one SS-DE HasMember with SubmissionSetStatus Original."""
    included = _of_set(submission)
    for entry in submission.document_entries:
        links = included.get(entry.entry_uuid, [])
        if [each.submission_set_status for each in links] != [SubmissionSetStatus.ORIGINAL]:
            yield Offence(where(entry), observed=f"{len(links)} links")


@rule(METADATA, tf3("4.2.2.1.2, 4.1.4"))
def folders_are_members_of_the_set(submission: Submission) -> Iterator[Offender]:
    """Every Folder is linked to the SubmissionSet by one SS-FD HasMember."""
    included = _of_set(submission)
    for folder in submission.folders:
        links = included.get(folder.entry_uuid, [])
        if len(links) != 1:
            yield Offence(where(folder), observed=f"{len(links)} links")


@rule(METADATA, tf3("4.2.2.1.3, 4.2.2.1.4"))
def memberships_are_members_of_the_set(submission: Submission) -> Iterator[Offender]:
    """Every FD-DE HasMember is linked to the SubmissionSet by one SS-HM HasMember."""
    included = _of_set(submission)
    for association in submission.associations:
        if is_folder_membership(association, submission):
            links = included.get(association.entry_uuid, [])
            if len(links) != 1:
                yield Offence(where(association), observed=f"{len(links)} links")


@rule(METADATA, tf3("4.2.2.1, 4.1.2.1"))
def members_are_of_the_right_kind(submission: Submission) -> Iterator[Offender]:
    """HasMember links a SubmissionSet to a DocumentEntry, Folder or FD-DE HasMember, or a Folder to a DocumentEntry."""
    objects = _by_id(submission)
    for association in _members(submission):
        source, target = objects.get(association.source_object), objects.get(association.target_object)
        if not _may_hold(submission, source, target):
            observed = " HasMember ".join(type(end).__name__ if end else "reference" for end in (source, target))
            yield Offence(where(association), observed=observed)


def _may_hold(submission: Submission, source: RegistryObject | None, target: RegistryObject | None) -> bool:
    if isinstance(source, SubmissionSet):
        if isinstance(target, Association):
            return is_folder_membership(target, submission)
        return not isinstance(target, SubmissionSet)
    return isinstance(source, Folder | None) and isinstance(target, DocumentEntry | None)


@rule(METADATA, tf3("4.2.2.1.1"))
def references_are_labelled(submission: Submission) -> Iterator[Offender]:
    """A document that is not in the submission is included with SubmissionSetStatus Reference."""
    objects = _by_id(submission)
    for target, links in _of_set(submission).items():
        for association in links:
            is_labelled = association.submission_set_status is SubmissionSetStatus.REFERENCE
            if target not in objects and is_uuid_urn(target) and not is_labelled:
                yield Offence(where(association, "SubmissionSetStatus"), expected="Reference")


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf3("4.2.1.5"))
def symbolic_references_resolve(submission: Submission) -> Iterator[Offender]:
    """What is not in the submission is referred to by its UUID."""
    objects = _by_id(submission)
    for association in submission.associations:
        for end in (association.source_object, association.target_object):
            if end not in objects and not is_uuid_urn(end):
                yield Offence(where(association), observed=end)


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf2("3.42.4.1.3.5"))
def relationships_start_at_new_entries(submission: Submission) -> Iterator[Offender]:
    """The sourceObject of a relationship is a DocumentEntry of the submission."""
    entries = {entry.entry_uuid for entry in submission.document_entries}
    for association in _relationships(submission):
        if association.source_object not in entries:
            yield Offence(where(association, "sourceObject"), observed=association.source_object)


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf2("3.42.4.1.3.5"))
def relationships_end_at_entries(submission: Submission) -> Iterator[Offender]:
    """The targetObject of a relationship is a DocumentEntry; of RPLC, XFRM_RPLC and IsSnapshotOf a registered one."""
    objects = _by_id(submission)
    for association in _relationships(submission):
        target = objects.get(association.target_object)
        if target and (association.association_type in OF_REGISTERED or not isinstance(target, DocumentEntry)):
            yield Offence(where(association, "targetObject"), observed=association.target_object)


@rule(METADATA, tf3("4.2.2.2"))
def entries_are_not_related_to_themselves(submission: Submission) -> Iterator[Offender]:
    """A relationship links a DocumentEntry with another one."""
    for association in _relationships(submission):
        if association.source_object == association.target_object:
            yield where(association)


@rule(METADATA, tf3("4.2.2.2.1"))
def new_transformations_have_no_addenda(submission: Submission) -> Iterator[Offender]:
    """A transformation is an alternate form of a document and shall not be appended."""
    transformed = {
        each.source_object for each in submission.associations if each.association_type is AssociationType.XFRM
    }
    for association in submission.associations:
        if association.association_type is AssociationType.APND and association.target_object in transformed:
            yield where(association)


@rule(METADATA, tf2("3.42.4.1.3.5"))
def snapshots_are_stable(submission: Submission) -> Iterator[Offender]:
    """The sourceObject of IsSnapshotOf is a Stable DocumentEntry."""
    objects = _by_id(submission)
    for association in submission.associations:
        source = objects.get(association.source_object)
        on_demand = isinstance(source, DocumentEntry) and source.object_type is ObjectType.ON_DEMAND
        if association.association_type is AssociationType.IS_SNAPSHOT_OF and on_demand:
            yield where(association, "sourceObject")


@rule(ErrorCode.PATIENT_ID_DOES_NOT_MATCH, tf2("3.42.4.1.3.3.2"))
def objects_share_the_patient(submission: Submission) -> Iterator[Offender]:
    """Every DocumentEntry and Folder carries the patientId of its SubmissionSet."""
    expected = submission.submission_set.patient_id
    for each in submission.identified:
        if each.patient_id is not None and expected is not None and each.patient_id != expected:
            yield Offence(where(each, "patientId"), observed=str(each.patient_id), expected=str(expected))


@rule(ErrorCode.REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE, tf3("Table 4.2.4.1-2"))
def unique_ids_are_distinct(submission: Submission) -> Iterator[Offender]:
    """No two objects of a submission have the same uniqueId."""
    times = Counter(each.unique_id for each in submission.identified if each.unique_id)
    for each in submission.identified:
        if each.unique_id and times[each.unique_id] > 1:
            yield Offence(where(each, "uniqueId"), observed=each.unique_id)


STRUCTURE_RULES: tuple[Rule[Submission], ...] = (
    ids_are_distinct,
    uuids_are_well_formed,
    something_is_submitted,
    entries_are_members_of_the_set,
    folders_are_members_of_the_set,
    memberships_are_members_of_the_set,
    members_are_of_the_right_kind,
    references_are_labelled,
    symbolic_references_resolve,
    relationships_start_at_new_entries,
    relationships_end_at_entries,
    entries_are_not_related_to_themselves,
    new_transformations_have_no_addenda,
    snapshots_are_stable,
    objects_share_the_patient,
    unique_ids_are_distinct,
)
