"""The Document Registry's updates of metadata, all of each or nothing (XDS Metadata Update: 3.57.4.1.3)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection

from ihe.citations import supplement
from ihe.errors import Breach, ErrorCode, Rejected, Severity
from ihe.identifiers import EntryUUID, PatientKey
from ihe.rules import breaches
from xds import admission, store, versions
from xds.acceptance import accept
from xds.attribute_values import where
from xds.ebrim import Decoded
from xds.ebrim_writing import fragment
from xds.metadata_update import Update
from xds.model import (
    Association,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    MetadataObject,
    RegistryObject,
    Submission,
)
from xds.patients import Patient
from xds.propagation import Propagation
from xds.reconciliation import linked
from xds.registry import DocumentRegistry, gaining_folders, unknown_patient
from xds.rules_operations import MU
from xds.rules_registry import InRegistry, ends_outside
from xds.rules_unique_ids import Claimed, claims
from xds.rules_update import BY_REFERENCE_RULES, UNIQUE_ID_RULES_OF_UPDATES, as_of_update, update_breaches
from xds.rules_versions import VERSION_RULES, UpdateInRegistry
from xds.seeing import seen
from xds.store import Registered
from xds.visibility import Viewer, anew

Versioned = TypeVar("Versioned", DocumentEntry, Folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedUpdate:
    """An update that obeys every rule that needs no look into the registry.

    ``asked`` is what the sender sent and knows by its ids; ``accepted`` is the same with UUIDs, object by object.
    """

    asked: Update
    accepted: Submission
    warnings: tuple[Breach, ...]


def update(registry: DocumentRegistry, decoded: Decoded, viewer: Viewer | None = None) -> tuple[Breach, ...]:
    """Make the changes and return the warnings. Rejected holds every breach; then nothing has changed."""
    prepared = prepare(registry, decoded)
    registry.database.write(lambda connection: update_in(connection, registry, prepared, viewer))
    return prepared.warnings


def prepare(registry: DocumentRegistry, decoded: Decoded) -> PreparedUpdate:
    """Check all that needs no database."""
    found = tuple(update_breaches(decoded, registry.domain))
    if decoded.submission is None or any(breach.severity is Severity.ERROR for breach in found):
        raise Rejected(*found)
    asked, accepted = decoded.submission, accept(decoded.submission, registry.time(), registry.new_uuid)
    accepted = replace(
        accepted,
        document_entries=_of_one_object(asked.document_entries, accepted.document_entries),
        folders=_of_one_object(asked.folders, accepted.folders),
    )
    return PreparedUpdate(asked=Update(asked), accepted=accepted, warnings=found)


def _of_one_object(asked: tuple[Versioned, ...], accepted: tuple[Versioned, ...]) -> tuple[Versioned, ...]:
    """Accepted objects with the logicalID that the sender gave."""
    return tuple(replace(new, logical_id=old.logical_id) for old, new in zip(asked, accepted, strict=True))


def update_in(
    connection: Connection, registry: DocumentRegistry, prepared: PreparedUpdate, viewer: Viewer | None = None
) -> None:
    """Make the changes within the caller's transaction, which must not commit if this raises."""
    patient, subject = _admit(connection, registry, prepared.asked, anew(viewer))
    uuids = dict(zip(_ids(prepared.asked.submission), _ids(prepared.accepted), strict=True))
    propagated = _propagated(connection, registry, subject, uuids)
    _supersede(connection, subject)
    objects = (*_next_versions(prepared.accepted, subject), *propagated)
    fragments = {each.entry_uuid: fragment(each) for each in objects}
    registry.store_each(connection, _places(objects, patient, subject), fragments)
    store.touch(connection, gaining_folders(connection, objects), registry.time())
    touched = {*_change_statuses(connection, subject), *(each.entry_uuid for each in objects)}
    found = linked(connection, registry.patients, patient, touched).breaches()
    sent = {accepted: asked for asked, accepted in uuids.items()}
    misaligned = [replace(each, location=sent.get(EntryUUID(each.location), each.location)) for each in found]
    if misaligned:
        raise Rejected(*misaligned)
    registry.witness.changed(connection, {*patient.keys, *subject.holders()})


def _ids(submission: Submission) -> tuple[EntryUUID, ...]:
    return tuple(each.entry_uuid for each in submission.objects)


def _admit(
    connection: Connection, registry: DocumentRegistry, asked: Update, viewer: Viewer | None
) -> tuple[Patient, UpdateInRegistry]:
    """Check the update against the feed and the registry; its patient and what it refers to, if nothing is wrong."""
    submission = asked.submission
    patient_id = submission.submission_set.patient_id
    patient = registry.patients.resolve(connection, patient_id) if patient_id else None
    patient = patient if patient and admission.admits(connection, viewer, patient) else None
    found = [*admission.refused(connection, viewer, patient, submission)] if patient else [unknown_patient(submission)]
    subject = surroundings(connection, asked, viewer)
    found += breaches(subject, VERSION_RULES)
    found += breaches(_by_reference(connection, asked, patient, viewer), BY_REFERENCE_RULES)
    taken = store.claim(connection, claims(replace(submission, folders=())))
    found += breaches(Claimed(submission, taken), UNIQUE_ID_RULES_OF_UPDATES)
    if found or patient is None:
        raise Rejected(*(as_of_update(breach) for breach in found))
    return patient, subject


