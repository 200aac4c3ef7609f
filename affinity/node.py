"""One node: the database, the document store, and the responder actors that answer from them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from affinity.database import Database
from affinity.domain import LoadedDomain
from affinity.hl7_sources import HL7Sources
from affinity.migrations import upgrade
from affinity.settings import Settings
from ihe.identifiers import new_entry_uuid
from ihe.transactions import Actor
from pix.manager import PatientIndex
from xds.documents import FileStore
from xds.encryption import KeyRing, create_keys, load_keys
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Everything of a node but its listeners."""

    database: Database
    store: FileStore
    repository: DocumentRepository
    ports: Mapping[Actor, Any]
    sources: HL7Sources

    def close(self) -> None:
        """Let go of the database and the validator once no request is under way."""
        self.sources.close()
        self.database.close()


def utc_now() -> datetime:
    """The clock of every actor: aware, in UTC (ITI TF-2: 3.1)."""
    return datetime.now(UTC)


def open_node(settings: Settings, loaded: LoadedDomain) -> Node:
    """Open or create the data directory, migrate the database, clear up after a crash."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    domain = loaded.affinity_domain
    database = Database(settings.database)
    upgrade(database.engine)
    store = FileStore(settings.data / "documents", _keys(settings))
    index = PatientIndex(domain=domain, database=database, clock=utc_now)
    registry = DocumentRegistry(
        domain=domain, database=database, patients=index, clock=utc_now, new_uuid=new_entry_uuid
    )
    repository = DocumentRepository(
        unique_id=domain.repository_unique_id,
        home_community_id=domain.home_community_id,
        database=database,
        store=store,
        registry=registry,
    )
    store.sweep(repository.is_referenced, time.time())
    ports = {
        Actor.DOCUMENT_REGISTRY: registry,
        Actor.DOCUMENT_REPOSITORY: repository,
        Actor.PIX_MANAGER: index,
        Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: index,
    }
    sources = HL7Sources.of(loaded.organizations)
    return Node(database=database, store=store, repository=repository, ports=ports, sources=sources)


def _keys(settings: Settings) -> KeyRing | None:
    """The key that seals documents: the configured file, else one made once in the data directory."""
    if not settings.encrypt_documents:
        return None
    if settings.master_key:
        return load_keys(settings.master_key)
    file = settings.data / "documents.key"
    return load_keys(file) if file.exists() else create_keys(file)
