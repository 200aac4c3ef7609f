"""The Document Repository: bytes by their uniqueId, durable together with the metadata (ITI TF-1: 10.1.1.3)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import Connection

from ihe.access import OPEN
from ihe.citations import Citation, tf2, tf3
from ihe.datatypes import CX
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import NO_ROOM, REFUSING, Part, Transactor
from ihe.identifiers import UniqueId
from xds import repository_store
from xds.attributes import Sender
from xds.document_requests import Holder
from xds.documents import DocumentStore, StoreUnavailable
from xds.ebrim import Decoded
from xds.encryption import DamagedDocument, UnknownKey
from xds.model import DocumentEntry
from xds.patients import Patient
from xds.registry import Prepared
from xds.repository_store import Document
from xds.seeing import retrievable
from xds.visibility import Access, Viewer, anew
from xds.witness import Witness

log = structlog.get_logger()

RETRIEVAL = tf2("3.43.5")


class Registry(Protocol):
    """What the repository needs of the registry, to which it hands metadata in its own transaction."""

    def prepare(
        self, decoded: Decoded, sender: Sender, told: tuple[Breach, ...], viewer: Viewer | None = None
    ) -> Prepared:
        """Check all that needs no database; Rejected holds every breach, beginning with ``told``."""

    def register_in(self, connection: Connection, prepared: Prepared, viewer: Viewer | None = None) -> Patient:
        """Store within the caller's transaction, which must not commit if this raises Rejected."""

    @property
    def witness(self) -> Witness:
        """Who is told once documents and metadata are stored."""

    def owners(
        self, connection: Connection, ids: Iterable[UniqueId], viewer: Viewer | None = None
    ) -> Mapping[UniqueId, Collection[CX]]:
        """Whose documents these are, as far as they have entries; of several those whose entries are seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A document on its way out; ``chunks`` opens it, and needs no disk where it ``is_at_hand``.

    The new ids are those of what an on-demand entry produced.
    """

    mime_type: str
    size: int
    chunks: Callable[[], Iterator[bytes]]
    is_at_hand: bool = False
    new_unique_id: UniqueId | None = None
    new_repository_unique_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDocuments:
    """The retrievable documents that a person sees of those that were named, and whose all are that were named."""

    seen: Mapping[UniqueId, Document]
    owners: Mapping[UniqueId, Collection[CX]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedDocuments:
    """The documents that were removed, and whose all are that were named."""

    ids: frozenset[UniqueId]
    owners: Mapping[UniqueId, Collection[CX]]


class OnDemandDocuments(Protocol):
    """The On-Demand Document Source that is grouped with a repository."""

    def deliver(
        self, unique_id: UniqueId, repository: "DocumentRepository", now: datetime, viewer: Viewer | None = None
    ) -> Delivery | None:
        """Make the document of an on-demand entry; None if there is no such entry that the person may see."""


def always(_connection: Connection) -> bool:
    """Nothing stands in the way."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRepository:
    """The actor behind ITI-41, ITI-43 and ITI-86, together with the Document Registry of its own community.

    ``unique_id`` is its repositoryUniqueId (an OID), ``home_community_id`` that of its community (``urn:oid:`` form).
    """

    unique_id: str
    home_community_id: str
    database: Transactor[Connection]
    store: DocumentStore
    registry: Registry
    on_demand: OnDemandDocuments | None = None
    access: Access = OPEN

    def register(
        self,
        metadata: Decoded,
        parts: Mapping[str, Part],
        found: Iterable[Breach],
        now: datetime,
        viewer: Viewer | None = None,
        may_come: Callable[[Connection], bool] = always,
    ) -> tuple[Breach, ...]:
        """Store documents and their completed metadata durably, or nothing; return the registry's warnings.

        ``parts`` are the documents by the ids of their entries. ``found`` is what is wrong already: then nothing is
        stored, and Rejected holds it beside all that the registry finds. ``may_come`` has the last word, in the
        transaction and once the uniqueIds are taken, so that nobody else stores them meanwhile; Rejected holds nothing
        where it claims no such thing.
        """
        prepared = self.registry.prepare(metadata, Sender.XDS_DOCUMENT_SOURCE, tuple(found), viewer)
        documents = tuple(self._documents(prepared.asked.document_entries, parts))

        def write(connection: Connection) -> None:
            """One transaction of both actors: a reader sees the document and its metadata, or neither."""
            patient = self.registry.register_in(connection, prepared, viewer)
            if not may_come(connection):
                raise Rejected
            repository_store.record(connection, documents, now)
            self.registry.witness.registered(connection, patient, prepared.accepted.document_entries)

        self._keep(parts.values(), write)
        return prepared.warnings

    def holder(self, citation: Citation) -> Holder:
        """Who answers a DocumentRequest under the section ``citation``."""
        return Holder(self.unique_id, self.home_community_id, citation)

    def documents(self, ids: Iterable[UniqueId], viewer: Viewer | None = None) -> Mapping[UniqueId, Document]:
        """Find the retrievable documents among ``ids`` that are seen; deprecated ones are, removed ones are not."""
        wanted = tuple(ids)
        return self.database.read(lambda connection: self._seen(connection, wanted, viewer))

    def known(self, ids: Iterable[UniqueId], viewer: Viewer | None = None) -> KnownDocuments:
        """The same documents, and whose all are that ``ids`` name, as far as the registry knows; in one read."""
        wanted = tuple(ids)

        def find(connection: Connection) -> KnownDocuments:
            owners = self.registry.owners(connection, wanted, anew(viewer))
            return KnownDocuments(seen=self._seen(connection, wanted, viewer), owners=owners)

        return self.database.read(find)

    def _seen(
        self, connection: Connection, wanted: tuple[UniqueId, ...], viewer: Viewer | None
    ) -> Mapping[UniqueId, Document]:
        found = repository_store.documents(connection, self.unique_id, wanted)
        if viewer is None:
            return found
        shown = retrievable(connection, anew(viewer), self.unique_id, wanted)
        return {id: document for id, document in found.items() if id in shown}

    def _documents(self, entries: Iterable[DocumentEntry], parts: Mapping[str, Part]) -> Iterator[Document]:
        for entry in entries:
            part = parts.get(entry.entry_uuid)
            if part and entry.unique_id and entry.mime_type:
                yield Document(
                    repository_unique_id=self.unique_id,
                    unique_id=entry.unique_id,
                    content=self.store.content(part),
                    sha1=part.sha1,
                    mime_type=entry.mime_type,
                )

    def _keep(self, parts: Iterable[Part], write: Callable[[Connection], None]) -> None:
        """Adopt parts while they are registered; say so if there is no room for them, or no store that answers."""
        try:
            with self.store.adopting(parts, self.is_referenced):
                self.database.write(write)
        except StoreUnavailable as error:
            log.error("documents not stored", reason=str(error))
            raise Rejected(_no_store()) from error
        except OSError as error:
            if error.errno not in REFUSING:
                raise
            log.error("documents not stored", reason=error.strerror)
            raise Rejected(_no_room() if error.errno in NO_ROOM else _no_disk()) from error

    def deliver(self, document: Document, room: int = 0) -> Delivery:
        """Make a document ready to be sent; Rejected if its bytes are gone or damaged, which the operator must see.

        One that was removed at this moment is answered as an unknown one. One of at most ``room`` bytes is read, and
        so verified, whole; of a larger one, what says that it is there.
        """
        try:
            return self._read(document) if document.content.size <= room else self._opened(document)
        except (DamagedDocument, UnknownKey) as error:
            self.present(document.unique_id)
            log.error("stored document cannot be delivered", sha256=document.content.sha256, reason=str(error))
            raise Rejected(_undeliverable(document)) from error
        except StoreUnavailable as error:
            log.error("stored document cannot be reached", sha256=document.content.sha256, reason=str(error))
            raise Rejected(_unreachable(document)) from error

    def present(self, unique_id: UniqueId) -> Document:
        """A retrievable document, whoever may see it; Rejected if it is unknown or was removed."""
        found = self.documents([unique_id]).get(unique_id)
        if found is None:
            raise Rejected(self.holder(RETRIEVAL).unknown(unique_id))
        return found

    def _read(self, document: Document) -> Delivery:
        whole = self.store.read(document.content)
        return Delivery(mime_type=document.mime_type, size=len(whole), chunks=lambda: iter((whole,)), is_at_hand=True)

    def _opened(self, document: Document) -> Delivery:
        self.store.check(document.content)
        chunks = partial(self.store.open, document.content)
        return Delivery(mime_type=document.mime_type, size=document.content.size, chunks=chunks)

    def deliver_on_demand(self, unique_id: UniqueId, now: datetime, viewer: Viewer | None = None) -> Delivery | None:
        """Make the document of an on-demand entry, if there is one that is seen and a source for it."""
        return self.on_demand.deliver(unique_id, self, now, viewer) if self.on_demand else None

    def remove(
        self,
        ids: Iterable[UniqueId],
        now: datetime,
        viewer: Viewer | None = None,
        may_go: Callable[[Connection], bool] = always,
    ) -> RemovedDocuments:
        """Make documents irretrievable, then delete the bytes that no other document has; return which there were.

        ``may_go`` has the last word, in the transaction that removes them: none goes where it claims no such thing.
        """
        named = tuple(ids)
        known = self.documents(named, viewer)

        def work(connection: Connection) -> RemovedDocuments:
            going = known if may_go(connection) else ()
            gone = (each for each in going if repository_store.remove(connection, self.unique_id, each, now))
            return RemovedDocuments(ids=frozenset(gone), owners=self.registry.owners(connection, named))

        with self.store.removing({each.content.name for each in known.values()}, self.is_referenced):
            return self.database.write(work)

    def is_referenced(self, name: str) -> bool:
        """Claim that a retrievable document has the bytes of this name; what the store asks before it deletes."""
        return self.database.read(lambda connection: repository_store.is_referenced(connection, name))


def _no_room() -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_OUT_OF_RESOURCES,
        text="This repository has no room for the documents, so nothing was stored",
        citation=tf3("Table 4.2.4.1-2"),
        remedy="Send the same submission again when its operator has made room",
    )


def _no_disk() -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_BUSY,
        text="The disk of this repository refuses to keep documents, so nothing was stored",
        citation=tf3("Table 4.2.4.1-2"),
        remedy="Send the same submission again when its operator has mended it",
    )


def _no_store() -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_BUSY,
        text="The document store does not answer at the moment, so nothing was stored",
        citation=tf3("Table 4.2.4.1-2"),
        remedy="Send the same submission again later",
    )


def _unreachable(document: Document) -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_BUSY,
        text=f"The document store does not answer at the moment, so {document.unique_id} is not delivered",
        location=document.unique_id,
        remedy="Retrieve it again later",
    )


def _undeliverable(document: Document) -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_ERROR,
        text=f"The stored bytes of {document.unique_id} are missing or damaged, so they are not delivered",
        location=document.unique_id,
        remedy="The operator of this repository has to restore them",
    )
