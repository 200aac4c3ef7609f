"""One change of the index: the transaction that it runs in, the events that it leaves, the locks that it holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, text

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix.concerned import concerned
from pix.events import Announced, Event, to_plain
from pix.locks import Locks
from pix.matching.configuration import Configuration
from pix.matching.mode import Mode
from pix.model import Origin
from pix.projection import Entry, project
from pix.snapshot import written
from pix.tables import event as log
from statements.compiled import Row
from statements.prepared import Prepared, Question

Write = Callable[["Change", Event], int]
WRITTEN = [each for each in log.columns if each is not log.c.number]
NAMES = tuple(each.name for each in WRITTEN)
APPEND = Prepared(insert(log), WRITTEN)
NUMBERED = Prepared(insert(log), log.columns)
NUMBERS = {
    "postgresql": Prepared(
        text(
            "SELECT nextval(pg_get_serial_sequence('pix_event', 'number')) "
            "FROM generate_series(1, CAST(:many AS INTEGER))"
        )
    )
}
"""Of events to come, so that nobody waits for PostgreSQL when they are written; some may never be used.

SQLite's driver knows the number of what it has just written.
"""
SOME = 4
"""Events that follow the first of a change: where somebody is linked there are two or three."""


def write_now(change: "Change", event: Event) -> int:
    """Write an event, and what it changes, to the database at once."""
    row = dict(zip(NAMES, event_row(change, event), strict=True))
    if numbers := NUMBERS.get(change.connection.dialect.name):
        number = _next_number(change, numbers)
        NUMBERED.run(change.connection, {"number": number, **row})
    else:
        number = APPEND.added(change.connection, row)
    project(change.connection, Entry(number=number, at=change.timestamp, actor=change.origin.source), event)
    return number


def asking_number() -> Question:
    """What the first event of a change asks of PostgreSQL."""
    return NUMBERS["postgresql"], {"many": 1}


def _next_number(change: "Change", numbers: Prepared) -> int:
    if not change.numbers:
        rows = numbers.rows(change.connection, {"many": SOME if change.noted else 1})
        change.numbers.extend(number for (number,) in rows)
    return change.numbers.pop(0)


def event_row(change: "Change", event: Event) -> Row:
    """What the log says of an event, in the order of its columns, the number left out."""
    columns = to_plain(event)
    before, after = _json(columns["before"]), _json(columns["after"])
    return (*headline(change, event.type), columns["record"], columns["other"], before, after)


def headline(change: "Change", type: str) -> Row:
    """What the log says of each event of a change, and its type, in the order of the columns."""
    origin = change.origin
    return (change.timestamp, type, origin.source, origin.transaction, origin.message_id, origin.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What every step of one change needs. ``is_national_id`` checks the digits of a national id.

    ``numbers`` are those of events to come, where they are known. ``noted`` are the events so far with their numbers,
    by which it is found out whose ids are others now; ``announced`` the records that are new, with the authority (OID)
    and the id of each.
    ``shadow`` is a configuration on trial: it is evaluated beside ``matching`` and has no effect.
    ``write`` writes an event to the log, lets it take effect and returns its number.
    ``timestamp`` is when the change is made, ISO 8601 in UTC.
    """

    connection: Connection
    domain: AffinityDomain
    origin: Origin
    at: datetime
    is_national_id: Callable[[str], bool]
    matching: Configuration
    locks: Locks
    mode: Mode = Mode.ON
    shadow: Configuration | None = None
    numbers: list[int] = field(default_factory=list)
    noted: list[tuple[int, Event]] = field(default_factory=list)
    announced: list[tuple[PatientKey, str, str]] = field(default_factory=list)
    write: Write = write_now
    timestamp: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "timestamp", self.at.astimezone(UTC).isoformat())

    def note(self, event: Event) -> int:
        """Write an event to the log, let it take effect, and return its number. Grown: it is about records not held."""
        if self.locks.are_needed:
            self.locks.require(concerned(event))
        number = self.write(self, event)
        self.noted.append((number, event))
        if isinstance(event, Announced):
            self.announced.append((event.record, event.authority, event.id))
        return number


def _json(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else written(content)
