"""The tables made anew from the log. Recorded decisions are kept: the matcher does not run again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Table, delete, func, select, text

from pix.event_log import lines
from pix.projection import project
from pix.tables import blocking, card, decision, link, match, national, record, task, token, wordlist
from pix.tables_encounters import encounter, movement, word

PROJECTIONS: tuple[Table, ...] = (
    *(record, national, link, card, decision, match, blocking, task, token, wordlist),
    *(encounter, movement, word),
)
"""Every table that is a projection of the log."""
COUNT_ON = text(
    "SELECT setval(named, :highest) FROM CAST(pg_get_serial_sequence('pix_record', 'key') AS regclass) AS named "
    "WHERE COALESCE(pg_sequence_last_value(named), 0) < :highest"
)
"""Never back: a feed of another node takes the key of its record before it waits for the log."""
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild found: how many events it replayed, and the tables that differ from what they were before."""

    events: int
    differing: tuple[str, ...]


def rebuild(connection: Connection, progress: Progress) -> Rebuilt:
    """Empty the projections and replay the log; ``progress`` is told of every event.

    Raises UnreadableLog before anything is committed.
    """
    before = digests(connection)
    for table in PROJECTIONS:
        connection.execute(delete(table))
    count = 0
    for line in lines(connection):
        project(connection, line.entry, line.event)
        count += 1
        progress(count)
    _count_on(connection)
    after = digests(connection)
    return Rebuilt(events=count, differing=tuple(name for name in after if after[name] != before[name]))


def digests(connection: Connection) -> Mapping[str, str]:
    """SHA-256 over the rows of each projection, in the order of its primary key."""
    return {table.name: _digest(connection, table) for table in PROJECTIONS}


def _digest(connection: Connection, table: Table) -> str:
    total = sha256()
    ordered = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=1000)
    for row in connection.execute(ordered):
        total.update(repr(tuple(row)).encode())
    return total.hexdigest()


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL give the next record a key that none had; SQLite sees to that itself."""
    if connection.dialect.name == "postgresql":
        highest = connection.execute(select(func.max(record.c.key))).scalar()
        if highest is not None:
            connection.execute(COUNT_ON, {"highest": highest})
