"""On the source, a SQLite database that a server is using: what changes while it is copied, and the end of all changes.

Both are triggers of the database itself, so that no writer of any process is missed. ``moving_change`` has the keys of
rows that were written, in the order of the writes.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, Table

from affinity.group_writer import FROZEN
from affinity.schema import METADATA

TABLES: tuple[Table, ...] = tuple(table for metadata in METADATA for table in metadata.sorted_tables)
AUDIT = frozenset(table.name for table in TABLES if table.name.startswith("audit_"))
"""Tables that are written last: a query is answered only if it was recorded."""
EVENTS = ("INSERT", "UPDATE", "DELETE")
BEGUN = (
    "INSERT INTO moving_change (tbl, key) SELECT '', hex(randomblob(16)) WHERE NOT EXISTS (SELECT 1 FROM moving_change)"
)
"""The first change names the move."""
WAIT = 30
"""Seconds that a write of ours waits for the server's."""


class Source:
    """A SQLite file, read and watched beside its server."""

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file, timeout=WAIT, isolation_level=None)

    def watch(self) -> None:
        """Note every change from now on; harmless if they are noted already."""
        changes = "CREATE TABLE IF NOT EXISTS moving_change (id INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT, key TEXT)"
        self._together(changes, BEGUN, *(each for table in TABLES for each in _noting(table)))

    @property
    def identity(self) -> str | None:
        """What tells this move from one that was taken back, after which nobody noted changes; None: not begun."""
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'moving_change'"):
            return None
        return str(self._all("SELECT key FROM moving_change ORDER BY id LIMIT 1")[0][0])

    def freeze(self, tables: Iterable[str]) -> None:
        """Refuse every change of these tables from now on, in every process and after every restart."""
        self._together(*(_refusing(table, event) for table in tables for event in EVENTS))

    def release(self) -> None:
        """Make the source what it was before the move."""
        names = self._all(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'moving\\_%' ESCAPE '\\'"
        )
        self._together(*(f'DROP TRIGGER "{name}"' for (name,) in names), "DROP TABLE IF EXISTS moving_change")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read the state of one moment."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def changed(self, table: Table, after: int) -> list[tuple[Any, ...]]:
        """The keys of the rows of a table that were written after a change."""
        rows = self._all("SELECT DISTINCT key FROM moving_change WHERE tbl = ? AND id > ?", table.name, after)
        return [tuple(json.loads(key)) for (key,) in rows]

    def newest(self) -> int:
        """The number of the newest change, 0 for none."""
        return int(self._all("SELECT coalesce(max(id), 0) FROM moving_change")[0][0])

    def rows(self, table: Table, after: Sequence[Any], count: int) -> list[tuple[Any, ...]]:
        """The next rows after a primary key, in its order; no key: the first ones."""
        key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
        beyond = f"WHERE ({key}) > ({', '.join('?' for _ in after)})" if after else ""
        return self._all(f'SELECT {_names(table)} FROM "{table.name}" {beyond} ORDER BY {key} LIMIT {count}', *after)

    def row(self, table: Table, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The row of a key as it is now, None if there is none."""
        where = " AND ".join(f"{_key_part(column)} = ?" for column in table.primary_key.columns)
        found = self._all(f'SELECT {_names(table)} FROM "{table.name}" WHERE {where}', *key)
        return found[0] if found else None

    def everything(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Every row."""
        yield from self.connection.execute(f'SELECT {_names(table)} FROM "{table.name}"')

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self._all(f'SELECT count(*) FROM "{table.name}"')[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values).fetchall()

    def _together(self, *statements: str) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            for each in statements:
                self.connection.execute(each)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


def key_of(table: Table, row: tuple[Any, ...]) -> list[Any]:
    """The primary key of a row."""
    values = dict(zip(table.columns, row, strict=True))
    return [values[column] for column in table.primary_key.columns]


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _key_part(column: Any, row: str = "") -> str:
    """How a part of a key is noted: JSON has no bytes."""
    name = f'{row}"{column.name}"'
    return f"hex({name})" if isinstance(column.type, LargeBinary) else name


def _noting(table: Table) -> Iterator[str]:
    for event in EVENTS:
        notes = "".join(_note(table, row) for row in ("OLD.", "NEW.") if (row, event) not in _WITHOUT)
        yield (
            f'CREATE TRIGGER IF NOT EXISTS "moving_note_{table.name}_{event}" AFTER {event} ON "{table.name}" '
            f"BEGIN {notes} END"
        )


_WITHOUT = {("OLD.", "INSERT"), ("NEW.", "DELETE")}


def _note(table: Table, row: str) -> str:
    key = ", ".join(_key_part(column, row) for column in table.primary_key.columns)
    return f"INSERT INTO moving_change (tbl, key) VALUES ('{table.name}', json_array({key}));"


def _refusing(table: str, event: str) -> str:
    return (
        f'CREATE TRIGGER IF NOT EXISTS "moving_stop_{table}_{event}" BEFORE {event} ON "{table}" '
        f"BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END"
    )
