"""Fixtures of the Document Repository: a real one over both engines and files, beside the real registry."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from affinity.database import Database
from ihe.domain import AffinityDomain
from ihe.identifiers import UniqueId
from xds import repository_store
from xds.documents import Content
from xds.encryption import KeyRing
from xds.file_store import FileStore
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository
from xds.repository_store import Document

NOW = datetime(2026, 11, 23, tzinfo=UTC)
Keep = Callable[[str, bytes, str], Path]


@pytest.fixture
def document_files(tmp_path: Path) -> Path:
    """Where the store of ``repository`` has its files."""
    return tmp_path / "documents"


@pytest.fixture
def repository(
    domain: AffinityDomain, database: Database, registry: DocumentRegistry, document_files: Path
) -> DocumentRepository:
    """The repository of the test domain (2.25.300 in urn:oid:2.25.100) beside its registry; documents are sealed."""
    return DocumentRepository(
        unique_id=domain.repository_unique_id,
        home_community_id=domain.home_community_id,
        database=database,
        store=FileStore(document_files, KeyRing((b"k" * 32,))),
        registry=registry,
    )


@pytest.fixture
def keep(repository: DocumentRepository, document_files: Path) -> Keep:
    """Stores bytes under a uniqueId with a mimeType, without a submission; returns their file."""

    def keep(unique_id: str, data: bytes, mime_type: str) -> Path:
        sink = repository.store.create()
        sink.write(data)
        part = sink.finish("part", mime_type)
        document = Document(
            repository_unique_id=repository.unique_id,
            unique_id=UniqueId(unique_id),
            content=Content(sha256=part.sha256, size=part.size),
            sha1=part.sha1,
            mime_type=mime_type,
        )
        with repository.store.adopting([part], repository.is_referenced):
            repository.database.write(lambda connection: repository_store.record(connection, [document], NOW))
        sink.discard()
        [path] = document_files.rglob(f"{part.sha256}.sealed")
        return path

    return keep
