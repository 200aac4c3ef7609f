"""What the doctor says of a database and of keys that are there and cannot be used."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from affinity.cli.checks_database import writing
from affinity.cli.checks_installation import installation
from affinity.migrations import upgrade
from affinity.settings import Settings
from atna.signing import sealing_key
from xds.key_file import create_keys


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a node that has run."""
    engine = create_engine(f"sqlite:///{tmp_path / 'affinity.db'}")
    (tmp_path / "affinity.db").touch()
    upgrade(engine)
    engine.dispose()
    create_keys(tmp_path / "documents.key")
    sealing_key(tmp_path / "audit-seal.key")
    return Settings(domain="connectathon", data=tmp_path)


def found(settings: Settings, check: str) -> tuple[str, str]:
    """What was seen, and the remedy."""
    (finding,) = [each for each in installation(settings) if each.check == check]
    return finding.state.value, f"{finding.detail}: {finding.remedy}"


@pytest.mark.parametrize("check", ["database writes", "database pages", "document key", "seal key"])
def test_what_is_whole_is_found_whole(settings: Settings, check: str) -> None:
    assert found(settings, check)[0] == "ok"


def test_a_damaged_page_is_found(settings: Settings) -> None:
    file = settings.data / "affinity.db"
    with closing(sqlite3.connect(file)) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'document_entry'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xee" * size)
    state, said = found(settings, "database pages")
    assert (state, "restore it from a backup" in said) == ("FAILED", True)


def test_a_database_that_may_not_be_written_is_found(settings: Settings) -> None:
    """As on a file system that has become read-only; permissions of files do not bind root."""
    with closing(sqlite3.connect(f"file:{settings.data / 'affinity.db'}?mode=ro", uri=True)) as database:
        finding = writing(database)
    assert (finding.state.value, "let this user write" in finding.remedy) == ("FAILED", True)


def test_a_database_that_somebody_else_writes_to_is_not_said_to_refuse(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data / "affinity.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert found(settings, "database writes")[0] == "skipped"


def test_keys_that_are_none_are_found(settings: Settings) -> None:
    (settings.data / "documents.key").write_text("ab" * 20)
    (settings.data / "audit-seal.key").write_text("no key")
    assert [found(settings, each)[0] for each in ("document key", "seal key")] == ["FAILED", "FAILED"]


def test_the_keys_of_other_documents_are_found(settings: Settings) -> None:
    document = settings.data / "documents" / "content" / "ab" / "cd" / "abcd.sealed"
    document.parent.mkdir(parents=True)
    document.write_bytes(bytes(100))
    state, said = found(settings, "document key")
    assert (state, "is not sealed with the keys" in said) == ("FAILED", True)


def test_a_lost_seal_key_is_missed(settings: Settings) -> None:
    (settings.data / "audit-root.json").touch()
    (settings.data / "audit-seal.key").unlink()
    state, said = found(settings, "seal key")
    assert (state, "bring it back from a backup" in said) == ("FAILED", True)
