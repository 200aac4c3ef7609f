"""One door to the database: ``read`` and ``write`` run a whole request or nothing; an answer leaves after the commit.

PostgreSQL: pooled transactions (``affinity.servers``). SQLite: one writer at a time, and what waits for it is
committed together (``affinity.group_writer``).
"""

import sqlite3
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, QueuePool, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from affinity.group_writer import GroupWriter
from affinity.outages import told_by_sqlite
from affinity.shifts import Shift
from affinity.sqlite_connections import MOST, SQLiteConnections, sqlite_engine
from affinity.terms import Terms
from affinity.works import Result, Work
from affinity.writers_turn import Turn

if TYPE_CHECKING:
    from affinity.servers import Servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The pool of one process: how many connections are at work, how many are open and idle, how many there may be.

    ``away`` is for how many seconds the database has not answered, 0 where it does; ``resting`` counts
    replicas that have failed and are not asked for some seconds.
    """

    in_use: int
    idle: int
    most: int
    away: float
    resting: int


class Database:
    """A database by URL. ``work`` may run more than once until it commits, so it must do nothing but SQL."""

    def __init__(self, url: str | URL, terms: Terms | None = None) -> None:
        self.url = make_url(url)
        self._terms = terms or Terms()
        is_sqlite = self.url.get_backend_name() == "sqlite"
        self._servers = None if is_sqlite else _servers(self.url, self._terms)
        self.engine = self._servers.engine if self._servers else sqlite_engine(self.url)
        self._sqlite = SQLiteConnections(self.engine)
        self._writer = GroupWriter(self._sqlite, Turn(Path(self.url.database or ""))) if is_sqlite else None

    def read(self, work: Work[Result], asker: str | None = None) -> Result:
        """Run ``work`` on one consistent snapshot.

        With an ``asker`` a replica may answer that has everything they changed and saw. Raises Unavailable.
        """
        if self._servers is not None:
            return self._servers.read(work, asker)
        try:
            return self._sqlite.read(work)
        except (DBAPIError, sqlite3.Error) as error:
            if (told := told_by_sqlite(error)) is error:
                raise
            raise told from error

    def write(self, work: Work[Result], asker: str | None = None) -> Result:
        """Run ``work`` in a transaction, for ``asker``; return its result once the commit is durable.

        Raises Unavailable: nothing is stored; InDoubt: nobody knows.
        """
        if self._writer is not None:
            return self._writer.write(work)
        assert self._servers is not None
        return self._servers.write(work, asker)

    def shift(self, name: str) -> AbstractContextManager[Shift]:
        """Have what one of the nodes on this database has at a time, as long as the context lasts.

        One node alone has a SQLite file. Raises Unavailable.
        """
        return nullcontext(Shift(is_mine=True)) if self._servers is None else self._servers.shift(name)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Of all servers that answer for it, replicas included."""
        return self._servers.engines if self._servers else (self.engine,)

    @property
    def waiting(self) -> int:
        """How many works wait to be written: on PostgreSQL those alone that share transactions with others."""
        if self._writer:
            return self._writer.waiting
        return self._servers.waiting if self._servers else 0

    def connections(self) -> Connections:
        """What the pool holds at this moment, for metrics and status."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        most = MOST if self._writer else self._terms.connections
        resting = self._servers.at_hand if self._servers else self._sqlite.resting
        return Connections(
            in_use=pool.checkedout() - resting,
            idle=pool.checkedin() + resting,
            most=most,
            away=self._servers.away if self._servers else 0.0,
            resting=self._servers.resting if self._servers else 0,
        )

    def enlarge_cache(self, size: int) -> None:
        """Let SQLite keep ``size`` bytes of its file in memory: for work that touches pages all over it.

        Its own 2 MB spill in the middle of a large transaction, and each page is then written more than once.
        """
        if self._writer:
            pragma = f"PRAGMA cache_size=-{size // 1024}"
            event.listen(self.engine, "connect", lambda connection, _record: connection.execute(pragma))
            self._let_go()

    def close(self) -> None:
        """Finish what is queued, then let go of every connection."""
        if self._writer:
            self._writer.stop()
        if self._servers:
            self._servers.close()
        self._let_go()

    def _let_go(self) -> None:
        self._sqlite.let_go()
        self.engine.dispose()


def _servers(url: URL, terms: Terms) -> "Servers":
    from affinity.servers import Servers  # a node on SQLite is 8 MB smaller without the driver

    return Servers(url, terms)
