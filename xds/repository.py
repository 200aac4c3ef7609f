"""The Document Repository: bytes by their uniqueId, durable together with the metadata (ITI TF-1: 10.1.1.3)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from ihe.citations import Citation
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Transactor
from ihe.identifiers import UniqueId
from xds import repository_store
from xds.document_requests import Holder
from xds.documents import DocumentStore
from xds.encryption import DamagedDocument, UnknownKey
from xds.repository_store import Document

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A document on its way out; ``chunks`` opens it. The new ids are those of what an on-demand entry produced."""

    mime_type: str
    size: int
    chunks: Callable[[], Iterator[bytes]]
    new_unique_id: UniqueId | None = None
    new_repository_unique_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRepository:
    """The actor behind ITI-41, ITI-43 and ITI-86.

    ``unique_id`` is its repositoryUniqueId (an OID), ``home_community_id`` that of its community (``urn:oid:`` form).
    """

    unique_id: str
    home_community_id: str
    database: Transactor[Connection]
    store: DocumentStore

    def holder(self, citation: Citation) -> Holder:
        """Who answers a DocumentRequest under the section ``citation``."""
        return Holder(self.unique_id, self.home_community_id, citation)

    def documents(self, ids: Iterable[UniqueId]) -> Mapping[UniqueId, Document]:
        """Find the retrievable documents among ``ids``; deprecated ones are, removed ones are not."""
        wanted = tuple(ids)
        return self.database.read(lambda connection: repository_store.documents(connection, self.unique_id, wanted))

    def deliver(self, document: Document) -> Delivery:
        """Make a document ready to be sent; Rejected if its bytes are gone or damaged, which the operator must see."""
        try:
            self.store.check(document.content)
        except (DamagedDocument, UnknownKey) as error:
            log.error("stored document cannot be delivered", sha256=document.content.sha256, reason=str(error))
            raise Rejected(_undeliverable(document)) from error
        chunks = partial(self.store.open, document.content)
        return Delivery(mime_type=document.mime_type, size=document.content.size, chunks=chunks)

    def remove(self, ids: Iterable[UniqueId], now: datetime) -> frozenset[UniqueId]:
        """Make documents irretrievable, then delete the bytes that no other document has; return which there were."""
        known = self.documents(ids)
        with self.store.removing({each.content.sha256 for each in known.values()}, self.is_referenced):
            return self.database.write(
                lambda connection: frozenset(
                    each for each in known if repository_store.remove(connection, self.unique_id, each, now)
                )
            )

    def is_referenced(self, digest: str) -> bool:
        """Claim that a retrievable document has the bytes with this SHA-256; what the store asks before it deletes."""
        return self.database.read(lambda connection: repository_store.is_referenced(connection, digest))


def _undeliverable(document: Document) -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_ERROR,
        text=f"The stored bytes of {document.unique_id} are missing or damaged, so they are not delivered",
        location=document.unique_id,
        remedy="The operator of this repository has to restore them",
    )
