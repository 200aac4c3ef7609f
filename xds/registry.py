"""The Document Registry: takes submissions, all of each or nothing (ITI TF-1: 10.1.1.4; ITI TF-2: 3.42.4.1.3)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from sqlalchemy import Connection

from ihe.access import OPEN
from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.domain import AffinityDomain
from ihe.errors import Breach, ErrorCode, Rejected, Severity
from ihe.exchange import Transactor
from ihe.identifiers import EntryUUID, PatientKey, UniqueId, is_uuid_urn, new_entry_uuid
from ihe.patients import LinkChange
from ihe.rules import breaches
from xds import admission, link_changes, store
from xds.acceptance import accept
from xds.attributes import Sender, locate
from xds.ebrim import Decoded
from xds.ebrim_writing import KINDS, fragment
from xds.model import Association, AssociationType, MetadataObject, RegistryObject, Submission
from xds.patients import Patient, Patients
from xds.replacement import deprecate_replaced, folder_memberships
from xds.row_ids import RowIds
from xds.rows import Row, row
from xds.rules import all_breaches
from xds.rules_registry import REGISTRY_RULES, InRegistry, ends_outside, uuids_are_new
from xds.rules_unique_ids import UNIQUE_ID_RULES, Claimed, claims
from xds.seeing import holders, seen
from xds.visibility import Access, Viewer, anew
from xds.witness import NOBODY, Witness

HAS_MEMBER = AssociationType.HAS_MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A submission that obeys every rule that needs no look into the registry.

    ``asked`` is what the sender sent and knows by its ids; ``accepted`` is what will be stored: with UUIDs, approved,
    first versions. ``warnings`` belong into the answer.
    """

    asked: Submission
    accepted: Submission
    fragments: Mapping[EntryUUID, bytes]
    warnings: tuple[Breach, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRegistry:
    """The actor behind ITI-18, ITI-42, ITI-51 and ITI-61. ``clock`` gives the time with its zone.

    ``viewer`` is whose eyes a request has (``access.viewer``): it refers to nothing that they do not see. None: all.
    """

    domain: AffinityDomain
    database: Transactor[Connection]
    patients: Patients
    clock: Callable[[], datetime]
    new_uuid: Callable[[], EntryUUID] = new_entry_uuid
    new_row_id: Callable[[], int] = field(default_factory=RowIds)
    witness: Witness = NOBODY
    access: Access = OPEN

    def register(self, decoded: Decoded, sender: Sender, viewer: Viewer | None = None) -> tuple[Breach, ...]:
        """Store a submission and return the warnings. Rejected holds every breach; then nothing is stored."""
        prepared = self.prepare(decoded, sender, viewer=viewer)

        def work(connection: Connection) -> None:
            patient = self.register_in(connection, prepared, viewer)
            self.witness.registered(connection, patient, prepared.accepted.document_entries)

        self.database.write(work)
        return prepared.warnings

    def prepare(
        self, decoded: Decoded, sender: Sender, told: tuple[Breach, ...] = (), viewer: Viewer | None = None
    ) -> Prepared:
        """Check all that needs no database, and render what will be stored.

        ``told`` is what the caller found wrong already. Rejected holds every breach, those against the feed and the
        registry included.
        """
        found = (*told, *all_breaches(decoded, sender, self.domain))
        if decoded.submission is None:
            raise Rejected(*found)
        if any(breach.severity is Severity.ERROR for breach in found):
            self._refuse(decoded.submission, found, viewer)
        accepted = accept(decoded.submission, self.time(), self.new_uuid)
        return Prepared(
            asked=decoded.submission,
            accepted=accepted,
            fragments={each.entry_uuid: fragment(each) for each in accepted.objects},
            warnings=found,
        )

    def time(self) -> str:
        """The time as a DTM in UTC; in a transaction that of the change, which may have waited for others."""
        return self.clock().astimezone(UTC).strftime("%Y%m%d%H%M%S")

    def _refuse(self, submission: Submission, found: tuple[Breach, ...], viewer: Viewer | None) -> NoReturn:
        """Refuse a submission that breaks rules by itself, and tell what feed and registry have against it as well."""

        def refuse(connection: Connection) -> NoReturn:
            eyes = anew(viewer)
            patient = self._patient(connection, submission, eyes)
            # Raised in here, so that the uniqueIds that it claimed in order to compare them are given back.
            raise Rejected(*found, *self._conflicts(connection, submission, patient, eyes))

        self.database.write(refuse)

    def register_in(self, connection: Connection, prepared: Prepared, viewer: Viewer | None = None) -> Patient:
        """Store a prepared submission within the caller's transaction, which must not commit if this raises.

        The caller tells the witness, once the documents are stored as well. Rejected holds every breach against the
        feed and the registry (3.42.4.1.3.1: atomicity).
        """
        patient = self._admit(connection, prepared.asked, anew(viewer))
        accepted = prepared.accepted
        added = folder_memberships(connection, accepted, patient, self.new_uuid)
        deprecate_replaced(connection, accepted)
        fragments = {**prepared.fragments, **{each.entry_uuid: fragment(each) for each in added}}
        objects = (*accepted.objects, *added)
        self.store_in(connection, objects, patient.key, fragments)
        store.touch(connection, gaining_folders(connection, objects), self.time())
        return patient

    def _admit(self, connection: Connection, submission: Submission, viewer: Viewer | None) -> Patient:
        """Check the submission against the feed and the registry; its patient, if nothing is wrong."""
        patient = self._patient(connection, submission, viewer)
        found = tuple(self._conflicts(connection, submission, patient, viewer))
        if found or patient is None:
            raise Rejected(*found)
        return patient

    def _patient(self, connection: Connection, submission: Submission, viewer: Viewer | None) -> Patient | None:
        """The patient, if there is one to whose record the person may add something."""
        patient_id = submission.submission_set.patient_id
        patient = self.patients.resolve(connection, patient_id) if patient_id else None
        return patient if patient and admission.admits(connection, viewer, patient) else None

    def _conflicts(
        self, connection: Connection, submission: Submission, patient: Patient | None, viewer: Viewer | None
    ) -> Iterator[Breach]:
        """What the feed and the registry have against a submission. Its uniqueIds are taken meanwhile."""
        if patient is None and submission.submission_set.patient_id:
            yield unknown_patient(submission)
        if patient:
            yield from admission.refused(connection, viewer, patient, submission)
        yield from breaches(_surroundings(connection, submission, patient, viewer), REGISTRY_RULES)
        yield from breaches(Claimed(submission, store.claim(connection, claims(submission))), UNIQUE_ID_RULES)

    def owners(
        self, connection: Connection, ids: Iterable[UniqueId], viewer: Viewer | None = None
    ) -> Mapping[UniqueId, Collection[CX]]:
        """The patients of the documents that have an entry, by uniqueId: of several those whose entries are seen."""
        held = store.patients_of(connection, ids)
        current = self.patients.current(connection, {key for _, key in held}) if held else {}
        of: dict[UniqueId, dict[CX, None]] = {}
        for id, key in holders(connection, viewer, held):
            if key in current:
                of.setdefault(id, {})[current[key]] = None
        return of

    def follow(self, connection: Connection, change: LinkChange) -> None:
        """Make new versions of what belongs to a local id that has another XAD-PID now (ITI TF-2: 3.64.4.1.3)."""
        link_changes.follow(self, connection, change)
        self.witness.changed(connection, {*change.previous.keys, *change.new.keys})

    def store_in(
        self,
        connection: Connection,
        objects: tuple[RegistryObject, ...],
        key: PatientKey,
        fragments: Mapping[EntryUUID, bytes],
    ) -> None:
        """Store accepted objects of one patient within the caller's transaction; Rejected names UUIDs in use."""
        self.store_each(connection, [(each, key) for each in objects], fragments)

    def store_each(
        self,
        connection: Connection,
        objects: Iterable[tuple[RegistryObject, PatientKey]],
        fragments: Mapping[EntryUUID, bytes],
    ) -> None:
        """The same, each under the id that it belongs to, of several that are one patient."""
        rows: dict[MetadataObject, list[Row]] = {kind: [] for kind in store.KINDS}
        for each, key in objects:
            rows[KINDS[type(each)]].append(row(each, key, self.new_row_id(), fragments[each.entry_uuid]))
        used = store.locate(connection, rows)
        if used:
            raise Rejected(*(_used_uuid(uuid) for uuid in sorted(used)))
        store.add(connection, rows)


def _surroundings(
    connection: Connection, submission: Submission, patient: Patient | None, viewer: Viewer | None
) -> InRegistry:
    """Find and hold what a submission refers to as far as it is seen, and what has the UUIDs that it brings."""
    own = {each.entry_uuid for each in submission.objects if is_uuid_urn(each.entry_uuid)}
    ends = ends_outside(submission)
    outside = {end for _, end in ends}
    found = store.find(connection, own | outside)
    if not found:
        return InRegistry(submission=submission, patient=patient, outside=ends, known={})
    referenced = seen(connection, viewer, {uuid: each for uuid, each in found.items() if uuid in outside})
    known = {**{uuid: each for uuid, each in found.items() if uuid in own}, **referenced}
    appended = [
        each.target_object
        for each in submission.associations
        if each.association_type is AssociationType.APND and each.target_object in known
    ]
    transformations = store.transformations(connection, appended)
    return InRegistry(
        submission=submission, patient=patient, outside=ends, known=known, transformations=transformations
    )


def gaining_folders(connection: Connection, objects: tuple[RegistryObject, ...]) -> Iterable[store.Registered]:
    """The registered Folders into which these objects put entries; new ones have the time already."""
    own = {each.entry_uuid for each in objects}
    members = [each for each in objects if isinstance(each, Association) and each.association_type is HAS_MEMBER]
    return store.find(connection, {each.source_object for each in members} - own).values()


def unknown_patient(submission: Submission) -> Breach:
    """The refusal of a patient whom no feed announced, with what to do about it."""
    each = submission.submission_set
    return Breach(
        code=ErrorCode.UNKNOWN_PATIENT_ID,
        text="The patientId is one that the Patient Identity Feed announced",
        location=locate(MetadataObject.SUBMISSION_SET, each.entry_uuid, "patientId"),
        observed=str(each.patient_id),
        citation=tf2("3.42.4.1.3.3.2"),
        remedy=(
            "no ITI-8, ITI-30 or ITI-44 message announced this id to this domain, or the id was merged into another; "
            "send the feed first, from an assigning authority that issues XDS patient ids"
        ),
    )


def _used_uuid(uuid: EntryUUID) -> Breach:
    """Another submission took the UUID at the same time."""
    rule = uuids_are_new
    return Breach(code=rule.code, text=rule.sentence, location=uuid, observed=uuid, citation=rule.citation)
