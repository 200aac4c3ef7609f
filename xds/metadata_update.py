"""What an update asks for: versions, changes of status, associations (XDS Metadata Update: 3.57.4.1.3.3)."""

from dataclasses import dataclass

from ihe.identifiers import EntryUUID
from xds.model import Association, AssociationType, DocumentEntry, Folder, Submission
from xds.rules_structure import HAS_MEMBER, RELATIONSHIPS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A DocumentEntry or Folder that replaces its previous version, and the HasMember that says so.

    ``logical_id`` and ``previous`` are there in every update that obeys the rules.
    """

    object: DocumentEntry | Folder
    link: Association

    @property
    def logical_id(self) -> EntryUUID | None:
        """Of which logical object this is a version."""
        return self.object.logical_id

    @property
    def previous(self) -> int | None:
        """The number of the version that it replaces."""
        return self.link.previous_version

    @property
    def propagates(self) -> bool:
        """Claim that the registry links the new version like the previous one (3.57.4.1.3.3.1.5: unless "no")."""
        return self.link.association_propagation is not False


@dataclass(frozen=True, slots=True)
class Update:
    """A Submission Request seen as operations on what is registered."""

    submission: Submission

    @property
    def set_uuid(self) -> EntryUUID:
        """The id of the SubmissionSet."""
        return self.submission.submission_set.entry_uuid

    @property
    def versioned(self) -> tuple[DocumentEntry | Folder, ...]:
        """The objects that shall be new versions."""
        return (*self.submission.document_entries, *self.submission.folders)

    @property
    def members(self) -> tuple[Association, ...]:
        """The SubmissionSet's HasMember associations, which trigger nothing by themselves."""
        return tuple(each for each in self._of(HAS_MEMBER) if each.source_object == self.set_uuid)

    @property
    def new_versions(self) -> tuple[NewVersion, ...]:
        """Update DocumentEntry Metadata and Update Folder Metadata (3.57.4.1.3.3.1, 3.57.4.1.3.3.3)."""
        links = {each.target_object: each for each in reversed(self.members)}
        return tuple(
            NewVersion(object=each, link=links[each.entry_uuid]) for each in self.versioned if each.entry_uuid in links
        )

    @property
    def status_changes(self) -> tuple[Association, ...]:
        """Update availabilityStatus of DocumentEntries, Folders, Associations (3.57.4.1.3.3.2, .4 and .5)."""
        return self._of(AssociationType.UPDATE_AVAILABILITY_STATUS)

    @property
    def submit_associations(self) -> tuple[Association, ...]:
        """The triggers of Submit Associations (3.57.4.1.3.3.6)."""
        return self._of(AssociationType.SUBMIT_ASSOCIATION)

    @property
    def submitted(self) -> tuple[Association, ...]:
        """The associations that shall be there afterwards: relationships, and memberships in Folders."""
        members = {each.entry_uuid for each in self.members}
        kinds = RELATIONSHIPS | {HAS_MEMBER}
        associations = self.submission.associations
        return tuple(e for e in associations if e.association_type in kinds and e.entry_uuid not in members)

    def _of(self, kind: AssociationType) -> tuple[Association, ...]:
        return tuple(each for each in self.submission.associations if each.association_type is kind)
