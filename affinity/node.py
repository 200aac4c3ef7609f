"""One node: the database, the document store, and the responder actors that answer from them."""

import fcntl
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from affinity.database import Database
from affinity.domain import LoadedDomain, locate
from affinity.hl7_sources import HL7Sources
from affinity.migrations import upgrade
from affinity.settings import Settings
from ihe.domain import AffinityDomain
from ihe.transactions import Actor
from pix.manager import PatientIndex
from xds.documents import FileStore
from xds.encryption import KeyRing, create_keys, load_keys
from xds.on_demand import OnDemandDocumentSource
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository
from xds.snapshots import Snapshots

DOMAIN_NOTE = "domain.txt"
"""File of the data directory that names the domain's directory, for clients on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Everything of a node but its listeners."""

    database: Database
    store: FileStore
    ports: Mapping[Actor, Any]
    sources: HL7Sources
    lock: int

    def close(self) -> None:
        """Let go of the database, the validator and the data directory once no request is under way."""
        self.sources.close()
        self.database.close()
        os.close(self.lock)


class DataDirectoryInUse(Exception):
    """Two processes on one data directory would each believe that they alone write to it."""


def utc_now() -> datetime:
    """The clock of every actor: aware, in UTC (ITI TF-2: 3.1)."""
    return datetime.now(UTC)


def open_node(settings: Settings, loaded: LoadedDomain) -> Node:
    """Open or create the data directory, migrate the database, clear up after a crash."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.data / DOMAIN_NOTE).write_text(f"{locate(settings.domain).resolve()}\n")
    lock = _lock(settings.data)
    database = Database(settings.database)
    upgrade(database.engine)
    store = FileStore(settings.data / "documents", _keys(settings))
    ports = _ports(settings, loaded.affinity_domain, database, store)
    repository: DocumentRepository = ports[Actor.DOCUMENT_REPOSITORY]
    store.sweep(repository.is_referenced, time.time())
    sources = HL7Sources.of(loaded.organizations)
    return Node(database=database, store=store, ports=ports, sources=sources, lock=lock)


def _ports(settings: Settings, domain: AffinityDomain, database: Database, store: FileStore) -> dict[Actor, Any]:
    """The responder actors of this node."""
    index = PatientIndex(domain=domain, database=database, clock=utc_now)
    registry = DocumentRegistry(domain=domain, database=database, patients=index, clock=utc_now)
    repository = DocumentRepository(
        unique_id=domain.repository_unique_id,
        home_community_id=domain.home_community_id,
        database=database,
        store=store,
        registry=registry,
        on_demand=_on_demand(settings, domain, index),
    )
    return {
        Actor.DOCUMENT_REGISTRY: registry,
        Actor.DOCUMENT_REPOSITORY: repository,
        Actor.PIX_MANAGER: index,
        Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: index,
    }


def _on_demand(settings: Settings, domain: AffinityDomain, patients: PatientIndex) -> OnDemandDocumentSource | None:
    """The source of on-demand documents, if somebody makes them."""
    if settings.on_demand.provider is None:
        return None
    code = min(domain.codes.get("contentTypeCode", ()), key=str, default=None)
    keeps = settings.on_demand.keep_snapshots and code is not None
    snapshots = Snapshots(source_id=domain.repository_unique_id, content_type_code=code) if keeps and code else None
    return OnDemandDocumentSource(provider=settings.on_demand.provider, patients=patients, snapshots=snapshots)


def _lock(data: Path) -> int:
    """Make sure that no other process works in the data directory. Returns the descriptor that holds the lock."""
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataDirectoryInUse(f"{data} is in use by another affinity process; stop it or choose --data") from None
    return descriptor


def _keys(settings: Settings) -> KeyRing | None:
    """The key that seals documents: the configured file, else one made once in the data directory."""
    if not settings.encrypt_documents:
        return None
    if settings.master_key:
        return load_keys(settings.master_key)
    file = settings.data / "documents.key"
    return load_keys(file) if file.exists() else create_keys(file)
