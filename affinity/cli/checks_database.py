"""What ``affinity doctor`` looks at in the database: does it answer, is it migrated, does it keep what it commits."""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from affinity import migrations
from affinity.cli.failures import unreached
from affinity.cli.finding import Finding, failed, ok, skipped, warning
from affinity.outages import PRIMARY, RESTORE, remedy
from affinity.settings import Settings
from affinity.store_settings import server_settings, server_time

SKEW = 5
"""Seconds by which the clocks of node and database may differ: both stamp what is recorded."""
LOOK_SECONDS, INSTRUCTIONS = 20, 100_000
"""Seconds for which the pages of a large SQLite file are looked at, and how many steps pass between two looks at the
clock."""
LARGE_WAL = 2**30
"""Bytes from which the WAL of SQLite is no longer a passing thing."""
SPARE = 10
"""Connections that should be left for others: for psql, backups, monitoring."""
KEEPS = (
    ("fsync", ("on",), "a crash of the machine loses what was acknowledged"),
    ("full_page_writes", ("on",), "a crash of the machine leaves torn pages"),
    ("synchronous_commit", ("on", "local", "remote_write", "remote_apply"), "a crash loses what was acknowledged last"),
)
"""Settings without which an acknowledgement means nothing: name, good values, and what happens else."""


def database(settings: Settings) -> Iterator[Finding]:
    """Everything about the database, as far as it answers."""
    url = make_url(settings.database)
    shown = url.render_as_string(hide_password=True)
    is_file = url.get_backend_name() == "sqlite"
    if is_file:
        file = Path(url.database or "")
        if not file.is_file():
            yield skipped("database", f"{shown} is not there yet: the first start makes it")
            return
        yield _wal(Path(f"{file}-wal"))
    engine = create_engine(url, connect_args=_patience(url, settings))
    try:
        with engine.connect() as connection:
            yield _migration(engine, connection, shown)
            yield from (_of_sqlite if is_file else _of_postgresql)(connection, settings)
    except SQLAlchemyError as error:
        cause = unreached(getattr(error, "orig", None) or error)
        what_to_do = remedy(error) if is_file else "is it up, and are user and password right?"
        yield failed("database", f"{shown} does not answer: {cause}", what_to_do)
    finally:
        engine.dispose()


def _patience(url: URL, settings: Settings) -> dict[str, int]:
    """A host that is cut off does not refuse: it is silent, and the system would wait for it for two minutes."""
    if url.get_backend_name() == "sqlite" or "connect_timeout" in url.query:
        return {}
    return {"connect_timeout": settings.postgresql.connect_seconds}


def _of_postgresql(connection: Connection, settings: Settings) -> Iterator[Finding]:
    said = server_settings(connection)
    yield from keeping(said)
    yield _room(int(said["max_connections"]), settings)
    yield _clock(server_time(connection))


def _of_sqlite(connection: Connection, _settings: Settings) -> Iterator[Finding]:
    driver = connection.connection.dbapi_connection
    yield writing(driver)
    yield _pages(driver)


def writing(driver: Any) -> Finding:
    """Whether it can be written to: a write is begun, and taken back."""
    check = "database writes"
    try:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("PRAGMA user_version = 1")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & PRIMARY == sqlite3.SQLITE_BUSY:
            return skipped(check, "somebody else writes just now")
        return failed(check, f"refused: {error}", remedy(error))
    finally:
        driver.rollback()
    return ok(check, "allowed")


def _pages(driver: Any) -> Finding:
    """Whether SQLite finds its pages whole."""
    check, end = "database pages", monotonic() + LOOK_SECONDS
    driver.set_progress_handler(lambda: monotonic() > end, INSTRUCTIONS)
    try:
        said = str(driver.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return skipped(check, f"not all seen in {LOOK_SECONDS} s; affinity db backup looks at all of them")
        said = str(error)
    finally:
        driver.set_progress_handler(None, 0)
    return ok(check, "whole") if said == "ok" else failed(check, f"damaged: {said}", RESTORE)


def keeping(said: Mapping[str, str]) -> Iterator[Finding]:
    """What the settings of PostgreSQL mean for acknowledged data, and for a restore."""
    lax = [(name, what) for name, good, what in KEEPS if said.get(name) not in good]
    for name, what in lax:
        detail = f"{name} = {said.get(name)}: {what}"
        yield failed(
            "database durability", detail, f"set {name} = on in postgresql.conf, for the role and the URL as well"
        )
    if not lax:
        yield ok("database durability", ", ".join(f"{name} = {said[name]}" for name, _, _ in KEEPS))
    if said.get("server_encoding") != "UTF8":
        yield failed("database encoding", said.get("server_encoding", ""), "names need UTF8: create the database anew")
    if said.get("data_checksums") == "off":
        yield warning("database checksums", "off: damage of the disk is not noticed", "pg_checksums --enable, stopped")
    yield _archive(said)


def _archive(said: Mapping[str, str]) -> Finding:
    if said.get("archive_mode") in ("on", "always") and said.get("wal_level") != "minimal":
        return ok("database archive", "WAL is archived: a restore to a point in time is possible")
    return warning(
        "database archive",
        "WAL is not archived: a restore loses what came after the last backup",
        "set archive_mode = on (docs/backup.md)",
    )


def _room(there_are: int, settings: Settings) -> Finding:
    processes = settings.workers or 1
    opened = processes * settings.postgresql.connections
    detail = f"max_connections = {there_are}; this node opens up to {opened}, in {processes} processes"
    if there_are < opened + SPARE:
        return warning("database connections", detail, f"set max_connections to {opened + SPARE} or more")
    return ok("database connections", detail)


def _clock(server: datetime) -> Finding:
    seconds = round((server - datetime.now(UTC)).total_seconds())
    if abs(seconds) > SKEW:
        return failed("database clock", f"differs by {seconds} s from ours", "let both follow a time server (NTP)")
    return ok("database clock", f"differs by {seconds} s")


def _wal(file: Path) -> Finding:
    size = file.stat().st_size if file.is_file() else 0
    detail = f"{file.name}: {size / 2**20:.0f} MiB"
    if size > LARGE_WAL:
        return warning("database WAL", detail, "end whatever reads one snapshot for so long; then it shrinks at a stop")
    return ok("database WAL", detail)


def _migration(engine: Engine, connection: Connection, shown: str) -> Finding:
    present = set(MigrationContext.configure(connection).get_current_heads())
    wanted = set(ScriptDirectory.from_config(migrations.config(engine)).get_heads())
    if present != wanted:
        detail = f"{shown} is at revision {', '.join(present) or 'none'}, this program at {', '.join(wanted)}"
        remedy = "start the server: it migrates; an older program cannot read a newer database"
        return failed("database", detail, remedy)
    return ok("database", f"{shown}: migrated ({', '.join(wanted)})")
