"""Fixtures of the Document Repository: a real one over both engines and files, beside a registry that accepts all."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from affinity.database import Database
from ihe.errors import Rejected
from ihe.identifiers import UniqueId
from xds import repository_store
from xds.attributes import Sender
from xds.documents import Content, FileStore
from xds.ebrim import Decoded
from xds.encryption import KeyRing
from xds.registry import Prepared
from xds.repository import DocumentRepository
from xds.repository_store import Document

NOW = datetime(2026, 11, 23, tzinfo=UTC)
Keep = Callable[[str, bytes, str], Path]


class AcceptingRegistry:
    """A registry without rules, which remembers what it was given."""

    def __init__(self) -> None:
        self.registered: list[Prepared] = []

    def prepare(self, decoded: Decoded, sender: Sender) -> Prepared:
        if decoded.submission is None:
            raise Rejected(*decoded.breaches)
        submission = decoded.submission
        return Prepared(asked=submission, accepted=submission, fragments={}, warnings=decoded.breaches, now="2026")

    def register_in(self, connection: Connection, prepared: Prepared) -> None:
        self.registered.append(prepared)


@pytest.fixture
def document_files(tmp_path: Path) -> Path:
    """Where the store of ``repository`` has its files."""
    return tmp_path / "documents"


@pytest.fixture
def accepting_registry() -> AcceptingRegistry:
    return AcceptingRegistry()


@pytest.fixture
def repository(database: Database, document_files: Path, accepting_registry: AcceptingRegistry) -> DocumentRepository:
    """A repository with the ids 2.25.77.1 and urn:oid:2.25.77, its documents sealed."""
    return DocumentRepository(
        unique_id="2.25.77.1",
        home_community_id="urn:oid:2.25.77",
        database=database,
        store=FileStore(document_files, KeyRing((b"k" * 32,))),
        registry=accepting_registry,
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
