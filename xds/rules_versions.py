"""What an update must obey against what is registered (XDS Metadata Update: 3.57.4.1.3.3, Preconditions)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ihe.citations import supplement
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID, PatientKey, is_uuid_urn
from ihe.rules import Offence, Offender, Rule, rule
from xds.attribute_values import where
from xds.ebrim_writing import KINDS
from xds.metadata_update import NewVersion, Update
from xds.model import Association, AvailabilityStatus, DocumentEntry, Folder, MetadataObject
from xds.rules_operations import MU, OPERATION, UPDATE
from xds.rules_structure import HAS_MEMBER, RELATIONSHIPS
from xds.store import Registered

UNRESOLVED = ErrorCode.UNRESOLVED_REFERENCE
STATUS_PRECONDITIONS = supplement(MU, "3.57.4.1.3.1.2")
ENTRY = MetadataObject.DOCUMENT_ENTRY


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInRegistry:
    """An update beside what it refers to.

    ``latest`` are the latest versions by logicalID; ``known`` the objects by UUID that it names otherwise, sources of
    named Associations included. ``links`` are approved associations of the latest versions.
    """

    update: Update
    latest: Mapping[EntryUUID, Registered]
    known: Mapping[EntryUUID, Registered]
    links: tuple[Association, ...]

    def previous(self, version: NewVersion) -> Registered | None:
        """The latest version of what is updated."""
        return self.latest.get(version.logical_id) if version.logical_id else None

    def pairs(self) -> Iterator[tuple[NewVersion, Registered]]:
        """Each new version with the registered one that it replaces, where there is one."""
        for version in self.update.new_versions:
            previous = self.previous(version)
            if previous:
                yield version, previous

    def target(self, change: Association) -> Registered | None:
        """What has the OriginalStatus: of a version that the update brings it is the previous one (rule 11)."""
        for version in self.update.new_versions:
            if version.object.entry_uuid == change.target_object:
                return self.previous(version)
        return self.known.get(change.target_object)

    def targets(self) -> Iterator[tuple[Association, Registered]]:
        """Each change of status with its target, where there is one."""
        for change in self.update.status_changes:
            target = self.target(change)
            if target:
                yield change, target

    def holders(self) -> set[PatientKey]:
        """Whose objects get new versions or another status: not only those of the SubmissionSet's patient."""
        return {each.patient_key for _, each in (*self.pairs(), *self.targets())}

    def final_status(self, version: NewVersion) -> AvailabilityStatus | None:
        """The previous version's status, unless the update changes that too (rules 11 and 12)."""
        previous = self.previous(version)
        for change, target in self.targets():
            if previous and target.logical_id == previous.logical_id:
                return change.new_status
        return previous.status if previous else None

    def is_status_changeable(self, target: Registered) -> bool:
        """Claim that it is a DocumentEntry, a Folder, a relationship or a membership in a Folder (3.57.4.1.3.3.5.3)."""
        if target.kind is not MetadataObject.ASSOCIATION:
            return target.kind is not MetadataObject.SUBMISSION_SET
        source = self.known.get(target.source_object) if target.source_object else None
        in_folder = source is not None and source.kind is MetadataObject.FOLDER
        return target.association_type in RELATIONSHIPS or (target.association_type is HAS_MEMBER and in_folder)


@rule(UNRESOLVED, supplement(MU, "3.57.4.1.3.3.1.3, 3.57.4.1.3.3.3.3"))
def logical_objects_exist(subject: UpdateInRegistry) -> Iterator[Offender]:
    """The logicalID of a new version names a DocumentEntry or Folder of the registry."""
    for version in subject.update.new_versions:
        lid = version.logical_id
        if lid and is_uuid_urn(lid) and lid not in subject.latest and lid not in subject.known:
            yield Offence(where(version.object, "logicalID"), observed=lid)


@rule(ErrorCode.METADATA_IDENTIFIER, supplement(MU, "4.1.5"))
def logical_objects_keep_their_kind(subject: UpdateInRegistry) -> Iterator[Offender]:
    """A logicalID names versions of a DocumentEntry, or versions of a Folder."""
    for version in subject.update.new_versions:
        other = subject.known.get(version.logical_id) if version.logical_id else None
        if other and version.logical_id not in subject.latest:
            yield Offence(where(version.object, "logicalID"), observed=f"{other.kind.value} {version.logical_id}")


