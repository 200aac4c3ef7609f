"""One change of the index: the transaction that it runs in, the events that it leaves, the locks that it holds."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, insert, select

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix.model import Identifier, Origin
from pix.tables import event

LOCKS = select(func.pg_advisory_xact_lock(func.unnest(bindparam("keys", type_=ARRAY(BigInteger)))))
EVENT = insert(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What every step of one change needs. ``is_national_id`` checks the digits of a national id."""

    connection: Connection
    domain: AffinityDomain
    origin: Origin
    at: datetime
    is_national_id: Callable[[str], bool]
    locked: set[str] = field(default_factory=set)

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
        number = self.connection.execute(EVENT, row).inserted_primary_key
        assert number is not None
        return int(number[0])

    def lock_identifiers(self, identifiers: Iterable[Identifier]) -> None:
        """Let nobody else create or change these ids until the commit, so that a new person is created once."""
        self._lock({"|".join(identifier.key) for identifier in identifiers})

    def lock_records(self, keys: Collection[PatientKey]) -> None:
        """Let nobody else link these records until the commit."""
        self._lock({str(key) for key in keys})

    def _lock(self, names: set[str]) -> None:
        """SQLite has one writer; PostgreSQL locks in one order, and Database runs the loser of a deadlock again."""
        wanted = names - self.locked
        if wanted and self.connection.dialect.name == "postgresql":
            self.connection.execute(LOCKS, {"keys": sorted(map(_lock_key, wanted))})
        self.locked.update(wanted)


def _json(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _lock_key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"pix").digest(), signed=True)
