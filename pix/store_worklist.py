"""The open tasks as a list to work off, over ``pix.tables``."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, or_, select

from ihe.identifiers import PatientKey
from pix.store_tasks import COLUMNS, read_task, seen_now
from pix.tables import WAITING, event, record, task
from pix.tasks import Kind, Task

MOST = 100
"""Most tasks of one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which open tasks: None asks for nothing. ``after`` is the last number of the page before.

    ``authority`` (OID), ``source`` (application|facility) and ``record`` are of either record; ``owner`` is a steward,
    or "" for tasks that nobody has taken.
    """

    kind: Kind | None = None
    authority: str | None = None
    source: str | None = None
    owner: str | None = None
    record: PatientKey | None = None
    after: int = 0
    limit: int = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An open task, and when it was opened (ISO 8601, UTC)."""

    task: Task
    opened: str


def waiting(connection: Connection, wanted: TaskFilter) -> tuple[Waiting, ...]:
    """A page of open tasks, the oldest first."""
    statement = (
        select(*COLUMNS, event.c.at)
        .join(event, event.c.number == task.c.opened_by)
        .where(WAITING, task.c.number > wanted.after, *_conditions(wanted))
        .order_by(task.c.number)
        .limit(max(1, min(wanted.limit, MOST)))
    )
    rows = [tuple(row) for row in connection.execute(statement)]
    tasks = seen_now(connection, [read_task(row[:-1]) for row in rows])
    return tuple(Waiting(task=each, opened=row[-1]) for each, row in zip(tasks, rows, strict=True))


def opened_at(connection: Connection, number: int) -> str:
    """When a task was opened: its number is that of the event."""
    return str(connection.execute(select(event.c.at).where(event.c.number == number)).scalar_one())


def _conditions(wanted: TaskFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.kind is not None:
        yield task.c.kind == wanted.kind.value
    if wanted.owner is not None:
        yield task.c.owner == wanted.owner if wanted.owner else task.c.owner.is_(None)
    if wanted.record is not None:
        yield or_(task.c.low == wanted.record, task.c.high == wanted.record)
    for column, value in ((record.c.authority, wanted.authority), (record.c.source, wanted.source)):
        if value is not None:
            # Two look-ups by key: of one with "or", SQLite makes a scan of all records of the authority.
            yield or_(*(_is_of(side, column, value) for side in (task.c.low, task.c.high)))


def _is_of(side: Column[int], column: Column[str], value: str) -> ColumnElement[bool]:
    return select(record.c.key).where(record.c.key == side, column == value).exists()
