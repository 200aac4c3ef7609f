"""Association Propagation: new versions inherit the links of the previous ones.

XDS Metadata Update: 3.57.4.1.3.1.1, 3.57.4.1.3.3.1.5, 3.57.4.1.3.3.3.5. The previous versions keep theirs, approved as
they are: the operations of the supplement deprecate the previous version and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ihe.identifiers import EntryUUID
from xds.acceptance import first_version, membership
from xds.model import Association, AvailabilityStatus, MetadataObject
from xds.rules_structure import HAS_MEMBER
from xds.store import Registered


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """What is linked with the objects that are updated.

    ``successors`` are the UUIDs of new versions by those of the previous ones that pass on their links; ``ends`` the
    objects at the ends of the links.
    """

    submission_set: EntryUUID
    successors: Mapping[EntryUUID, EntryUUID]
    ends: Mapping[EntryUUID, Registered]
    new_uuid: Callable[[], EntryUUID]

    def propagated(self, links: tuple[Association, ...]) -> Iterator[Association]:
        """The same links between new versions; memberships in Folders become part of the SubmissionSet."""
        for link in links:
            if self._is_inherited(link):
                copy = self._copy(link)
                yield copy
                if copy.association_type is HAS_MEMBER:
                    yield membership(self.new_uuid, self.submission_set, copy.entry_uuid)

    def _is_inherited(self, link: Association) -> bool:
        source, target = self.ends.get(link.source_object), self.ends.get(link.target_object)
        if source is None or target is None or source.kind is MetadataObject.SUBMISSION_SET:
            return False
        if target.entry_uuid in self.successors:
            return source.entry_uuid in self.successors or not source.superseded
        if source.entry_uuid not in self.successors or target.superseded:
            return False
        # Of a Folder "HasMember Associations linking the existing Folder to a DocumentEntry with status Approved".
        return link.association_type is not HAS_MEMBER or target.status is AvailabilityStatus.APPROVED

    def _copy(self, link: Association) -> Association:
        made = first_version(link, lambda _: self.new_uuid())
        source = self.successors.get(link.source_object, link.source_object)
        target = self.successors.get(link.target_object, link.target_object)
        return replace(made, source_object=source, target_object=target)