@rule(ErrorCode.METADATA_IDENTIFIER, supplement(MU, "3.57.4.1.3.3.1.3, 3.57.4.1.3.3.3.3"))
def unique_ids_stay(subject: UpdateInRegistry) -> Iterator[Offender]:
    """A new version has the uniqueId of the existing one."""
    for version, previous in subject.pairs():
        if version.object.unique_id and version.object.unique_id != previous.unique_id:
            location = where(version.object, "uniqueId")
            yield Offence(location, observed=version.object.unique_id, expected=previous.unique_id)


@rule(ErrorCode.METADATA_IDENTIFIER, supplement(MU, "3.57.4.1.3.3.1.3"))
def object_types_stay(subject: UpdateInRegistry) -> Iterator[Offender]:
    """A new version of a DocumentEntry has the objectType of the existing one."""
    for version, previous in subject.pairs():
        each = version.object
        if isinstance(each, DocumentEntry) and previous.object_type and each.object_type is not previous.object_type:
            expected = previous.object_type.value
            yield Offence(where(each, "objectType"), observed=each.object_type.value, expected=expected)


@rule(ErrorCode.METADATA_VERSION, supplement(MU, "3.57.4.1.3.3.1.3, 3.57.4.1.3.3.3.3"))
def previous_versions_are_the_latest(subject: UpdateInRegistry) -> Iterator[Offender]:
    """PreviousVersion is the number of the latest version; another update may have been first."""
    for version, previous in subject.pairs():
        if version.previous and (previous.superseded or version.previous != previous.version):
            location = where(version.object, "PreviousVersion")
            latest = f"more than {previous.version}" if previous.superseded else str(previous.version)
            yield Offence(location, observed=str(version.previous), expected=latest)


@rule(UPDATE, supplement(MU, "3.57.4.1.3.3.3.3"))
def updated_folders_are_approved(subject: UpdateInRegistry) -> Iterator[Offender]:
    """Only an approved Folder is updated; a DocumentEntry may be deprecated."""
    for version, previous in subject.pairs():
        is_deprecated = previous.status is not AvailabilityStatus.APPROVED and not previous.superseded
        if isinstance(version.object, Folder) and is_deprecated:
            yield Offence(where(version.object), observed=f"{previous.entry_uuid} is deprecated")


@rule(UPDATE, supplement(MU, "3.57.4.1.3.1.1"))
def related_updates_propagate_alike(subject: UpdateInRegistry) -> Iterator[Offender]:
    """New versions of objects that are linked have the same AssociationPropagation."""
    by_previous = {previous.entry_uuid: version for version, previous in subject.pairs()}
    for link in subject.links:
        source, target = by_previous.get(link.source_object), by_previous.get(link.target_object)
        if source and target and source.propagates != target.propagates:
            yield Offence(where(source.link, "AssociationPropagation"), observed=f"other than {where(target.object)}")


@rule(UNRESOLVED, STATUS_PRECONDITIONS)
def changed_objects_exist(subject: UpdateInRegistry) -> Iterator[Offender]:
    """The target of a change of status is an object of the registry."""
    new = {version.object.entry_uuid for version in subject.update.new_versions}
    for change in subject.update.status_changes:
        uuid = change.target_object
        if is_uuid_urn(uuid) and uuid not in new and uuid not in subject.known:
            yield Offence(where(change, "targetObject"), observed=uuid)


@rule(OPERATION, supplement(MU, "3.57.4.1.3.1.2, 3.57.4.1.3.3.5.3, 3.57.4.1.3.1 rule 8"))
def changed_objects_have_a_lifecycle(subject: UpdateInRegistry) -> Iterator[Offender]:
    """The status of DocumentEntries, Folders, relationships and Folder memberships changes, and of nothing else."""
    for change, target in subject.targets():
        if not subject.is_status_changeable(target):
            kind = target.association_type.name if target.association_type else target.kind.value
            yield Offence(where(change, "targetObject"), observed=f"{kind} {target.entry_uuid}")


