"""The measures of a serving node: what is under way in it, what lies in its database, and on its disk."""

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Protocol

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from affinity.backup_note import read_note
from affinity.database import Database
from affinity.measures import Measure, Values, disk, single
from affinity.settings import Settings
from affinity.store_sizes import sizes
from affinity.workers import Workers
from atna import store_batches
from atna.batches import NotABatch
from atna.forwarding import Backlog
from atna.store_exchange import backlog
from mllp.factory import MLLPFactory
from pix.store_tasks import open_by_kind

log = structlog.get_logger()


class Site(Protocol):
    """An HTTP port."""

    open: int
    requests_under_way: int


def under_way(
    workers: Workers, database: Database, mllp: MLLPFactory, sites: Sequence[Site]
) -> Callable[[], Iterable[Measure]]:
    """Queues and what holds them up: nothing of it needs the database to answer."""

    def measure() -> Iterator[Measure]:
        yield _build(database)
        yield single("affinity_workers", "Processes that serve", 1)
        yield _threads(workers)
        yield single(
            "affinity_writes_waiting",
            "Works that wait for the one writer of SQLite, or to share a transaction on PostgreSQL",
            database.waiting,
        )
        yield _pool(database)
        http = sum(each.open for each in sites)
        yield _by_wire("affinity_connections", "Open connections", http, mllp.open)
        http = sum(each.requests_under_way for each in sites)
        yield _by_wire("affinity_under_way", "Requests received and not answered", http, mllp.messages_under_way)

    return measure


def at_rest(database: Database, settings: Settings, clock: Callable[[], datetime]) -> Callable[[], Iterable[Measure]]:
    """What lies in the database and on the disk. A database that is away says so and hides nothing else."""

    def measure() -> Iterator[Measure]:
        yield disk(settings.data)
        yield _backup(settings)
        up = "affinity_database_up", "1: the database answers"
        try:
            found = database.read(lambda connection: tuple(_stock(connection, clock())))
        except SQLAlchemyError as error:
            log.warning("database not measured", error=type(error).__name__)
            yield single(*up, 0)
            return
        yield single(*up, 1)
        yield from found

    return measure


def _backup(settings: Settings) -> Measure:
    """Without a value where none was made: who makes backups by other means shall not be alarmed."""
    noted = read_note(settings.data)
    help = "When the last backup that affinity db backup made was complete, in Unix time"
    values: Values = {(): noted.at.timestamp()} if noted else {}
    return Measure(name="affinity_backup_time_seconds", help=help, values=values)


def _build(database: Database) -> Measure:
    labels = {
        "version": version("affinity-ihe"),
        "python": platform.python_version(),
        "database": database.engine.dialect.name,
    }
    help = "1; the labels say which program answers, and on which kind of database"
    return Measure(name="affinity_build_info", help=help, labels=tuple(labels), values={tuple(labels.values()): 1})


def _threads(workers: Workers) -> Measure:
    busy = min(workers.under_way, workers.most)
    return Measure(
        name="affinity_threads",
        help="Threads for requests: busy, those there may be at most, and requests that wait for one",
        labels=("state",),
        values={("busy",): busy, ("most",): workers.most, ("waiting",): workers.under_way - busy},
    )


def _pool(database: Database) -> Measure:
    found = database.connections()
    help = "Connections to the database that are in use, and those there may be at most"
    values: Values = {("used",): found.in_use, ("most",): found.most}
    return Measure(name="affinity_database_connections", help=help, labels=("state",), values=values)


def _by_wire(name: str, help: str, http: int, mllp: int) -> Measure:
    return Measure(name=name, help=help, labels=("wire",), values={("http",): http, ("mllp",): mllp})


def _stock(connection: Connection, now: datetime) -> Iterator[Measure]:
    waits = _unsealed(connection)
    age = max((now - waits.oldest).total_seconds(), 0) if waits.oldest else 0
    yield single("affinity_audit_unsealed", "Audit records that are not sealed yet", waits.records)
    yield single("affinity_audit_unsealed_oldest_seconds", "Age of the oldest of them, 0 if there is none", age)
    yield Measure(
        name="affinity_stewardship_tasks",
        help="Open tasks of stewards, by kind",
        labels=("kind",),
        values={(kind.value,): count for kind, count in open_by_kind(connection).items()},
    )
    stored = sizes(connection)
    help = "Bytes of the database; wal: what SQLite has committed and not yet moved into its file"
    yield Measure(name="affinity_database_bytes", help=help, labels=("part",), values=stored)


def _unsealed(connection: Connection) -> Backlog:
    """A newest batch that cannot be read is a matter of ``affinity audit verify``; then everything counts."""
    try:
        newest = store_batches.newest(connection)
    except NotABatch:
        newest = None
    return backlog(connection, newest.batch.last if newest else 0)
