"""Reading the log of events back, in order and in bounded pieces, over ``pix.tables``."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Select, bindparam, func, or_, select, union

from ihe.identifiers import PatientKey
from pix.events import EVENTS, Event, from_plain
from pix.projection import Entry
from pix.tables import event as log
from pix.tables import task
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared

PIECE = 1000
"""Most events that are read at a time."""
LATEST = 2**63 - 1
"""Above the number of any event."""
COLUMNS = (
    log.c.number,
    log.c.at,
    log.c.actor,
    log.c.type,
    log.c.origin,
    log.c.message_id,
    log.c.reason,
    log.c.record,
    log.c.other,
    log.c.before,
    log.c.after,
)
ONE = Prepared(select(*COLUMNS).where(log.c.number == bindparam("this")))
PAGE = Prepared(select(*COLUMNS).where(log.c.number > bindparam("last")).order_by(log.c.number).limit(PIECE))


def _newest(number: Column[int], condition: ColumnElement[bool]) -> Select[tuple[int]]:
    newest = select(number).where(condition, number < bindparam("before")).order_by(number.desc()).limit(PIECE)
    return select(newest.subquery())


SINCE = Prepared(select(log.c.record).distinct().where(log.c.number >= bindparam("first"), log.c.record.is_not(None)))
THIS: BindParameter[int] = bindparam("this")
NUMBERS = Prepared(
    union(
        _newest(log.c.number, log.c.record == THIS),
        _newest(log.c.number, log.c.other == THIS),
        _newest(task.c.closed_by, or_(task.c.low == THIS, task.c.high == THIS)),
    )
)
"""Each part is read from its own index; what closed a task by itself names the task alone."""
OF_NUMBERS = Prepared(select(*COLUMNS).where(Among(log.c.number, "keys")).order_by(log.c.number.desc()))


class UnreadableLog(ValueError):
    """The log holds an event that this version cannot replay; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the log with all that stands in it. ``origin`` is the transaction, ``reason`` a person's words."""

    entry: Entry
    event: Event
    origin: str
    message_id: str
    reason: str | None


def read(connection: Connection, number: int) -> Line:
    """One line. KeyError: there is none with this number."""
    row = ONE.first(connection, {"this": number})
    if row is None:
        raise KeyError(number)
    return _line(row)


def lines(connection: Connection, after: int = 0) -> Iterator[Line]:
    """The log from the event after this one, oldest first. UnreadableLog: it is damaged, or older than replay is."""
    last = after
    while rows := PAGE.rows(connection, {"last": last}):
        yield from map(_line, rows)
        last = rows[-1][0]


def history(connection: Connection, key: PatientKey, before: int = LATEST, most: int = PIECE) -> Iterator[Line]:
    """What happened to one record, newest first: at most ``most`` events, and ``PIECE``, older than ``before``."""
    numbers = sorted((number for (number,) in NUMBERS.rows(connection, {"this": key, "before": before})), reverse=True)
    return map(_line, OF_NUMBERS.rows(connection, {"keys": numbers[: min(most, PIECE)]}))


def records_since(connection: Connection, first: int) -> list[PatientKey]:
    """The records that the events from this one on are about."""
    return sorted(PatientKey(key) for (key,) in SINCE.rows(connection, {"first": first}))


def newest(connection: Connection) -> int:
    """The number of the last event, 0 where there is none."""
    return connection.execute(select(func.max(log.c.number))).scalar() or 0


def length(connection: Connection) -> int:
    """How many events there are."""
    return connection.execute(select(func.count()).select_from(log)).scalar_one()


def _line(row: Row) -> Line:
    number, at, actor, kind, origin, message_id, reason, record, other, before, after = row
    columns = {"record": record, "other": other, "before": _read(before), "after": _read(after) or {}}
    try:
        event = from_plain(kind, columns)
    except (KeyError, TypeError) as error:
        why = "no such event" if kind not in EVENTS else f"it lacks {error}"
        raise UnreadableLog(f"event {number} ({kind}) cannot be replayed by this version: {why}") from error
    entry = Entry(number=number, at=at, actor=actor)
    return Line(entry=entry, event=event, origin=origin, message_id=message_id, reason=reason)


def _read(text: str | None) -> object:
    return None if text is None else orjson.loads(text)