@rule(UPDATE, STATUS_PRECONDITIONS)
def changed_objects_are_the_latest(subject: UpdateInRegistry) -> Iterator[Offender]:
    """The status of the most recent version alone changes."""
    for change, target in subject.targets():
        if target.superseded:
            observed = f"version {target.version} of {target.logical_id}"
            yield Offence(where(change, "targetObject"), observed=observed)


@rule(UPDATE, STATUS_PRECONDITIONS)
def original_statuses_match(subject: UpdateInRegistry) -> Iterator[Offender]:
    """OriginalStatus is the status that the object has; another update may have been first."""
    for change, target in subject.targets():
        if change.original_status is not None and change.original_status is not target.status:
            location = where(change, "OriginalStatus")
            yield Offence(location, observed=change.original_status.value, expected=target.status.value)


@rule(UPDATE, supplement(MU, "3.57.4.1.3.1 rule 14"))
def a_status_changes_once(subject: UpdateInRegistry) -> Iterator[Offender]:
    """An update changes the status of a logical object at most once."""
    times = Counter(target.logical_id for _, target in subject.targets())
    for change, target in subject.targets():
        if times[target.logical_id] > 1:
            yield Offence(where(change, "targetObject"), observed=target.logical_id)


@rule(UNRESOLVED, supplement(MU, "3.57.4.1.3.3.6.3"))
def ends_exist(subject: UpdateInRegistry) -> Iterator[Offender]:
    """Both ends of a submitted association are in the registry, or are new versions of this update."""
    new = {each.entry_uuid for each in subject.update.submission.objects}
    for association, end in _ends(subject):
        if is_uuid_urn(end) and end not in new and end not in subject.known:
            yield Offence(where(association), observed=end)


@rule(UPDATE, supplement(MU, "3.57.4.1.3.3.6.3"))
def ends_are_appropriate(subject: UpdateInRegistry) -> Iterator[Offender]:
    """A relationship links DocumentEntries; the HasMember of a Folder links it to a DocumentEntry."""
    own = {each.entry_uuid: KINDS[type(each)] for each in subject.update.submission.objects}
    for association, end in _ends(subject):
        kind = subject.known[end].kind if end in subject.known else own.get(end)
        is_source = association.association_type is HAS_MEMBER and end == association.source_object
        expected = MetadataObject.FOLDER if is_source else ENTRY
        if kind is not None and kind is not expected:
            yield Offence(where(association), observed=f"{kind.value} {end}", expected=expected.value)


@rule(UPDATE, supplement(MU, "3.57.4.1.3.3.6.3"))
def ends_are_not_deprecated(subject: UpdateInRegistry) -> Iterator[Offender]:
    """No end of a submitted association is deprecated when the update is done."""
    new = {version.object.entry_uuid: version for version in subject.update.new_versions}
    replaced = {previous.entry_uuid for _, previous in subject.pairs()}
    changed = {target.entry_uuid: change.new_status for change, target in subject.targets()}
    for association, end in _ends(subject):
        if end in new:
            status = subject.final_status(new[end])
        else:
            status = changed.get(end, subject.known[end].status if end in subject.known else None)
        if status is AvailabilityStatus.DEPRECATED or end in replaced:
            yield Offence(where(association), observed=f"{end} is deprecated")


def _ends(subject: UpdateInRegistry) -> Iterator[tuple[Association, EntryUUID]]:
    for association in subject.update.submitted:
        yield association, association.source_object
        yield association, association.target_object


VERSION_RULES: tuple[Rule[UpdateInRegistry], ...] = (
    logical_objects_exist,
    logical_objects_keep_their_kind,
    unique_ids_stay,
    object_types_stay,
    previous_versions_are_the_latest,
    updated_folders_are_approved,
    related_updates_propagate_alike,
    changed_objects_exist,
    changed_objects_have_a_lifecycle,
    changed_objects_are_the_latest,
    original_statuses_match,
    a_status_changes_once,
    ends_exist,
    ends_are_appropriate,
    ends_are_not_deprecated,
)
