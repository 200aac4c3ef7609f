"""uniqueIds against those that the registry holds (ITI TF-2: 3.42.4.1.3.3.1, 3.42.4.1.3.3.7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ihe.citations import tf2, tf3
from ihe.errors import ErrorCode
from ihe.identifiers import UniqueId
from ihe.rules import Offence, Offender, Rule, rule
from xds.attributes import locate
from xds.model import DocumentEntry, MetadataObject, ObjectType, Submission
from xds.rows import normal_hash
from xds.store import Claim


@dataclass(frozen=True, slots=True)
class Claimed:
    """A submission, and what those of its uniqueIds stand for that the registry had already."""

    submission: Submission
    taken: Mapping[UniqueId, Claim]

    @property
    def repeated_entries(self) -> list[tuple[DocumentEntry, Claim]]:
        """The DocumentEntries whose uniqueId is taken."""
        if not self.taken:
            return []
        claims = [(each, self.taken.get(each.unique_id)) for each in self.submission.document_entries if each.unique_id]
        return [(entry, claim) for entry, claim in claims if claim]


def claims(submission: Submission) -> tuple[Claim, ...]:
    """The uniqueIds that a submission takes."""
    packages = (
        (MetadataObject.SUBMISSION_SET, (submission.submission_set,)),
        (MetadataObject.FOLDER, submission.folders),
    )
    return (
        *(Claim(unique_id=each.unique_id, kind=kind) for kind, of in packages for each in of if each.unique_id),
        *(
            Claim(
                unique_id=entry.unique_id,
                kind=MetadataObject.DOCUMENT_ENTRY,
                hash=normal_hash(entry.hash),
                size=entry.size,
            )
            for entry in submission.document_entries
            if entry.unique_id
        ),
    )


def _where(entry: DocumentEntry, attribute: str) -> str:
    return locate(MetadataObject.DOCUMENT_ENTRY, entry.entry_uuid, attribute)


def _differs(entry: DocumentEntry, sent: str | int | None, known: str | int | None) -> bool:
    """Claim that hash or size is another one; that a Stable DocumentEntry lacks it is told by its sender's rules."""
    return sent != known and (sent is not None or entry.object_type is ObjectType.ON_DEMAND)


@rule(ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY, tf2("3.42.4.1.3.3.7"))
def submission_sets_are_new(claimed: Claimed) -> Iterator[Offender]:
    """The uniqueId of a SubmissionSet is not used by any object in the registry."""
    each = claimed.submission.submission_set
    if each.unique_id in claimed.taken:
        yield Offence(locate(MetadataObject.SUBMISSION_SET, each.entry_uuid, "uniqueId"), observed=each.unique_id)


@rule(ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY, tf3("4.2.3.4.9"))
def folders_are_new(claimed: Claimed) -> Iterator[Offender]:
    """The uniqueId of a Folder is not used by any object in the registry."""
    for each in claimed.submission.folders:
        if each.unique_id in claimed.taken:
            yield Offence(locate(MetadataObject.FOLDER, each.entry_uuid, "uniqueId"), observed=each.unique_id)


@rule(ErrorCode.REGISTRY_METADATA_ERROR, tf3("4.2.3.2.26"))
def entries_do_not_take_ids_of_packages(claimed: Claimed) -> Iterator[Offender]:
    """The uniqueId of a DocumentEntry is not that of a SubmissionSet or Folder."""
    for entry, taken in claimed.repeated_entries:
        if taken.kind is not MetadataObject.DOCUMENT_ENTRY:
            yield Offence(_where(entry, "uniqueId"), observed=f"{entry.unique_id} of a {taken.kind.value}")


@rule(ErrorCode.NON_IDENTICAL_HASH, tf2("3.42.4.1.3.3.1"))
def repeated_entries_have_the_same_hash(claimed: Claimed) -> Iterator[Offender]:
    """A DocumentEntry that repeats a uniqueId has the hash of the registered document."""
    for entry, taken in claimed.repeated_entries:
        if taken.kind is MetadataObject.DOCUMENT_ENTRY and _differs(entry, normal_hash(entry.hash), taken.hash):
            yield Offence(_where(entry, "hash"), observed=f"{entry.hash} for uniqueId {entry.unique_id}")


@rule(ErrorCode.NON_IDENTICAL_SIZE, tf2("3.42.4.1.3.3.1"))
def repeated_entries_have_the_same_size(claimed: Claimed) -> Iterator[Offender]:
    """A DocumentEntry that repeats a uniqueId has the size of the registered document."""
    for entry, taken in claimed.repeated_entries:
        if taken.kind is MetadataObject.DOCUMENT_ENTRY and _differs(entry, entry.size, taken.size):
            yield Offence(_where(entry, "size"), observed=f"{entry.size} for uniqueId {entry.unique_id}")


UNIQUE_ID_RULES: tuple[Rule[Claimed], ...] = (
    submission_sets_are_new,
    folders_are_new,
    entries_do_not_take_ids_of_packages,
    repeated_entries_have_the_same_hash,
    repeated_entries_have_the_same_size,
)
