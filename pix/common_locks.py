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
from pix.rendering import Rendering
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

    def __init__(self, connection: Connection, some: Sequence[Rendering]) -> None:
        self._connection = connection
        self.are_needed = needs_locks(connection)
        self._held: set[Name] = set()
        if self.are_needed:
            self._take({key for each in some for key in _blocking(each)})
            names = set(self._names(some))
            if len(names) > NAMES:
                raise Crowded
            self._take(names)

    def _names(self, some: Sequence[Rendering]) -> Iterable[Name]:
        """The ids, whoever carries one of them or may be compared, and all with whom linking may find these connected.

        One who is compared is looked at once: who comes in later is found by the linking itself.
        """
        nationals = {(of, id) for each in some for of, id, _, _ in each.nationals}
        carriers = {key for found in store_newcomers.carrying(self._connection, nationals).values() for key, _ in found}
        carried = store_nationals.held(self._connection, carriers).values() if carriers else ()
        named = {f"{of}|{id}" for each in some for of, id, _ in each.identifiers}
        near = self._connected(carriers | self._candidates(some))
        return chain(named, (f"{each.authority}|{each.id}" for held in carried for each in held), map(str, near))

    def _candidates(self, some: Sequence[Rendering]) -> set[PatientKey]:
        """As ``store_blocking.sharing`` of each."""
        sharing = store_newcomers.sharing(self._connection, {key for each in some for key in _blocking(each)})
        found = set[PatientKey]()
        for each in some:
            lists = [sharing[key] for key in _blocking(each) if len(sharing.get(key, ())) in range(1, CROWDED + 1)]
            shared = Counter(chain.from_iterable(lists))
            found.update(sorted(shared, key=lambda key: (-shared[key], key))[:MOST])
        return found

    def _connected(self, keys: set[PatientKey]) -> set[PatientKey]:
        """With these records, those that are one person with them, or that something connects with them."""
        reached, frontier = set(keys), keys
        while frontier and len(reached) < REACH:
            persons = set(store_links.persons_of(self._connection, frontier).values())
            members = chain.from_iterable(store_links.members(self._connection, persons).values())
            connected = (other for _, other in store_newcomers.near(self._connection, frontier))
            frontier = {*members, *connected} - reached
            reached |= frontier
        return reached


def _blocking(each: Rendering) -> Iterable[int]:
    return chain(each.stored, each.lookup)
