"""The rows of a node: copied while it serves, then what changed meanwhile, then compared."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Table

from affinity.moving.capture import AUDIT, TABLES, Source, key_of
from affinity.moving.comparing import digest
from affinity.moving.target import Target
from xds.tables import document

CHUNK = 20_000
"""Rows in one transaction of the target: what a move that is killed has to copy again."""
FEW = 200
"""Changes that are caught up within a moment, so that the source may be frozen."""
ROUNDS = 20
"""How often a source that goes on changing is followed before it is frozen all the same."""

Changed = Callable[[Iterable[tuple[Any, ...] | None]], None]
"""Told of rows of documents before they are committed; None was deleted."""
Moved = Callable[[str, int], None]
"""Told of a table and how many of its rows were copied."""
OTHERS = [table.name for table in TABLES if table.name not in AUDIT]


class Differs(ValueError):
    """The target does not have what the source has; the text names the table."""


def copy_all(source: Source, target: Target, moved: Moved) -> None:
    """Copy every table, in pieces that are noted with what they brought."""
    if target.reached("copied") is not None:
        return
    for table in TABLES:
        after = json.loads(target.reached(table.name) or "[]")
        while rows := source.rows(table, after, CHUNK):
            target.copy(table, rows)
            after = key_of(table, rows[-1])
            target.reach(table.name, json.dumps(after))
            target.commit()
            moved(table.name, len(rows))
    target.reach("copied", "all")
    target.commit()


def follow(source: Source, target: Target, changed: Changed) -> int:
    """Bring over what changed, all of it as it is at one moment; how many changes there were.

    All at once: rows of different moments could break a unique index that neither moment breaks.
    """
    with source.snapshot():
        after, newest = int(target.reached("changes") or 0), source.newest()
        keys = {table.name: source.changed(table, after) for table in TABLES}
        changed(source.row(document, key) for key in keys[document.name])
        for table in TABLES:
            target.forget(table, keys[table.name])
        for table in TABLES:
            rows = (source.row(table, key) for key in keys[table.name])
            target.copy(table, (row for row in rows if row is not None))
        target.reach("changes", str(newest))
        target.commit()
    return newest - after


def catch_up(source: Source, target: Target, changed: Changed) -> None:
    """Follow the source until little is left."""
    for _ in range(ROUNDS):
        if follow(source, target, changed) < FEW:
            return


def finish(source: Source, target: Target, changed: Changed) -> dict[str, int]:
    """End all changes of the source, bring over the last, and count. Raises Differs.

    The audit trail goes on longest: what only reads is recorded and answered until the last moment.
    """
    catch_up(source, target, changed)
    for tables in (OTHERS, list(AUDIT)):
        source.freeze(tables)
        follow(source, target, changed)
    target.set_sequences()
    here, there = ({table.name: side.count(table) for table in TABLES} for side in (source, target))
    for name, count in here.items():
        if there[name] != count:
            raise Differs(f"{name} has {count} rows on the source and {there[name]} on the target")
    return here


def compare(source: Source, target: Target, compared: Callable[[Table], None]) -> dict[str, str]:
    """Compare every row of every table; the digest of each table. Raises Differs."""
    digests = {}
    for table in TABLES:
        here, there = digest(table, source.everything(table)), digest(table, target.everything(table))
        if here != there:
            raise Differs(f"the rows of {table.name} are not those of the source")
        digests[table.name] = here[1]
        compared(table)
    return digests
