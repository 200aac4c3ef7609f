"""Locks on PostgreSQL, so that people who are fed at the same time are linked as if one after the other.

A change takes all its locks at once and in one order, so two changes never wait for each other. What it must lock is
what its ids are connected with; if that grew while it waited, it begins again with the larger set. SQLite, with its one
writer, needs none of this.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from sqlalchemy import Connection, text

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import store_links, store_matches, store_nationals, store_records
from pix.matching.blocking import lookup_keys
from pix.matching.subject import subject
from pix.model import Identifier
from pix.state import linking_ids
from pix.store_blocking import asking_sharing, sharing
from statements.prepared import Prepared, ask_ahead

LOCKS = Prepared(
    text(
        "SELECT pg_advisory_xact_lock_shared(3419, 0) "
        "UNION ALL SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS BIGINT[])) AS key"
    )
)
ALONE = Prepared(text("SELECT pg_advisory_xact_lock(3419, 0)"))
"""3419 is the class of the lock that every change shares, and a load has for itself."""
ATTEMPTS = 20
REACH = 1000
"""Most records that are looked at to know what to lock."""
Result = TypeVar("Result")


Name = str | int
"""A blocking key, or the name of anything else."""
Names = frozenset[Name]
EarlyNames = Callable[[], Names]
"""Names that are known to be needed; only asked for where there are locks."""


class Grown(Exception):
    """Records turned out to be connected that are not locked yet; nothing was stored."""

    def __init__(self, names: Names) -> None:
        super().__init__(f"{len(names)} more locks are needed")
        self.names = names


@dataclass(frozen=True, slots=True)
class Met:
    """What a change found when it took its locks: its blocking keys, who shares one, and the keys of ids it names."""

    blocking: Collection[int]
    candidates: Collection[PatientKey]
    known: Mapping[tuple[str, str], PatientKey]


class Locks:
    """The names that one change has locked: a record by its key, an id by authority and id, and each blocking key.

    Two feeds of one new person share a blocking key, so that the second waits and then sees the first. Blocking keys
    are locked first: while they are held, no further record can come to be compared.

    ``met`` is who was there meanwhile, None where nothing is locked. ``are_needed`` says whether anything is.
    """

    met: Met | None = None

    def __init__(self, connection: Connection, identifiers: Iterable[Identifier], early: EarlyNames) -> None:
        self._connection = connection
        self.are_needed = needs_locks(connection)
        self._held: set[Name] = set()
        if self.are_needed:
            names, identifiers = early(), tuple(identifiers)
            blocking = {each for each in names if isinstance(each, int)}
            self._take(blocking)
            ask_ahead(
                connection,
                [
                    *asking_sharing(blocking),
                    *store_records.asking_by_identifiers(identifiers),
                    *store_nationals.asking_carrying(_nationals(identifiers)),
                ],
            )
            candidates = sharing(connection, blocking)
            known = store_records.by_identifiers(connection, identifiers)
            self.met = Met(blocking, candidates, {id: each.key for id, each in known.items()})
            connected = _connected(connection, identifiers, known.values(), candidates)
            self._take(connected | {each for each in names if isinstance(each, str)})

    def adopt(self, key: PatientKey) -> None:
        """A record that this change inserted: nobody else sees it."""
        self._held.add(str(key))

    def require(self, keys: Iterable[PatientKey]) -> None:
        """Go on only if these records are locked; else ``Grown``."""
        if self.are_needed:
            self._require(frozenset(map(str, keys)))

    def require_ids(self, ids: Iterable[tuple[str, str]]) -> None:
        """Go on only if these ids, each an authority (OID) and an id, are locked; else ``Grown``."""
        if self.are_needed:
            self._require(frozenset(map("|".join, ids)))

    def require_blocking(self, keys: Iterable[int]) -> None:
        """Go on only if these blocking keys are locked; else ``Grown``."""
        if self.are_needed:
            self._require(frozenset(keys))

    def _require(self, names: Names) -> None:
        if missing := names - self._held:
            raise Grown(missing)

    def _take(self, names: Collection[Name]) -> None:
        if names:
            LOCKS.run(self._connection, {"keys": sorted(map(_lock_key, names))})
            self._held.update(names)


def needs_locks(connection: Connection) -> bool:
    """Whether others may write at the same time."""
    return connection.dialect.name == "postgresql"


def wait_until_alone(connection: Connection) -> None:
    """Let no other change begin until this transaction ends, and wait for those that have begun.

    A load does: its transaction has thousands of changes, and PostgreSQL has no room for the locks of all of them; and
    a rebuild, for which a rematch that writes no events waits as well.
    """
    if connection.dialect.name == "postgresql":
        ALONE.rows(connection, {})


class Alone(Locks):
    """Of a change beside which nobody writes, or of a trial that is taken back, of which nobody else sees anything."""

    def __init__(
        self, connection: Connection, identifiers: Iterable[Identifier] = (), early: EarlyNames = frozenset
    ) -> None:
        self._connection = connection
        self.are_needed = False
        self._held: set[Name] = set()


def until_locked(attempt: Callable[[Names], Result]) -> Result:
    """Run ``attempt`` with names to lock, none at first and more each time, until it has locked all that it touches.

    Rejected: others kept connecting records with these, so that there were always more.
    """
    names: Names = frozenset()
    for _ in range(ATTEMPTS):
        try:
            return attempt(names)
        except Grown as grown:
            names |= grown.names
    raise Rejected(_busy())


def names_to_compare(connection: Connection, keys: Collection[PatientKey]) -> Names:
    """What a change locks that compares these records anew, as far as it is known now."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    nationals = store_nationals.held(connection, keys)
    names: set[Name] = set(map(str, keys))
    for key, found in store_records.by_keys(connection, keys).items():
        blocking = lookup_keys(subject(found.demographics, linking_ids(nationals.get(key, ()))))
        names |= {*blocking, *map(str, sharing(connection, blocking)), *_matched(connection, key)}
    return frozenset(names)


def _matched(connection: Connection, key: PatientKey) -> set[str]:
    return {str(each) for match in store_matches.matches(connection, (key,)) for each in match.pair}


def _connected(
    connection: Connection,
    identifiers: tuple[Identifier, ...],
    records: Iterable[store_records.Record],
    candidates: Iterable[PatientKey],
) -> set[Name]:
    """The ids, every record that may be linked by them at this moment, and those that it is compared with."""
    reached = {key for each in records for key in (each.key, each.survivor or each.key)}
    reached |= {key for each in _nationals(identifiers) for key in store_nationals.carrying(connection, each)}
    if reached:
        ask_ahead(connection, [(store_nationals.HELD, {"keys": sorted(reached)})])
    own, frontier = set(reached), reached
    while frontier and len(reached) < REACH:
        frontier = store_links.neighbours(connection, frontier) - reached
        reached |= frontier
    held = store_nationals.held(connection, own).values() if own else ()
    named = {"|".join(each.key) for each in identifiers}
    carried = {f"{each.authority}|{each.id}" for some in held for each in some}
    return {*named, *carried, *map(str, reached), *map(str, candidates)}


def _nationals(identifiers: Iterable[Identifier]) -> list[tuple[str, str]]:
    return [each.key for each in identifiers if each.authority.national]


def _lock_key(name: Name) -> int:
    if isinstance(name, int):
        return name
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"pix").digest(), signed=True)


def _busy() -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_RECORD_LOCKED,
        text="Others change records of these patients at the same time",
        citation=tf2("C.2.3.2"),
        remedy="Send the same message again later",
    )