def surroundings(connection: Connection, asked: Update, viewer: Viewer | None = None) -> UpdateInRegistry:
    """Find and hold what an update refers to, as far as it is seen."""
    latest = {
        **versions.latest(connection, MetadataObject.DOCUMENT_ENTRY, _logical(asked.submission.document_entries)),
        **versions.latest(connection, MetadataObject.FOLDER, _logical(asked.submission.folders)),
    }
    named = {change.target_object for change in asked.status_changes} | {*_logical(asked.versioned)}
    named |= {end for each in asked.submitted for end in (each.source_object, each.target_object)}
    latest = {each.logical_id: each for each in seen(connection, viewer, _by_uuid(latest)).values()}
    known = dict(seen(connection, viewer, store.find(connection, named)))
    known |= store.find(connection, {each.source_object for each in known.values() if each.source_object} - {*known})
    links = versions.approved_links(connection, {each.entry_uuid for each in latest.values()})
    return UpdateInRegistry(update=asked, latest=latest, known=known, links=tuple(links))


def _by_uuid(objects: Mapping[EntryUUID, Registered]) -> Mapping[EntryUUID, Registered]:
    return {each.entry_uuid: each for each in objects.values()}


def _logical(objects: Iterable[DocumentEntry | Folder]) -> tuple[EntryUUID, ...]:
    return tuple(each.logical_id for each in objects if each.logical_id)


def _by_reference(connection: Connection, asked: Update, patient: Patient | None, viewer: Viewer | None) -> InRegistry:
    """The documents that the SubmissionSet includes without updating them (ITI TF-3: 4.2.2.1.1)."""
    own = {each.entry_uuid for each in asked.submission.objects}
    members = tuple(each for each in asked.members if each.target_object not in own)
    submission = Submission(submission_set=asked.submission.submission_set, associations=members)
    known = seen(connection, viewer, store.find(connection, (each.target_object for each in members)))
    return InRegistry(submission=submission, patient=patient, outside=ends_outside(submission), known=known)


def _propagated(
    connection: Connection,
    registry: DocumentRegistry,
    subject: UpdateInRegistry,
    uuids: Mapping[EntryUUID, EntryUUID],
) -> tuple[Association, ...]:
    """The links that new versions inherit; ``uuids`` are the objects' new ids by those that the sender gave."""
    propagating = [(version, previous) for version, previous in subject.pairs() if version.propagates]
    successors = {previous.entry_uuid: uuids[version.object.entry_uuid] for version, previous in propagating}
    links = tuple(each for each in subject.links if successors.keys() & {each.source_object, each.target_object})
    ends = store.find(connection, (end for each in links for end in (each.source_object, each.target_object)))
    propagation = Propagation(
        submission_set=uuids[subject.update.set_uuid], successors=successors, ends=ends, new_uuid=registry.new_uuid
    )
    return tuple(propagation.propagated(links))


def _supersede(connection: Connection, subject: UpdateInRegistry) -> None:
    lost = [
        _lost_race(ErrorCode.METADATA_VERSION, where(version.object), PREVIOUS_VERSION)
        for version, previous in subject.pairs()
        if not versions.supersede(connection, previous)
    ]
    if lost:
        raise Rejected(*lost)


def _next_versions(accepted: Submission, subject: UpdateInRegistry) -> tuple[RegistryObject, ...]:
    """The accepted objects as they are stored: versions with number, logicalID and status, the others as new ones."""
    following = {version.logical_id: (previous, subject.final_status(version)) for version, previous in subject.pairs()}
    return tuple(
        _follow(each, *following[each.logical_id]) if each.logical_id in following else each
        for each in accepted.objects
    )


def _places(
    objects: Iterable[RegistryObject], patient: Patient, subject: UpdateInRegistry
) -> list[tuple[RegistryObject, PatientKey]]:
    """Each object with the id that it belongs to, of those that are one patient: a version with the previous one's.

    So it goes home with its document where the merge is taken back, and so does the SubmissionSet if it updates
    nothing else.
    """
    former = {
        previous.logical_id: previous.patient_key if previous.patient_key in patient.keys else patient.key
        for _, previous in subject.pairs()
    }
    alone = set(former.values())
    key = alone.pop() if len(alone) == 1 else patient.key
    return [(each, former.get(each.logical_id, key) if each.logical_id else key) for each in objects]


def _follow(each: RegistryObject, previous: Registered, status: AvailabilityStatus | None) -> RegistryObject:
    """The object as the version after the previous one."""
    return replace(each, version=previous.version + 1, availability_status=status)


def _change_statuses(connection: Connection, subject: UpdateInRegistry) -> Iterator[EntryUUID]:
    """Change what is registered, and name what is approved again."""
    updated = {previous.logical_id for _, previous in subject.pairs()}
    for change, target in subject.targets():
        if target.logical_id in updated or change.new_status is None:
            continue
        if not versions.change_status(connection, target, change.new_status):
            raise Rejected(_lost_race(ErrorCode.METADATA_UPDATE_ERROR, where(change), ORIGINAL_STATUS))
        if change.new_status is AvailabilityStatus.APPROVED:
            yield target.entry_uuid


PREVIOUS_VERSION = "PreviousVersion is the number of the latest version"
ORIGINAL_STATUS = "OriginalStatus is the status that the object has"


def _lost_race(code: ErrorCode, location: str, text: str) -> Breach:
    return Breach(
        code=code,
        text=f"{text}; another request changed the object first",
        location=location,
        citation=supplement(MU, "3.57.4.1.3.3"),
        remedy="query the registry for the present version and status",
    )
