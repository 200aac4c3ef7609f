"""One change of the index: the transaction that it runs in, the events that it leaves, the locks that it holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from ihe.domain import AffinityDomain
from pix.events import Event, to_plain
from pix.locks import Locks
from pix.matching.configuration import Configuration
from pix.matching.mode import Mode
from pix.model import Origin
from pix.projection import Entry, project
from pix.remembering import Last
from pix.snapshot import written
from pix.tables import event as log
from statements.prepared import Prepared

WRITTEN = [each for each in log.columns if each is not log.c.number]
APPEND = {
    "sqlite": Prepared(insert(log), WRITTEN),  # its driver knows the number, RETURNING would build a table of one row
    "postgresql": Prepared(insert(log).returning(log.c.number), WRITTEN),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What every step of one change needs. ``is_national_id`` checks the digits of a national id.

    ``noted`` are the events so far with their numbers, by which it is found out whose ids are others now.
    ``shadow`` is a configuration on trial: it is evaluated beside ``matching`` and has no effect.
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
    noted: list[tuple[int, Event]] = field(default_factory=list)

    @property
    def timestamp(self) -> str:
        """When the change is made, ISO 8601 in UTC."""
        return _in_utc(self.at)

    def note(self, event: Event) -> int:
        """Write an event to the log, let it take effect, and return its number."""
        columns, at = to_plain(event), self.timestamp
        row = {
            "at": at,
            "type": event.type,
            "actor": self.origin.source,
            "origin": self.origin.transaction,
            "message_id": self.origin.message_id,
            "reason": self.origin.reason,
            "record": columns["record"],
            "other": columns["other"],
            "before": _json(columns["before"]),
            "after": _json(columns["after"]),
        }
        number = APPEND[self.connection.dialect.name].added(self.connection, row)
        project(self.connection, Entry(number=number, at=at, actor=self.origin.source), event)
        self.noted.append((number, event))
        return number


@Last
def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _json(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else written(content)
