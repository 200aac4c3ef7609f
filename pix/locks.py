"""Locks on PostgreSQL, so that people who are fed at the same time are linked as if one after the other.

A change takes all its locks at once and in one order, so two changes never wait for each other. What it must lock is
what its ids are connected with; if that grew while it waited, it begins again with the larger set. SQLite, with its one
writer, needs none of this.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TypeVar

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from ihe.identifiers import PatientKey
from pix import store_links, store_records
from pix.model import Identifier

LOCKS = select(func.pg_advisory_xact_lock(func.unnest(bindparam("keys", type_=ARRAY(BigInteger)))))
ATTEMPTS = 20
REACH = 1000
"""Most records that are looked at to know what to lock."""
Result = TypeVar("Result")


class Grown(Exception):
    """Records turned out to be connected that are not locked yet; nothing was stored."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(f"{len(names)} more locks are needed")
        self.names = names


class Locks:
    """The names that one change has locked. A record is locked by its key, an id by authority and id."""

    def __init__(self, connection: Connection, identifiers: Iterable[Identifier], further: frozenset[str]) -> None:
        self._needed = connection.dialect.name == "postgresql"
        self._held: set[str] = set()
        if self._needed:
            self._held = {*_connected(connection, tuple(identifiers)), *further}
            connection.execute(LOCKS, {"keys": sorted(map(_lock_key, self._held))})

    def adopt(self, key: PatientKey) -> None:
        """A record that this change inserted: nobody else sees it."""
        self._held.add(str(key))

    def require(self, keys: Iterable[PatientKey]) -> None:
        """Go on only if these records are locked; else ``Grown``."""
        missing = frozenset(map(str, keys)) - self._held
        if missing and self._needed:
            raise Grown(missing)


def until_locked(attempt: Callable[[frozenset[str]], Result]) -> Result:
    """Run ``attempt`` with the further names to lock until it has locked all that it touches."""
    names: frozenset[str] = frozenset()
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt(names)
        except Grown as grown:
            names |= grown.names
    return attempt(names)


def _connected(connection: Connection, identifiers: tuple[Identifier, ...]) -> set[str]:
    """The ids, and every record that may be linked by them at this moment."""
    records = store_records.by_identifiers(connection, identifiers).values()
    national = [each for each in identifiers if each.authority.national]
    reached = {key for each in records for key in (each.key, each.survivor or each.key)}
    reached |= {key for each in national for key in store_records.records_with_national(connection, each.key)}
    held = store_records.nationals(connection, reached).values()
    frontier = reached
    while frontier and len(reached) < REACH:
        frontier = store_links.neighbours(connection, frontier) - reached
        reached |= frontier
    named = {"|".join(each.key) for each in identifiers}
    return named | {f"{each.authority}|{each.id}" for some in held for each in some} | set(map(str, reached))


def _lock_key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"pix").digest(), signed=True)
