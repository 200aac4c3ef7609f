"""One change of the index: the transaction that it runs in, the events that it leaves, the locks that it holds."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix.locks import Locks
from pix.model import Origin
from pix.prepared import Prepared
from pix.tables import event

EVENT = Prepared(
    insert(event).returning(event.c.number), [each for each in event.columns if each is not event.c.number]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What every step of one change needs. ``is_national_id`` checks the digits of a national id."""

    connection: Connection
    domain: AffinityDomain
    origin: Origin
    at: datetime
    is_national_id: Callable[[str], bool]
    locks: Locks

    @property
    def timestamp(self) -> str:
        """When the change is made, ISO 8601 in UTC."""
        return self.at.astimezone(UTC).isoformat()

    def note(
        self,
        kind: str,
        *,
        record: PatientKey | None = None,
        other: PatientKey | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> int:
        """Append an event and return its number."""
        row = {
            "at": self.timestamp,
            "type": kind,
            "actor": self.origin.source,
            "origin": self.origin.transaction,
            "message_id": self.origin.message_id,
            "record": record,
            "other": other,
            "before": _json(before),
            "after": _json(after),
        }
        ((number,),) = EVENT.rows(self.connection, row)
        return int(number)


def _json(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else json.dumps(content, ensure_ascii=False, separators=(",", ":"))
