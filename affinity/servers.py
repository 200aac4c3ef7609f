"""The PostgreSQL servers of a node: the primary takes every change, replicas answer what they may.

Only a node that has such servers imports this, and their driver with it.
"""

from contextlib import AbstractContextManager, suppress

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from affinity.floors import Floors
from affinity.postgresql import Primary, engine_of
from affinity.replicas import NotHere, Replicas, identity_of
from affinity.shared_commits import SharedCommits
from affinity.shifts import Shift
from affinity.terms import Terms
from affinity.works import Result, Work
from statements.together import has_part


class Servers:
    """The primary by its URL, and the replicas that ``terms`` name."""

    def __init__(self, url: URL, terms: Terms) -> None:
        self.engine = engine_of(url, terms)
        """Of the primary."""
        self._primary = Primary(self.engine, terms)
        self._together = SharedCommits(self._primary.write)
        self._replicas = (
            Replicas(terms, Floors(terms.floors), lambda: self._primary.read(identity_of))
            if terms.replicas and terms.floors
            else None
        )

    def read(self, work: Work[Result], asker: str | None) -> Result:
        """Run ``work`` on one consistent snapshot. Raises Unavailable."""
        if self._replicas is not None and asker is not None:
            with suppress(NotHere):
                return self._replicas.read(asker, work)
        return self._primary.read(work)

    def write(self, work: Work[Result], asker: str | None) -> Result:
        """Run ``work`` in a transaction of the primary. Raises Unavailable, InDoubt."""
        write = self._together.write if has_part() else self._primary.write
        result, reached = write(work)
        if self._replicas is not None:
            self._replicas.note(asker, reached)
        return result

    def shift(self, name: str) -> AbstractContextManager[Shift]:
        """Have what one of all nodes has at a time. Raises Unavailable."""
        return self._primary.shift(name)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The primary's, and those of the replicas."""
        return self.engine, *(self._replicas.engines if self._replicas else ())

    @property
    def away(self) -> float:
        """For how many seconds the primary has not answered; 0 where it does."""
        return self._primary.outage.seconds

    @property
    def resting(self) -> int:
        """How many replicas have failed and are not asked for a while."""
        return self._replicas.resting if self._replicas else 0

    @property
    def waiting(self) -> int:
        """How many works wait for their turn, to be done together."""
        return self._together.waiting

    @property
    def at_hand(self) -> int:
        """How many connections to the primary rest, of those that its pool counts as in use."""
        return self._primary.connections.resting

    def close(self) -> None:
        """Let go of the connections at hand, and of the replicas."""
        self._primary.connections.let_go()
        if self._replicas:
            self._replicas.close()
