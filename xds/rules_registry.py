"""What a submission must obey against what is registered already (ITI TF-2: 3.42.4.1.3.4, 3.42.4.1.3.5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ihe.citations import tf2, tf3
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID, is_uuid_urn
from ihe.rules import Offence, Offender, Rule, rule
from xds.attribute_values import where
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    MetadataObject,
    ObjectType,
    Submission,
)
from xds.patients import Patient
from xds.store import DERIVED, Registered

Ends = Sequence[tuple[Association, EntryUUID]]


def ends_outside(submission: Submission) -> Ends:
    """Each association's ends that are no objects of the submission, as far as they are UUIDs."""
    own = {each.entry_uuid for each in submission.objects}
    found = []
    for association in submission.associations:
        for end in (association.source_object, association.target_object):
            if end not in own and is_uuid_urn(end):
                found.append((association, end))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class InRegistry:
    """A submission beside what it refers to. ``patient`` is None where the feed announced none.

    ``outside`` are its ``ends_outside``. ``known`` are the registered objects to which it refers or whose UUIDs it
    brings; ``transformations`` those of them that are one.
    """

    submission: Submission
    patient: Patient | None
    outside: Ends
    known: Mapping[EntryUUID, Registered]
    transformations: frozenset[EntryUUID] = frozenset()

    @property
    def referenced(self) -> list[tuple[Association, Registered]]:
        """Each association's ends that are registered objects."""
        known = self.known
        return [(association, known[end]) for association, end in self.outside if end in known] if known else []

    def includes(self, association: Association) -> bool:
        """Claim that the SubmissionSet includes a document by reference (ITI TF-3: 4.2.2.1.1)."""
        return (
            association.association_type is AssociationType.HAS_MEMBER
            and association.source_object == self.submission.submission_set.entry_uuid
        )


@rule(ErrorCode.REGISTRY_METADATA_ERROR, tf3("4.2.3.1.5"))
def uuids_are_new(subject: InRegistry) -> Iterator[Offender]:
    """The entryUUID of a new object is not in use."""
    for each in subject.submission.objects:
        if each.entry_uuid in subject.known:
            yield Offence(where(each), observed=each.entry_uuid)


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf2("3.42.4.1.3.5"))
def references_resolve(subject: InRegistry) -> Iterator[Offender]:
    """Every entryUUID that is not in the submission names an object of the registry."""
    for association, end in subject.outside:
        if end not in subject.known:
            yield Offence(where(association), observed=end)


@rule(ErrorCode.UNRESOLVED_REFERENCE, tf2("3.42.4.1.3.5"))
def associations_link_entries_and_folders(subject: InRegistry) -> Iterator[Offender]:
    """An association refers to a registered DocumentEntry, or to a registered Folder that gets a member."""
    for association, object in subject.referenced:
        is_folder = association.association_type is AssociationType.HAS_MEMBER and (
            object.entry_uuid == association.source_object
        )
        expected = MetadataObject.FOLDER if is_folder else MetadataObject.DOCUMENT_ENTRY
        if object.kind is not expected:
            yield Offence(where(association), observed=object.kind.value, expected=expected.value)


@rule(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT, tf2("3.42.4.1.3.5"))
def referenced_objects_are_approved(subject: InRegistry) -> Iterator[Offender]:
    """Nothing is associated with a deprecated DocumentEntry or Folder."""
    for association, object in subject.referenced:
        if object.status is not AvailabilityStatus.APPROVED:
            yield Offence(where(association), observed=f"{object.entry_uuid} is deprecated")


@rule(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT, tf2("3.42.4.1.3.5"))
def an_entry_is_replaced_once(subject: InRegistry) -> Iterator[Offender]:
    """A DocumentEntry that a submission replaces gets no other replacement, addendum or transformation by it."""
    replaced: set[EntryUUID] = set()
    relations = [each for each in subject.submission.associations if each.association_type in (*REPLACING, *DERIVED)]
    # A replacement deprecates them, so beside one they would be deprecated while they are submitted.
    for association in sorted(relations, key=lambda each: each.association_type not in REPLACING):
        if association.target_object in replaced:
            yield Offence(where(association), observed=association.target_object)
        if association.association_type in REPLACING:
            replaced.add(association.target_object)


@rule(ErrorCode.PATIENT_ID_DOES_NOT_MATCH, tf2("3.42.4.1.3.3.2, 3.42.4.1.3.5"))
def referenced_objects_are_of_the_patient(subject: InRegistry) -> Iterator[Offender]:
    """A DocumentEntry or Folder that a submission relates to its own belongs to the same patient."""
    for association, object in subject.referenced:
        # A document included by reference may be another patient's (ITI TF-3: 4.2.2.1.1).
        if subject.patient and not subject.includes(association) and object.patient_key not in subject.patient.keys:
            observed = f"{object.entry_uuid} of another patient"
            yield Offence(where(association), observed=observed, expected=str(subject.patient.id))


@rule(ErrorCode.REGISTRY_METADATA_ERROR, tf3("4.2.2.2.1"))
def a_transformation_has_no_addenda(subject: InRegistry) -> Iterator[Offender]:
    """A transformation is an alternate form of a document and shall not be appended."""
    for association in subject.submission.associations:
        is_addendum = association.association_type is AssociationType.APND
        if is_addendum and association.target_object in subject.transformations:
            yield Offence(where(association), observed=association.target_object)


@rule(ErrorCode.REGISTRY_METADATA_ERROR, tf2("3.42.4.1.3.5"))
def snapshots_are_of_on_demand_entries(subject: InRegistry) -> Iterator[Offender]:
    """The targetObject of IsSnapshotOf is an On-Demand DocumentEntry."""
    for association, object in subject.referenced:
        is_snapshot = association.association_type is AssociationType.IS_SNAPSHOT_OF
        if is_snapshot and object.object_type is ObjectType.STABLE:
            yield Offence(where(association), observed=f"{object.entry_uuid} is stable")


REPLACING = (AssociationType.RPLC, AssociationType.XFRM_RPLC)
REGISTRY_RULES: tuple[Rule[InRegistry], ...] = (
    uuids_are_new,
    references_resolve,
    associations_link_entries_and_folders,
    referenced_objects_are_approved,
    an_entry_is_replaced_once,
    referenced_objects_are_of_the_patient,
    a_transformation_has_no_addenda,
    snapshots_are_of_on_demand_entries,
)
