"""A backup that belongs together: a database at one moment, and every document to which it refers.

The server may run. Documents are copied before and after the database: what is registered meanwhile is durable before
its row is, and if something was removed meanwhile, the database is read once more.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine

from affinity.backup_documents import Copied, copy_documents, copy_file, lacking, prune_documents
from affinity.backup_note import BackupNote, write_note
from affinity.database import Database
from affinity.document_store import key_file
from affinity.migrations import HEAD
from affinity.outages import Trouble, trouble
from affinity.seal_files import KEY, ROOT
from affinity.settings import DocumentStoreKind, Settings
from affinity.works import Work
from ihe.durable import fsync, make_directory, write_whole
from xds.key_file import add_keys_of
from xds.repository_store import BATCH, contents, is_referenced

ATTEMPTS = 3
DATABASE, DRAFT, MANIFEST = "affinity.db", ".affinity.db.copying", "backup-manifest.json"
FORMAT = "affinity backup 1"
IN_A_BUCKET = (
    "the documents are in a bucket: its versions and the WAL of PostgreSQL are the backup (docs/backup.md); "
    "what lies in files are the keys: keep copies of them by hand"
)
Read = Callable[[Work[Any]], Any]
NAMED = 3
"""How many missing documents a complaint names."""


class BackupFailed(ValueError):
    """The backup is not complete; the text says what is missing, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What was written. ``database`` is None where the database is PostgreSQL's to back up."""

    directory: str
    at: str
    database: str | None
    documents: int
    copied: Copied
    pruned: int


def back_up(settings: Settings, database: Database, target: Path, now: datetime, *, prune: bool) -> Backup:
    """Write or renew a backup in ``target``. Raises BackupFailed, and leaves the last good database there then."""
    check_target(settings, target)
    if settings.documents.store is not DocumentStoreKind.FILES:
        raise BackupFailed(IN_A_BUCKET)
    make_directory(target)
    copied = copy_documents(settings.data, target)
    for _ in range(ATTEMPTS):
        _copy_root(settings, target)
        read = _snapshot(database, target) or database.read
        copied += copy_documents(settings.data, target)
        missing, documents = read(lambda connection: _compare(connection, target))
        if not missing:
            break
    else:
        raise BackupFailed(_complaint(missing))
    pruned = read(lambda connection: prune_documents(target, partial(is_referenced, connection))) if prune else 0
    made = Backup(
        directory=str(target),
        at=now.isoformat(),
        database=_keep(target),
        documents=documents,
        copied=copied,
        pruned=pruned,
    )
    _write_manifest(made, target)
    write_note(settings.data, BackupNote(at=now, directory=str(target)))
    return made


def check_target(settings: Settings, target: Path) -> None:
    """Refuse a directory that would be part of what it is a backup of, or the other way round."""
    data, chosen = settings.data.resolve(), target.resolve()
    if data.is_relative_to(chosen) or chosen.is_relative_to(data):
        raise BackupFailed(f"{target} and the data directory {settings.data} lie in each other: choose another place")


def copy_keys(settings: Settings, target: Path) -> tuple[str, ...]:
    """Copy the keys without which the documents cannot be read and the trail not be sealed on. Returns their names.

    Keys of documents that only the copy has stay in it: an earlier state of the backup may need them.
    """
    check_target(settings, target)
    documents, seal = key_file(settings), settings.data / KEY
    if documents.is_file():
        _add_keys(documents, target / documents.name)
    if seal.is_file():
        copy_file(seal, target / seal.name)
    return tuple(each.name for each in (documents, seal) if each.is_file())


def _add_keys(source: Path, target: Path) -> None:
    make_directory(target.parent)
    try:
        add_keys_of(source, target)
    except ValueError as error:
        raise BackupFailed(f"{source}, or {target}, holds no usable keys: {error}") from error


def _snapshot(database: Database, target: Path) -> Read | None:
    """Copy a SQLite database as it is at one moment; returns how to read the copy. The server writes on meanwhile."""
    draft = target / DRAFT
    draft.unlink(missing_ok=True)
    if database.engine.dialect.name != "sqlite":
        return None
    with closing(sqlite3.connect(str(database.url.database))) as source, closing(sqlite3.connect(draft)) as written:
        source.backup(written)
        said = _wholeness(written)
        written.execute("PRAGMA journal_mode=DELETE")  # one file: nothing of it may lie beside it
    draft.chmod(0o600)
    if said != "ok":
        raise BackupFailed(f"the database is damaged: {said}; see what an earlier backup holds")
    return lambda work: _read(draft, work)


def _wholeness(database: sqlite3.Connection) -> str:
    """What SQLite says of its pages; ``ok`` if they are whole."""
    try:
        return str(database.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.DatabaseError as error:  # it is so damaged that the check cannot be made
        if trouble(error) is not Trouble.DAMAGED:
            raise
        return str(error)


def _read(file: Path, work: Work[Any]) -> Any:
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.connect() as connection:
        return work(connection)


def _compare(connection: Connection, target: Path) -> tuple[list[str], int]:
    """A few of the documents that the backup lacks, and how many it should have."""
    missing = list(islice(lacking(target, registered(connection)), NAMED))
    return missing, 0 if missing else sum(1 for _ in registered(connection))


def registered(connection: Connection) -> Iterator[tuple[str, int]]:
    """SHA-256 and size of each document that may be retrieved, without keeping all of them."""
    after = ""
    while page := contents(connection, after, BATCH):
        yield from ((each.sha256, each.size) for each in page)
        after = page[-1].name


def _complaint(missing: list[str]) -> str:
    named = ", ".join(each[:16] for each in missing)
    return (
        f"documents are registered whose files are not whole in the store: {named}...; restore these files from an "
        "earlier backup (their name begins so), then make this one again"
    )


def _copy_root(settings: Settings, target: Path) -> None:
    """The newest root of the audit trail, before the database: the trail must reach at least as far as it."""
    root = settings.data / ROOT
    if root.is_file():
        write_whole(target / ROOT, root.read_bytes())


def _keep(target: Path) -> str | None:
    """Put the copy of the database in the place of the last one, durably."""
    draft = target / DRAFT
    if not draft.is_file():
        return None
    fsync(draft)
    draft.replace(target / DATABASE)
    fsync(target)
    return DATABASE


def _write_manifest(made: Backup, target: Path) -> None:
    told = {"format": FORMAT, "version": version("affinity-ihe"), "revision": HEAD, **asdict(made)}
    write_whole(target / MANIFEST, f"{json.dumps(told, indent=2)}\n".encode())
