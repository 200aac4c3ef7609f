"""The sealer: makes signed batches of the records that can change no more.

It never stands in the way of a request. On PostgreSQL numbers are drawn before their transactions commit, and become
visible in another order; so the sealer notes how far they are drawn, and seals up to there once every transaction that
was under way then has ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from atna import store_batches as store
from atna.batches import SealedBatch, batch
from atna.entries import instant
from atna.signing import SealingKey
from ihe.exchange import Transactor


@dataclass(frozen=True, slots=True)
class Mark:
    """How far numbers were drawn at some time, and the transaction ids that were given out by then."""

    until: int
    below: int


class Sealer:
    """Seals the records of one trail. ``seal`` is called again and again, by one thread at a time."""

    def __init__(self, database: Transactor[Connection], key: SealingKey, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._mark: Mark | None = None

    def seal(self) -> int:
        """Seal what may be sealed by now; how many records that were."""
        done = 0
        until = self._settled()
        while sealed := self._next(until):
            done += sealed
        return done

    def _settled(self) -> int:
        """The number up to which no record can be added any more."""
        mark = self._mark or self._note()
        have_ended = self._database.read(store.oldest_under_way) >= mark.below
        self._mark = None if have_ended else mark
        return mark.until if have_ended else 0

    def _note(self) -> Mark:
        """Two reads in this order: who draws a number after the first has an id that the second still counts."""
        until = self._database.read(store.last_drawn)
        return Mark(until=until, below=self._database.read(store.next_transaction))

    def _next(self, until: int) -> int:
        return self._database.write(lambda connection: self._seal(connection, until))

    def _seal(self, connection: Connection, until: int) -> int:
        before = store.newest(connection)
        leaves = store.unsealed(connection, before.batch.last if before else 0, until)
        if not leaves:
            return 0
        made, members = batch(before.batch if before else None, leaves, instant(self._clock()))
        sealed = SealedBatch(batch=made, signature=self._key.sign(made.header), packed_members=members)
        store.add(connection, sealed)
        return len(leaves)
