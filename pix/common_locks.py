"""Locks of several patients who are new, taken in one transaction on PostgreSQL: those that each would take alone.

They are taken in the same order, blocking keys first, so that changes that wait for each other come to an end.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_links, store_nationals, store_newcomers
from pix.locks import REACH, Locks, Name, needs_locks
from pix.matching.configuration import Configuration
from pix.rendering import Rendering
from pix.scouting import Scout, Sighting
from pix.store_blocking import CROWDED, MOST

NAMES = 2000
"""Most names: a server has room for some 6,400 as it comes, for all its connections together."""


class Crowded(Exception):
    """These patients would lock too many; nothing was stored."""


class CommonLocks(Locks):
    """Held by every change of the transaction; on SQLite nothing is locked. Raises Crowded.

    Whoever turns out to be connected with somebody who is not held makes linking give up (``Grown``): the patients are
    then registered one by one.
    """

    def __init__(self, connection: Connection, some: Sequence[Rendering], configuration: Configuration) -> None:
        self._connection = connection
        self.are_needed = needs_locks(connection)
        self._held: set[Name] = set()
        if self.are_needed:
            self._take({key for each in some for key in chain(each.stored, each.lookup)})
            names = set(self._names(some, Scout(connection, configuration).look(some)))
            if len(names) > NAMES:
                raise Crowded
            self._take(names)

    def _names(self, some: Sequence[Rendering], sightings: Sequence[Sighting]) -> Iterable[Name]:
        """The ids, whoever carries one of them, all who are compared, and with whom linking may find these connected.

        Who they may be is looked at once more when all are locked.
        """
        carriers = {key for each in sightings for found in each.carrying for key, _ in found}
        alike = {key for each in sightings for key, *_ in each.weighed}
        candidates = {key for each in sightings for key in _candidates(each)}
        carried = store_nationals.held(self._connection, carriers).values() if carriers else ()
        named = {f"{of}|{id}" for each in some for of, id, _ in each.identifiers}
        reached = candidates | self._connected(carriers | alike)
        return chain(named, (f"{each.authority}|{each.id}" for held in carried for each in held), map(str, reached))

    def _connected(self, keys: set[PatientKey]) -> set[PatientKey]:
        """These records, those that are one person with them, and those that something connects with them."""
        reached, frontier = set(keys), keys
        while frontier and len(reached) < REACH:
            persons = set(store_links.persons_of(self._connection, frontier).values())
            members = chain.from_iterable(store_links.members(self._connection, persons).values())
            connected = (other for _, other in store_newcomers.near(self._connection, frontier))
            frontier = {*members, *connected} - reached
            reached |= frontier
        return reached


def _candidates(sighting: Sighting) -> Iterable[PatientKey]:
    """As ``store_blocking.sharing``."""
    shared = Counter(chain.from_iterable([found for found in sighting.sharing if len(found) <= CROWDED]))
    return sorted(shared, key=lambda key: (-shared[key], key))[:MOST]
