"""Removing metadata, all that a request names or nothing (Remove Metadata and Documents: 3.62.4.1.3)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from ihe.citations import supplement
from ihe.datatypes import CX
from ihe.errors import ErrorCode, Rejected
from ihe.exchange import Transactor
from ihe.identifiers import EntryUUID, PatientKey
from ihe.rules import Offence, Offender, Rule, breaches, rule
from xds import removal_store, store
from xds.model import AssociationType, MetadataObject
from xds.patients import Patients
from xds.seeing import seen
from xds.store import Registered
from xds.visibility import Viewer, anew
from xds.witness import NOBODY, Witness

ACTIONS = supplement("RMD", "3.62.4.1.3")
BELONGING = (AssociationType.HAS_MEMBER, AssociationType.SUBMIT_ASSOCIATION)
"""Associations by which a SubmissionSet brought an object."""
SUBMISSION_SET = MetadataObject.SUBMISSION_SET


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What shall go, beside what would remain.

    ``known`` are the objects that exist: the named ones, and the ends of named associations. ``around`` are all
    associations from or to one of them, ``versions`` all versions of named DocumentEntries and Folders.
    """

    named: tuple[EntryUUID, ...]
    known: Mapping[EntryUUID, Registered]
    around: tuple[Registered, ...]
    versions: tuple[Registered, ...]

    @property
    def gone(self) -> tuple[Registered, ...]:
        """The objects that shall go."""
        return tuple(self.known[uuid] for uuid in self.named if uuid in self.known)

    @property
    def remaining(self) -> tuple[Registered, ...]:
        """The associations that would remain."""
        return tuple(each for each in self.around if each.entry_uuid not in self.named)

    def loosened(self) -> tuple[Registered, ...]:
        """What remains of the ends of associations that go: SubmissionSets, and what they brought."""
        sets = [each.source_object for each in self.gone if self.is_of_set(each)]
        members = [each.target_object for each in self.gone if self.brings(each)]
        ends = dict.fromkeys([*sets, *members])
        left = (self.known.get(end) for end in ends if end is not None and end not in self.named)
        return tuple(each for each in left if each is not None)

    def is_of_set(self, association: Registered) -> bool:
        """Claim that the association starts at a SubmissionSet."""
        source = self.known.get(association.source_object) if association.source_object else None
        return source is not None and source.kind is SUBMISSION_SET

    def brings(self, association: Registered) -> bool:
        """Claim that a SubmissionSet brought the association's target by it."""
        return association.association_type in BELONGING and self.is_of_set(association)


@rule(ErrorCode.UNRESOLVED_REFERENCE, ACTIONS)
def named_objects_exist(removal: Removal) -> Iterator[Offender]:
    """Every entryUUID of the request is known to the registry."""
    for uuid in removal.named:
        if uuid not in removal.known:
            yield Offence(uuid, observed=uuid)


@rule(ErrorCode.REFERENCES_EXIST, ACTIONS)
def no_association_refers_to_what_goes(removal: Removal) -> Iterator[Offender]:
    """No Association that remains refers to an object that goes."""
    for association in removal.remaining:
        for end in (association.source_object, association.target_object):
            if end in removal.named:
                yield Offence(str(end), observed=f"{end} is referenced by Association {association.entry_uuid}")


@rule(ErrorCode.REFERENCES_EXIST, ACTIONS)
def first_versions_go_last(removal: Removal) -> Iterator[Offender]:
    """No version that remains has the entryUUID of an object that goes as its logicalID."""
    for each in removal.versions:
        if each.logical_id in removal.named and each.entry_uuid not in removal.named:
            observed = f"{each.logical_id} is the logicalID of {each.entry_uuid}, version {each.version}"
            yield Offence(each.logical_id, observed=observed)


@rule(ErrorCode.UNREFERENCED_OBJECT, ACTIONS)
def nothing_is_orphaned(removal: Removal) -> Iterator[Offender]:
    """What a removed association linked with a SubmissionSet is still part of one, and no SubmissionSet is empty."""
    filled = {each.source_object for each in removal.remaining}
    kept = {each.target_object for each in removal.remaining if removal.brings(each)}
    for each in removal.loosened():
        if each.kind is SUBMISSION_SET and each.entry_uuid not in filled:
            yield Offence(each.entry_uuid, observed=f"SubmissionSet {each.entry_uuid} would be empty")
        if each.kind is not SUBMISSION_SET and each.entry_uuid not in kept:
            yield Offence(each.entry_uuid, observed=f"{each.kind.value} {each.entry_uuid} would be in no SubmissionSet")


REMOVAL_RULES: tuple[Rule[Removal], ...] = (
    named_objects_exist,
    no_association_refers_to_what_goes,
    first_versions_go_last,
    nothing_is_orphaned,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed, and whose it was."""

    objects: tuple[Registered, ...]
    patients: Mapping[PatientKey, CX]


def remove(
    database: Transactor[Connection],
    patients: Patients,
    uuids: Collection[EntryUUID],
    witness: Witness = NOBODY,
    viewer: Viewer | None = None,
) -> Removed:
    """Remove objects of any patients and return what they were. Rejected holds every breach; then nothing is removed.

    Their documents stay in the repository until Remove Documents [ITI-86]. What is not seen is unknown.
    """

    def work(connection: Connection) -> Removed:
        objects = remove_in(connection, uuids, viewer)
        keys = {each.patient_key for each in objects}
        witness.changed(connection, keys)
        return Removed(objects=objects, patients=patients.current(connection, keys))

    return database.write(work)


def remove_in(
    connection: Connection, uuids: Collection[EntryUUID], viewer: Viewer | None = None
) -> tuple[Registered, ...]:
    """The same within the caller's transaction, which must not commit if this raises."""
    removal = _surroundings(connection, tuple(dict.fromkeys(uuids)), anew(viewer))
    found = tuple(breaches(removal, REMOVAL_RULES))
    if found:
        raise Rejected(*found)
    removal_store.remove(connection, removal.gone)
    removal_store.reinstate_latest(connection, {each.logical_id for each in removal.versions})
    return removal.gone


def _surroundings(connection: Connection, named: tuple[EntryUUID, ...], viewer: Viewer | None) -> Removal:
    """Hold what is named and what it is linked with, so that nobody else links or removes it meanwhile."""
    found = seen(connection, viewer, store.find(connection, named))
    ends = {end for each in found.values() for end in (each.source_object, each.target_object) if end}
    known = {**found, **store.find(connection, ends - found.keys())}
    around = tuple(removal_store.associations_of(connection, known.keys()))
    sources = {each.source_object for each in around if each.source_object}
    known |= store.find(connection, sources - known.keys())
    logical_ids = {each.logical_id for each in found.values() if each.kind in removal_store.VERSIONED}
    versions = tuple(removal_store.versions_of(connection, logical_ids))
    return Removal(named=named, known=known, around=around, versions=versions)
