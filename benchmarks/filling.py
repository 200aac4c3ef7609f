"""SQLite tables filled from other files, in the order of their keys and before their indexes are made."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Table, create_engine

from affinity.migrations import upgrade
from pix.tables import blocking, card, event, link, national, record, token, wordlist

TABLES = (record, national, token, wordlist, blocking, link, card, event)
"""What a feed of somebody whom nobody resembles writes, its receipt aside."""
CACHE = 2 * 2**30
"""Bytes that SQLite may sort in memory."""
Functions = Sequence[tuple[str, int, Callable[..., str | None]]]
"""Functions for SQL: the name, how many arguments, what it does."""


def fill(file: Path, sources: Sequence[Path], select: Callable[[Table], str], functions: Functions = ()) -> None:
    """Make a database of what ``select`` gives for each of TABLES; ``sources`` are attached as s0, s1 and so on."""
    engine = create_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE // 1024}", "threads=2"):
        connection.execute(f"PRAGMA {pragma}")
    for number, source in enumerate(sources):
        connection.execute(f"ATTACH '{source}' AS s{number}")
    for name, arguments, function in functions:
        connection.create_function(name, arguments, function, deterministic=True)
    for table in TABLES:
        indexes = drop_indexes(connection, table)
        connection.execute(
            f"INSERT INTO main.{table.name} ({columns(table)}) SELECT * FROM ({select(table)}) ORDER BY {key(table)}"
        )
        for statement in indexes:
            connection.execute(statement)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def drop_indexes(connection: sqlite3.Connection, table: Table) -> list[str]:
    """Drop the indexes of a table; the statements that make them again."""
    made = "SELECT name, sql FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    found = connection.execute(made, (table.name,)).fetchall()
    for name, _ in found:
        connection.execute(f'DROP INDEX main."{name}"')
    return [statement for _, statement in found]


def columns(table: Table) -> str:
    """The columns of a table, for a statement."""
    return ", ".join(f'"{each.name}"' for each in table.columns)


def key(table: Table) -> str:
    """Those of its primary key."""
    return ", ".join(f'"{each.name}"' for each in table.primary_key.columns)
