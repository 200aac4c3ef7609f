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
from pix.store_blocking import sharing

LOCKS = select(func.pg_advisory_xact_lock(func.unnest(bindparam("keys", type_=ARRAY(BigInteger)))))
ATTEMPTS = 20
REACH = 1000
"""Most records that are looked at to know what to lock."""
Result = TypeVar("Result")


Name = str | int
"""A blocking key, or the name of anything else."""
Names = frozenset[Name]


class Grown(Exception):
    """Records turned out to be connected that are not locked yet; nothing was stored."""

    def __init__(self, names: Names) -> None:
        super().__init__(f"{len(names)} more locks are needed")
        self.names = names


class Locks:
    """The names that one change has locked: a record by its key, an id by authority and id, and each blocking key.

    Two feeds of one new person share a blocking key, so that the second waits and then sees the first. Blocking keys
    are locked first: while they are held, no further record can come to be compared.
    """

    def __init__(self, connection: Connection, identifiers: Iterable[Identifier], further: Names) -> None:
        self._connection = connection
        self._needed = connection.dialect.name == "postgresql"
        self._held: set[Name] = set()
        if self._needed:
            self._take({each for each in further if isinstance(each, int)})
            candidates = sharing(connection, [each for each in self._held if isinstance(each, int)])
            connected = _connected(connection, tuple(identifiers), candidates)
            self._take(connected | {each for each in further if isinstance(each, str)})

    def adopt(self, key: PatientKey) -> None:
        """A record that this change inserted: nobody else sees it."""
        self._held.add(str(key))

    def require(self, keys: Iterable[PatientKey]) -> None:
        """Go on only if these records are locked; else ``Grown``."""
        self._require(frozenset(map(str, keys)))

    def require_blocking(self, keys: Iterable[int]) -> None:
        """Go on only if these blocking keys are locked; else ``Grown``."""
        self._require(frozenset(keys))

    def _require(self, names: Names) -> None:
        missing = names - self._held
        if missing and self._needed:
            raise Grown(missing)

    def _take(self, names: set[Name]) -> None:
        if names:
            self._connection.execute(LOCKS, {"keys": sorted(map(_lock_key, names))})
            self._held |= names


class Alone(Locks):
    """Of a change beside which nobody writes, such as a load, whose process holds the node's data directory.

    Its transaction has thousands of changes, and PostgreSQL has no room for the locks of all of them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._needed = False
        self._held: set[Name] = set()


def until_locked(names: Names, attempt: Callable[[Names], Result]) -> Result:
    """Run ``attempt`` with these names to lock, and more each time, until it has locked all that it touches."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt(names)
        except Grown as grown:
            names |= grown.names
    return attempt(names)


def _connected(
    connection: Connection, identifiers: tuple[Identifier, ...], candidates: Iterable[PatientKey]
) -> set[Name]:
    """The ids, every record that may be linked by them at this moment, and those that it is compared with."""
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
    carried = {f"{each.authority}|{each.id}" for some in held for each in some}
    return {*named, *carried, *map(str, reached), *map(str, candidates)}


def _lock_key(name: Name) -> int:
    if isinstance(name, int):
        return name
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"pix").digest(), signed=True)
