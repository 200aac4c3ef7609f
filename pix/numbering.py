"""Keys of new records and numbers of their events, for many at once."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection, text

from ihe.identifiers import PatientKey
from pix import store_newcomers, store_records
from statements.prepared import Prepared

SEQUENCES = (("pix_record", "key"), ("pix_event", "number"))
RESERVE_KEYS, RESERVE_EVENTS = (
    Prepared(
        text(
            f"SELECT nextval(pg_get_serial_sequence('{table}', '{column}')) "
            "FROM generate_series(1, CAST(:many AS INTEGER))"
        )
    )
    for table, column in SEQUENCES
)
COUNT_KEYS_ON, COUNT_EVENTS_ON = (
    Prepared(text(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), :last)"))
    for table, column in SEQUENCES
)
SOME = 32
"""Events that are reserved at a time; some may never be used."""


class Numbers(Protocol):
    """Keys and numbers of one transaction, each larger than the one before."""

    def keys(self, many: int) -> Sequence[PatientKey]:
        """Keys for records to come; those that are not used may be given again."""

    def use(self, key: PatientKey) -> None:
        """A record has this key."""

    def is_new(self, key: PatientKey) -> bool:
        """Claim that ``keys`` gave this key."""

    def event(self) -> int:
        """The number of the next event."""

    def end(self) -> None:
        """Let those who come afterwards go on after these."""


class Counted:
    """Where nobody else writes: without a gap."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._first_key = self._next_key = store_records.next_key(connection)
        self._next_event = store_newcomers.next_event(connection)

    def keys(self, many: int) -> Sequence[PatientKey]:
        return [PatientKey(self._next_key + at) for at in range(many)]

    def use(self, key: PatientKey) -> None:
        self._next_key = PatientKey(key + 1)

    def is_new(self, key: PatientKey) -> bool:
        return key >= self._first_key

    def event(self) -> int:
        self._next_event += 1
        return self._next_event - 1

    def end(self) -> None:
        if self._connection.dialect.name == "postgresql":
            COUNT_KEYS_ON.run(self._connection, {"last": self._next_key - 1})
            COUNT_EVENTS_ON.run(self._connection, {"last": self._next_event - 1})


class Reserved:
    """On PostgreSQL, where others take numbers meanwhile: theirs lie between."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys: set[PatientKey] = set()
        self._events: list[int] = []

    def keys(self, many: int) -> Sequence[PatientKey]:
        found = [PatientKey(key) for (key,) in RESERVE_KEYS.rows(self._connection, {"many": many})]
        self._keys.update(found)
        return found

    def use(self, key: PatientKey) -> None:
        """Nobody else has it."""

    def is_new(self, key: PatientKey) -> bool:
        return key in self._keys

    def event(self) -> int:
        if not self._events:
            rows = RESERVE_EVENTS.rows(self._connection, {"many": SOME})
            self._events = [number for (number,) in reversed(rows)]
        return self._events.pop()

    def end(self) -> None:
        """The sequences have counted on already."""
