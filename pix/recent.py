"""What came into an index after a scout saw it: whatever the scout says of these records does not count.

Only one process writes while it scouts, and every record that it changes is put here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import event_log, store_blocking, store_nationals
from pix.comparing import looks_at
from pix.matching.subject import Subject
from pix.scouting import Carrier, Sighting
from pix.store_blocking import CROWDED

National = tuple[str, str]
"""Authority (OID) and id."""
Shared = TypeVar("Shared")
Value = TypeVar("Value")


class Known(NamedTuple):
    """A record as it is: what the matcher sees, its blocking keys, its national ids and whether they are right."""

    subject: Subject
    stored: Sequence[int]
    nationals: Sequence[tuple[National, bool]]


class _Since(NamedTuple):
    """A record, the first event of the transaction that made it so, and whether it had been otherwise."""

    event: int
    known: Known
    is_changed: bool


class Recent:
    """Records of the latest transactions, found by what they share with others."""

    def __init__(self) -> None:
        self._known: dict[PatientKey, _Since] = {}
        self._sharing: defaultdict[int, list[PatientKey]] = defaultdict(list)
        self._carrying: defaultdict[National, list[Carrier]] = defaultdict(list)
        self._changed: set[PatientKey] = set()
        self._event = 0
        self._replaced: dict[PatientKey, _Since] = {}
        self._missed: int | None = None

    def begin(self, event: int) -> None:
        """Begin a transaction, whose first event has this number; the last one that had it was taken back."""
        if event == self._event:
            self.drop([key for key, each in self._known.items() if each.event == event])
            for key, each in self._replaced.items():
                self._keep(key, each)
        self._event, self._replaced = event, {}

    def forget(self, seen: int) -> None:
        """Forget what every scout sees from now on: what was before the event ``seen``."""
        self.drop([key for key, each in self._known.items() if each.event < seen])
        if self._missed is not None:
            self._missed = max(self._missed, seen)

    @property
    def is_complete(self) -> bool:
        """Claim that all changes are known."""
        return self._missed is None

    def miss(self, event: int) -> None:
        """Know that from this event on records may have changed otherwise than by being new."""
        self._missed = event

    def catch_up(self, connection: Connection) -> None:
        """Look at what was missed."""
        if self._missed is not None:
            for key, known in _changed_since(connection, self._missed).items():
                self.change(key, known)
            self._missed = None

    def change(self, key: PatientKey, known: Known) -> None:
        """Know a record as it is from now on, which scouts may have seen otherwise."""
        before = self._known.get(key)
        if before is not None:
            self.drop((key,))
            if before.event < self._event:
                self._replaced[key] = before
        self._keep(key, _Since(self._event, known, is_changed=True))

    def put(self, key: PatientKey, known: Known) -> None:
        """Know a new record."""
        self._keep(key, _Since(self._event, known, is_changed=False))

    def drop(self, keys: Iterable[PatientKey]) -> None:
        """Know nothing of these records."""
        for key in keys:
            known = self._known.pop(key).known
            self._changed.discard(key)
            for one in known.stored:
                _discard(self._sharing, one, key)
            for national, is_right in known.nationals:
                _discard(self._carrying, national, (key, is_right))

    def belies(self, sighting: Sighting) -> bool:
        """Claim that a key that was crowded may not be so any more: nobody has counted further (``CROWDED``)."""
        changed = self._changed
        return bool(changed) and any(len(some) > CROWDED and not changed.isdisjoint(some) for some in sighting.sharing)

    def subject(self, key: PatientKey) -> Subject | None:
        """What the matcher sees of a record; None: a scout saw it as it is."""
        found = self._known.get(key)
        return found.known.subject if found else None

    def rest(self, sighting: Sighting) -> Sighting:
        """What a scout saw of other records than these."""
        known = self._known
        return sighting._replace(
            sharing=tuple([_without(known, some) for some in sighting.sharing]),
            carrying=tuple([[each for each in some if each[0] not in known] for some in sighting.carrying]),
        )

    def sharing(self, one: int, seen: Sequence[PatientKey]) -> Sequence[PatientKey]:
        """The records that have a blocking key; ``seen`` are the others, and may be those that changed."""
        new = self._sharing.get(one)
        if self._changed:
            seen = _without(self._changed, seen)
        return [*seen, *new] if new else seen

    def carrying(self, national: National, seen: Sequence[Carrier]) -> Sequence[Carrier]:
        """The records that carry a national id; ``seen`` are the others, and may be those that changed."""
        return [*(each for each in seen if each[0] not in self._changed), *self._carrying.get(national, ())]

    def _keep(self, key: PatientKey, each: "_Since") -> None:
        self._known[key] = each
        if each.is_changed:
            self._changed.add(key)
        for one in each.known.stored:
            self._sharing[one].append(key)
        for national, is_right in each.known.nationals:
            self._carrying[national].append((key, is_right))


def _changed_since(connection: Connection, first: int) -> dict[PatientKey, Known]:
    """The records that the events from this one on are about, as they are now."""
    looks = looks_at(connection, event_log.records_since(connection, first))
    held = store_nationals.held(connection, looks) if looks else {}
    return {
        key: Known(
            look.subject,
            store_blocking.keys_of(connection, key),
            [((each.authority, each.id), each.valid) for each in held.get(key, ())],
        )
        for key, look in looks.items()
    }


def _without(some: Collection[PatientKey], keys: Sequence[PatientKey]) -> Sequence[PatientKey]:
    return [key for key in keys if key not in some] if keys else keys


def _discard(among: dict[Shared, list[Value]], one: Shared, each: Value) -> None:
    some = among[one]
    some.remove(each)
    if not some:
        del among[one]
