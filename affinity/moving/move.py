"""One move from beginning to end; killed anywhere, the same command goes on."""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from affinity.console import note_use
from affinity.data_directory import UnusableData, lock_data
from affinity.database import Database
from affinity.document_store import key_file, open_store
from affinity.migrations import upgrade
from affinity.moving.capture import Source
from affinity.moving.documents import Copier
from affinity.moving.rows import compare, copy_all, finish
from affinity.moving.target import Target
from affinity.node import DOMAIN_NOTE
from affinity.outages import Trouble, Unavailable
from affinity.seal_files import KEY
from affinity.settings import Settings
from atna.trail import AuditUnavailable
from ihe.durable import make_directory, write_whole
from xds.documents import Content
from xds.repository_store import is_referenced

FILES = (KEY, "audit-root.json", DOMAIN_NOTE, "configuration.json")
"""What else a node is, beside its rows and documents; and the keys of its documents."""


@dataclass(slots=True)
class Telling:
    """Whoever watches a move. ``ready`` is called when the target may be started."""

    step: Callable[[str], None]
    ready: Callable[[], None]


@dataclass(slots=True)
class Moved:
    """What a move did. ``complete``: nothing is left to be copied, and the source takes no more changes."""

    rows: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    documents: int = 0
    lost: list[str] = field(default_factory=list)
    complete: bool = False


def move(old: Settings, new: Settings, telling: Telling) -> Moved:
    """Move a node. Raises UnusableData, NotEmpty, Differs, StoreUnavailable; then nothing of the source is harmed."""
    _copy_files(old, new)
    moved, lost = Moved(), list[Content]()

    def copied(_: Content) -> None:
        moved.documents += 1

    copier = Copier(open_store(old), open_store(new), copied, lost.append)
    if make_url(old.database) == make_url(new.database):
        _documents_alone(old, copier, moved)
    else:
        _everything(old, new, copier, moved, telling)
    moved.lost = _wanted(old, lost)
    return moved


def _everything(old: Settings, new: Settings, copier: Copier, moved: Moved, telling: Telling) -> None:
    file = _file(old)
    if make_url(new.database).get_backend_name() != "postgresql":
        raise UnusableData("a node is moved to PostgreSQL: database_url of the target names no such database")
    _make_tables(new)
    with ExitStack() as opened:
        source = Source(file)
        opened.callback(source.close)
        target = Target(new.database)
        opened.callback(target.close)
        _move_rows(old, source, target, copier, moved, telling)
    moved.complete = True


def _wanted(old: Settings, lost: Iterable[Content]) -> list[str]:
    """Which of those that could not be read somebody may still ask for: others were removed while they were copied."""
    database = Database(old.database)
    try:
        return [each.sha256 for each in lost if database.read(lambda c, each=each: is_referenced(c, each.name))]  # type: ignore[misc]
    finally:
        database.close()


def note(old: Settings) -> None:
    """Record on the source that it is being moved, unless a move that is taken up again has frozen it already."""
    database = Database(old.database)
    try:
        note_use(old, database)
    except AuditUnavailable as error:
        cause = error.__cause__
        if not isinstance(cause, Unavailable) or cause.trouble is not Trouble.MOVED:
            raise
    finally:
        database.close()


def release(old: Settings) -> None:
    """Let the source serve as before; whatever the target has taken since is not brought back."""
    source = Source(_file(old))
    source.release()
    source.close()


def _move_rows(old: Settings, source: Source, target: Target, copier: Copier, moved: Moved, telling: Telling) -> None:
    target.begin(source.identity)
    source.watch()
    target.reach("move", str(source.identity))
    target.drop_indexes()
    telling.step("rows are copied while the source serves")
    copy_all(source, target, lambda table, rows: telling.step(f"{table}: {rows} rows"))
    telling.step("indexes are made")
    target.create_indexes()
    telling.step("documents are copied while the source serves")
    database = Database(old.database)
    try:
        copier.copy_all(database)
    finally:
        database.close()
    telling.step("the source takes no more changes")
    moved.rows = finish(source, target, copier.copy_rows)
    target.freeze_view()
    telling.ready()
    moved.digests = compare(source, target, lambda table: telling.step(f"{table.name} is the same"))


def _documents_alone(old: Settings, copier: Copier, moved: Moved) -> None:
    """While a server runs, more may come; what is copied with the data directory locked is all."""
    with ExitStack() as held:
        try:
            held.callback(os.close, lock_data(old.data))
            moved.complete = True
        except UnusableData:
            moved.complete = False
        database = Database(old.database)
        held.callback(database.close)
        copier.copy_all(database)


def _copy_files(old: Settings, new: Settings) -> None:
    make_directory(new.data)
    pairs = [(old.data / name, new.data / name) for name in FILES]
    for here, there in (*pairs, (key_file(old), key_file(new))):
        if here.exists() and not there.exists():
            write_whole(there, here.read_bytes())


def _file(old: Settings) -> Path:
    url = make_url(old.database)
    if url.get_backend_name() != "sqlite" or not Path(url.database or "").is_file():
        raise UnusableData("a node is moved from SQLite: the source's database is no such file")
    return Path(url.database or "")


def _make_tables(new: Settings) -> None:
    database = Database(new.database)
    try:
        upgrade(database.engine)
    finally:
        database.close()
