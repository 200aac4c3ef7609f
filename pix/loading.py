"""Many patients in one transaction: a refused one leaves nothing behind, and keeps none of the others back.

Those whom nobody knew are registered together (``pix.newcomers``), all others one by one, in a savepoint each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection

from ihe.errors import Rejected
from ihe.exchange import Transactor
from pix import store_newcomers
from pix.journal import Change, Write
from pix.locks import wait_until_alone
from pix.matching.configuration import Configuration
from pix.model import Origin
from pix.newcomers import Line, Newcomers
from pix.numbering import Counted
from pix.recent import Recent

TOGETHER = 500
"""Most newcomers whose surroundings are read together."""
Verdicts = tuple[Rejected | None, ...]
"""Of each entry: why it was refused, None if it is stored."""
Keep = Callable[[Connection, Verdicts], None]
"""Writes, in the transaction of the feeds, what tells that they are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How entries get into an index: ``begin`` makes their changes, and ``follow`` is told of some at a time.

    ``alone`` feeds one entry; Rejected: it is refused. ``configuration`` is None if all are to be fed so.
    """

    begin: Callable[[Connection, Origin, Write], Change]
    alone: Callable[[Connection, Line], None]
    follow: Callable[[Sequence[Change]], None]
    configuration: Configuration | None


def load(
    database: Transactor[Connection], entries: Sequence[Line], means: Means, keep: Keep, recent: Recent | None = None
) -> Verdicts:
    """Register entries in order, in one transaction; ``recent`` is what scouts did not see before it."""

    def transaction(connection: Connection) -> Verdicts:
        wait_until_alone(connection)
        if recent is not None:
            recent.begin(store_newcomers.next_event(connection))
        verdicts = tuple(_Batch(connection, means, recent).register(entries))
        keep(connection, verdicts)
        return verdicts

    return database.write(transaction)


class _Batch:
    """The entries of one transaction."""

    def __init__(self, connection: Connection, means: Means, recent: Recent | None) -> None:
        self._connection = connection
        self._means = means
        self._recent = recent
        self._newcomers: Newcomers | None = None
        self._met: set[tuple[str, str]] = set()

    def register(self, entries: Sequence[Line]) -> Iterator[Rejected | None]:
        """Register entries; the verdict on each."""
        for start in range(0, len(entries), TOGETHER):
            some = entries[start : start + TOGETHER]
            for are_new, run in groupby(zip(self._are_new(some), some, strict=True), key=itemgetter(0)):
                following = [entry for _, entry in run]
                yield from self._together(following) if are_new else map(self._alone, following)
        self._finish()

    def _are_new(self, some: Sequence[Line]) -> list[bool]:
        """Of each entry: whether it has one id, which nobody knew."""
        if self._means.configuration is None:
            return [False] * len(some)
        own = [{(of, id) for of, id, _ in each.rendering.own} for each in some]
        known = store_newcomers.known(self._connection, set[tuple[str, str]]().union(*own))
        found = []
        for ids in own:
            found.append(len(ids) == 1 and known.isdisjoint(ids) and self._met.isdisjoint(ids))
            self._met |= ids
        return found

    def _together(self, run: Sequence[Line]) -> Iterator[Rejected | None]:
        while run:
            count = self._begun().add(run)
            yield from (None,) * count
            if count < len(run):
                yield self._alone(run[count])
            run = run[count + 1 :]

    def _alone(self, entry: Line) -> Rejected | None:
        self._finish()
        if self._recent is not None and self._recent.is_complete:
            self._recent.miss(store_newcomers.next_event(self._connection))
        try:
            with self._connection.begin_nested():
                self._means.alone(self._connection, entry)
        except Rejected as rejected:
            return rejected
        return None

    def _begun(self) -> Newcomers:
        if self._newcomers is None:
            configuration, connection = self._means.configuration, self._connection
            assert configuration is not None
            if self._recent is not None:
                self._recent.catch_up(connection)
            self._newcomers = Newcomers(
                connection,
                configuration,
                lambda origin, write: self._means.begin(connection, origin, write),
                Counted(connection),
                self._recent,
            )
        return self._newcomers

    def _finish(self) -> None:
        """Write who was registered together, so that the next one finds them in the tables."""
        if self._newcomers is not None:
            self._means.follow(self._newcomers.write())
            self._newcomers = None
