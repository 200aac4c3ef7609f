"""On-demand documents: what an entry promises, and what is made of it when it is retrieved (ITI TF-3: 4.1.1.3.2)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, and_, false, select

from ihe.citations import tf2
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Part
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from soap.xml import parse
from xds import repository_store
from xds.ebrim import Decoded, decode_objects
from xds.encryption import CHUNK
from xds.fragments import RIM_DECLARATION, spelled, splice
from xds.model import AvailabilityStatus, DocumentEntry, MetadataObject, ObjectType
from xds.patients import Patients
from xds.repository import Delivery, DocumentRepository
from xds.seeing import BATCH, seen_entries
from xds.snapshots import SNAPSHOT, Snapshots
from xds.tables import document_entry, unique_id_locator
from xds.visibility import Viewer, anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document that was made for a retrieval."""

    mime_type: str
    chunks: Iterable[bytes]


class ContentProvider(Protocol):
    """What makes the documents of on-demand entries: the seam to whoever holds the data."""

    def provide(self, entry: DocumentEntry) -> Made | None:
        """Make the latest content that ``entry`` describes, for its patient as known now; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandDocumentSource:
    """The On-Demand Document Source grouped with a Document Repository, under the same repositoryUniqueId.

    With ``snapshots`` what was delivered is kept and registered: the Persistence of Retrieved Documents Option.
    """

    provider: ContentProvider
    patients: Patients
    snapshots: Snapshots | None = None

    def deliver(
        self, unique_id: UniqueId, repository: DocumentRepository, now: datetime, viewer: Viewer | None = None
    ) -> Delivery | None:
        """Make the document of an on-demand entry; None if none is seen, or there is no content for it."""

        def find(connection: Connection) -> DocumentEntry | None:
            return find_entry(connection, self.patients, repository.unique_id, unique_id, anew(viewer))

        entry = repository.database.read(find)
        made = self.provider.provide(entry) if entry else None
        if entry is None or made is None:
            return None
        if self.snapshots is None:
            return _pass_on(made, unique_id)
        try:
            return _keep(made, entry, self.snapshots, repository, now)
        except Rejected as rejected:
            raise Rejected(_not_kept(unique_id, rejected)) from rejected


def find_entry(
    connection: Connection,
    patients: Patients,
    repository_unique_id: str,
    unique_id: UniqueId,
    viewer: Viewer | None,
) -> DocumentEntry | None:
    """Find the approved on-demand entry with a uniqueId; the newest that is seen, where several have it.

    Another one of them may be another patient's. A deprecated entry "may not have the most recent information and
    should return an error" (4.1.1.3.2).
    """
    here = document_entry.c.repository_unique_id == repository_unique_id
    rows = connection.execute(_ENTRIES.where(unique_id_locator.c.unique_id == unique_id, here)).all()
    shown = seen_entries(connection, viewer, {EntryUUID(each.entry_uuid): each.patient_key for each in rows})
    row = next((each for each in rows if each.entry_uuid in shown), None)
    if row is None:
        return None
    key = PatientKey(row.patient_key)
    element = splice(
        row.fragment,
        status=AvailabilityStatus.APPROVED,
        home=row.home,
        version=row.version,
        patient_id=spelled(patients.current(connection, [key])[key]),
    )
    listed = parse(b"<rim:RegistryObjectList %s>%s</rim:RegistryObjectList>" % (RIM_DECLARATION, element))
    [found], _ = decode_objects(listed)
    return found if isinstance(found, DocumentEntry) else None


_PLACE = and_(
    unique_id_locator.c.patient_key == document_entry.c.patient_key, unique_id_locator.c.id == document_entry.c.id
)
_ENTRIES = (
    select(
        document_entry.c.entry_uuid,
        document_entry.c.patient_key,
        document_entry.c.version,
        document_entry.c.home,
        document_entry.c.fragment,
    )
    .join_from(unique_id_locator, document_entry, _PLACE)
    .where(
        unique_id_locator.c.kind == MetadataObject.DOCUMENT_ENTRY,
        document_entry.c.object_type == ObjectType.ON_DEMAND,
        document_entry.c.status == AvailabilityStatus.APPROVED,
        document_entry.c.superseded == false(),
    )
    .order_by(document_entry.c.id.desc())
    .limit(BATCH)
)


def snapshot_id(entry: UniqueId, digest: str) -> UniqueId:
    """The uniqueId of what an on-demand entry produced: the same for the same bytes, and only for them (3.43.4.2.2)."""
    return UniqueId(f"2.25.{uuid5(NAMESPACE_OID, f'{entry} {digest}').int}")


def _pass_on(made: Made, entry: UniqueId) -> Delivery:
    """Deliver without keeping: no NewRepositoryUniqueId says that it cannot be retrieved again (3.43.4.2.2)."""
    data = b"".join(made.chunks)
    return Delivery(
        mime_type=made.mime_type,
        size=len(data),
        chunks=lambda: (data[start : start + CHUNK] for start in range(0, len(data), CHUNK)),
        new_unique_id=snapshot_id(entry, sha256(data).hexdigest()),
    )


def _keep(
    made: Made, entry: DocumentEntry, snapshots: Snapshots, repository: DocumentRepository, now: datetime
) -> Delivery:
    """Store and register before delivering (3.43.4.2.3); the same content as before is registered already."""
    sink = repository.store.create()
    try:
        for chunk in made.chunks:
            sink.write(chunk)
        part = sink.finish("", made.mime_type)
        new_id = snapshot_id(entry.unique_id or UniqueId(""), part.sha256)
        if new_id not in repository.documents([new_id]):
            snapshot = replace(entry, unique_id=new_id, mime_type=made.mime_type, hash=part.sha1, size=part.size)
            metadata = Decoded(snapshots.submission(snapshot, repository.unique_id, now), ())
            _register(metadata, part, new_id, repository, now)
        delivery = repository.deliver(repository.present(new_id))
    finally:
        sink.discard()
    return replace(delivery, new_unique_id=new_id, new_repository_unique_id=repository.unique_id)


def _register(metadata: Decoded, part: Part, new_id: UniqueId, repository: DocumentRepository, now: datetime) -> None:
    """Register a snapshot, unless somebody else retrieved the same content meanwhile and it was registered for them."""

    def is_new(connection: Connection) -> bool:
        return not repository_store.documents(connection, repository.unique_id, [new_id])

    try:
        repository.register(metadata, {SNAPSHOT: part}, (), now, may_come=is_new)
    except Rejected:
        if new_id not in repository.documents([new_id]):
            raise


def _not_kept(entry: UniqueId, rejected: Rejected) -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_ERROR,
        text="The document was made but could not be kept, so it is not delivered",
        location=entry,
        observed="; ".join(breach.code_context for breach in rejected.breaches),
        citation=tf2("3.43.4.2.3"),
    )
