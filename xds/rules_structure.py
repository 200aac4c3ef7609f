"""How the objects of a submission hang together (ITI TF-3: 4.1.4, 4.2.2; ITI TF-2: 3.42.4.1.3)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A submission with what its rules look up: objects by id, associations by what they are.

    ``included`` are the HasMember associations of the SubmissionSet, by what they include.
    """

    submission: Submission
    objects: Mapping[EntryUUID, RegistryObject]
    members: tuple[Association, ...]
    relationships: tuple[Association, ...]
    included: Mapping[EntryUUID, list[Association]]


def structure(submission: Submission) -> Structure:
    """Look at each object of a submission once."""
    members: list[Association] = []
    included: dict[EntryUUID, list[Association]] = {}
    relationships: list[Association] = []
    for each in submission.associations:
        if each.association_type is HAS_MEMBER:
            members.append(each)
            if each.source_object == submission.submission_set.entry_uuid:
                included.setdefault(each.target_object, []).append(each)
        elif each.association_type in RELATIONSHIPS:
            relationships.append(each)
    return Structure(
        submission=submission,
        objects={each.entry_uuid: each for each in submission.objects},
        members=tuple(members),
        relationships=tuple(relationships),
        included=included,
    )


@rule(METADATA, tf3("4.2.3.1.5"))
def ids_are_distinct(it: Structure) -> Iterator[Offender]:
    """Every object of a submission has its own id."""
    if len(it.objects) < len(it.submission.objects):
        times = Counter(each.entry_uuid for each in it.submission.objects)
        yield from (id for id, count in times.items() if count > 1)


@rule(METADATA, tf3("4.2.3.1.5"))
def uuids_are_well_formed(it: Structure) -> Iterator[Offender]:
    """What starts with urn:uuid: is a UUID in lower case."""
    for each in it.submission.objects:
        ids = [each.entry_uuid]
        if isinstance(each, Association):
            ids += [each.source_object, each.target_object]
        for id in ids:
            if id.lower().startswith("urn:uuid:") and not is_uuid_urn(id):
                yield Offence(where(each), observed=id)


@rule(METADATA, tf3("4.1.4"))
def something_is_submitted(it: Structure) -> Iterator[Offender]:
    """A submission holds a DocumentEntry, a Folder or an FD-DE HasMember, or includes a document by reference."""
    if not (it.submission.document_entries or it.submission.folders or it.members):
        yield where(it.submission.submission_set)


@rule(METADATA, tf3("4.2.2.1.1"))
def entries_are_members_of_the_set(it: Structure) -> Iterator[Offender]:
    """Every DocumentEntry is linked to the SubmissionSet by one SS-DE HasMember with SubmissionSetStatus Original."""
    for entry in it.submission.document_entries:
        links = it.included.get(entry.entry_uuid, [])
        if len(links) != 1 or links[0].submission_set_status is not SubmissionSetStatus.ORIGINAL:
            yield Offence(where(entry), observed=f"{len(links)} links")


@rule(METADATA, tf3("4.2.2.1.2, 4.1.4"))
def folders_are_members_of_the_set(it: Structure) -> Iterator[Offender]:
    """Every Folder is linked to the SubmissionSet by one SS-FD HasMember."""
    for folder in it.submission.folders:
        links = it.included.get(folder.entry_uuid, [])
        if len(links) != 1:
            yield Offence(where(folder), observed=f"{len(links)} links")


@rule(METADATA, tf3("4.2.2.1.3, 4.2.2.1.4"))
def memberships_are_members_of_the_set(it: Structure) -> Iterator[Offender]:
    """Every FD-DE HasMember is linked to the SubmissionSet by one SS-HM HasMember."""
    for association in it.members:
        if association.source_object != it.submission.submission_set.entry_uuid:
            links = it.included.get(association.entry_uuid, [])
            if len(links) != 1:
                yield Offence(where(association), observed=f"{len(links)} links")


@rule(METADATA, tf3("4.2.2.1, 4.1.2.1"))
def members_are_of_the_right_kind(it: Structure) -> Iterator[Offender]:
    """HasMember links a SubmissionSet to a DocumentEntry, Folder or FD-DE HasMember, or a Folder to a DocumentEntry."""
    for association in it.members:
        source, target = it.objects.get(association.source_object), it.objects.get(association.target_object)
        if not _may_hold(it.submission, source, target):
            observed = " HasMember ".join(type(end).__name__ if end else "reference" for end in (source, target))
            yield Offence(where(association), observed=observed)


def _may_hold(submission: Submission, source: RegistryObject | None, target: RegistryObject | None) -> bool:
    if isinstance(source, SubmissionSet):
        if isinstance(target, Association):
            own = submission.submission_set.entry_uuid
            return target.association_type is HAS_MEMBER and target.source_object != own
        return not isinstance(target, SubmissionSet)
    return isinstance(source, Folder | None) and isinstance(target, DocumentEntry | None)


@rule(METADATA, tf3("4.2.2.1.1"))
def references_are_labelled(it: Structure) -> Iterator[Offender]:
    """A document that is not in the submission is included with SubmissionSetStatus Reference."""
    for target, links in it.included.items():
        for association in links:
            is_labelled = association.submission_set_status is SubmissionSetStatus.REFERENCE
            if target not in it.objects and is_uuid_urn(target) and not is_labelled:
                yield Offence(where(association, "SubmissionSetStatus"), expected="Reference")


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf3("4.2.1.5"))
def symbolic_references_resolve(it: Structure) -> Iterator[Offender]:
    """What is not in the submission is referred to by its UUID."""
    for association in it.submission.associations:
        for end in (association.source_object, association.target_object):
            if end not in it.objects and not is_uuid_urn(end):
                yield Offence(where(association), observed=end)


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf2("3.42.4.1.3.5"))
def relationships_start_at_new_entries(it: Structure) -> Iterator[Offender]:
    """The sourceObject of a relationship is a DocumentEntry of the submission."""
    entries = {entry.entry_uuid for entry in it.submission.document_entries} if it.relationships else ()
    for association in it.relationships:
        if association.source_object not in entries:
            yield Offence(where(association, "sourceObject"), observed=association.source_object)


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf2("3.42.4.1.3.5"))
def relationships_end_at_entries(it: Structure) -> Iterator[Offender]:
    """The targetObject of a relationship is a DocumentEntry; of RPLC, XFRM_RPLC and IsSnapshotOf a registered one."""
    for association in it.relationships:
        target = it.objects.get(association.target_object)
        if target and (association.association_type in OF_REGISTERED or not isinstance(target, DocumentEntry)):
            yield Offence(where(association, "targetObject"), observed=association.target_object)


@rule(METADATA, tf3("4.2.2.2"))
def entries_are_not_related_to_themselves(it: Structure) -> Iterator[Offender]:
    """A relationship links a DocumentEntry with another one."""
    for association in it.relationships:
        if association.source_object == association.target_object:
            yield where(association)


@rule(METADATA, tf3("4.2.2.2.1"))
def new_transformations_have_no_addenda(it: Structure) -> Iterator[Offender]:
    """A transformation is an alternate form of a document and shall not be appended."""
    transformed = {each.source_object for each in it.relationships if each.association_type is AssociationType.XFRM}
    for association in it.relationships:
        if association.association_type is AssociationType.APND and association.target_object in transformed:
            yield where(association)


@rule(METADATA, tf2("3.42.4.1.3.5"))
def snapshots_are_stable(it: Structure) -> Iterator[Offender]:
    """The sourceObject of IsSnapshotOf is a Stable DocumentEntry."""
    for association in it.relationships:
        source = it.objects.get(association.source_object)
        on_demand = isinstance(source, DocumentEntry) and source.object_type is ObjectType.ON_DEMAND
        if association.association_type is AssociationType.IS_SNAPSHOT_OF and on_demand:
            yield where(association, "sourceObject")


@rule(ErrorCode.PATIENT_ID_DOES_NOT_MATCH, tf2("3.42.4.1.3.3.2"))
def objects_share_the_patient(it: Structure) -> Iterator[Offender]:
    """Every DocumentEntry and Folder carries the patientId of its SubmissionSet."""
    expected = it.submission.submission_set.patient_id
    for each in it.submission.identified:
        if each.patient_id is not None and expected is not None and each.patient_id != expected:
            yield Offence(where(each, "patientId"), observed=str(each.patient_id), expected=str(expected))


@rule(ErrorCode.REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE, tf3("Table 4.2.4.1-2"))
def unique_ids_are_distinct(it: Structure) -> Iterator[Offender]:
    """No two objects of a submission have the same uniqueId."""
    unique_ids = [each.unique_id for each in it.submission.identified if each.unique_id]
    if len(set(unique_ids)) == len(unique_ids):
        return
    times = Counter(unique_ids)
    for each in it.submission.identified:
        if each.unique_id and times[each.unique_id] > 1:
            yield Offence(where(each, "uniqueId"), observed=each.unique_id)


STRUCTURE_RULES: tuple[Rule[Structure], ...] = (
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
