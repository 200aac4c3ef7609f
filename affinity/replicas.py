"""Hot standbys that answer queries in the primary's place, as long as they are near enough and hide nothing.

A replica may answer somebody if it has replayed the log of the primary to where it stood after their last change, after
what they saw last, and ``lag`` seconds ago. Otherwise the primary answers.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from affinity.floors import Floors
from affinity.outages import Trouble, trouble
from affinity.postgresql import Position, engine_of, tell
from affinity.postgresql_connections import SNAPSHOT, PostgreSQLConnections, driver_of
from affinity.terms import Terms
from affinity.works import Result, Work

log = structlog.get_logger()

REST = 5.0
"""Seconds for which a replica that failed is not asked, and one that is ours not asked whether it is."""
SAMPLES = 10
"""How often, within the lag that is allowed, the position of the primary is written down."""
REPLAYED = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END"
"""NULL: it is a standby no more, and may be the primary of other changes. Asked before the snapshot, and after it."""

IDENTITY = text(
    """SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid, CASE
        WHEN NOT pg_is_in_recovery() THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
        ELSE (SELECT greatest(timeline_id, min_recovery_end_timeline)
            FROM pg_control_checkpoint(), pg_control_recovery())
    END FROM pg_database WHERE datname = current_database()"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which copy of which database a server has.

    ``database`` is the same on a primary and on all its standbys, and in no other. ``timeline`` counts promotions: a
    standby that does not follow one stays behind it, however far its log reaches.
    """

    database: str
    timeline: int


def identity_of(connection: Connection) -> Identity:
    """What this server is."""
    database, timeline = connection.execute(IDENTITY).one()
    return Identity(database=database, timeline=timeline)


class NotHere(Exception):
    """No replica may answer this."""


@dataclass(slots=True)
class _Replica:
    engine: Engine
    connections: PostgreSQLConnections
    rests_until: float = 0
    is_lost: bool = False
    """It was away when it was asked last."""
    ours_until: float = 0
    """So long it is taken for a copy of the primary's, unless it is away: meanwhile another may become the primary."""


class Replicas:
    """The standbys of one primary. ``floors`` are shared with the other processes of the node.

    ``identity`` asks the primary which database it is.
    """

    def __init__(
        self,
        terms: Terms,
        floors: Floors,
        identity: Callable[[], Identity],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity
        engines = [engine_of(make_url(url), terms) for url in terms.replicas]
        self._replicas = [_Replica(each, PostgreSQLConnections(each, terms)) for each in engines]
        self._terms = terms
        self._floors = floors
        self._clock = clock
        self._turns = count()
        self._samples: deque[tuple[float, Position]] = deque()
        self._guard = threading.Lock()

    def read(self, asker: str, work: Work[Result]) -> Result:
        """Run ``work`` on a snapshot of a replica. Raises NotHere, and whatever ``work`` raises."""
        needed = self._needed(asker)
        for each in self._waking():
            try:
                connection = each.connections.take(SNAPSHOT)
                try:
                    before = self._replayed(connection)
                    self._answered(each)
                    if before is None or before < needed or not self._is_ours(each, connection):
                        continue
                    result = work(connection)
                    # The snapshot may be newer than the answer to the first question.
                    seen = self._replayed(connection)
                finally:
                    each.connections.end(connection)
            except (DBAPIError, PoolTimeout) as error:
                self._judge(each, error)
            else:
                if seen is None:
                    continue
                self._floors.rise(asker, seen)
                return result
        raise NotHere

    def _is_ours(self, replica: _Replica, connection: Connection) -> bool:
        """Claim that it is a copy of the primary's database as that is now; said in the log if not."""
        now = self._clock()
        if now < replica.ours_until:
            return True
        its, ours = identity_of(connection), self._identity()
        if its == ours:
            replica.ours_until = now + REST
            return True
        replica.rests_until = now + REST
        host = str(replica.engine.url.host or "")
        if its.database != ours.database:
            log.error("replica of another database not asked", host=host)
        else:
            log.warning("replica of another timeline not asked", host=host)
        return False

    def _replayed(self, connection: Connection) -> Position | None:
        """How far a replica is; None: it is none any more. Raises OperationalError."""
        return tell(driver_of(connection), (REPLAYED,), self._terms.statement)

    def note(self, asker: str | None, reached: Position | None) -> None:
        """The primary has committed something, for ``asker`` if somebody asked for it, and its log stood there."""
        if reached is None:
            return
        if asker is not None:
            self._floors.rise(asker, reached)
        now = self._clock()
        with self._guard:
            if not self._samples or now - self._samples[-1][0] >= self._terms.lag / SAMPLES:
                self._samples.append((now, reached))
            while now - self._samples[0][0] > self._terms.lag:
                self._samples.popleft()

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Each replica's."""
        return tuple(each.engine for each in self._replicas)

    @property
    def resting(self) -> int:
        """How many replicas have failed and are not asked for a while."""
        now = self._clock()
        return sum(now < each.rests_until for each in self._replicas)

    def close(self) -> None:
        """Let go of every connection."""
        for each in self._replicas:
            each.connections.let_go()
            each.engine.dispose()
        self._floors.close()

    def _needed(self, asker: str) -> Position:
        """Raises NotHere where nobody knows where the primary stood lately."""
        oldest = self._clock() - self._terms.lag
        with self._guard:
            bound = next((reached for at, reached in self._samples if at >= oldest), None)
        if bound is None:
            raise NotHere
        return max(bound, self._floors.of(asker))

    def _waking(self) -> Iterator[_Replica]:
        """Those that may be asked, each request beginning with the next."""
        now, first = self._clock(), next(self._turns)
        for number in range(len(self._replicas)):
            each = self._replicas[(first + number) % len(self._replicas)]
            if self._may_try(each, now):
                yield each

    def _may_try(self, replica: _Replica, now: float) -> bool:
        """Claim that it does not rest. One that was away is tried by one request: it may take long to fail again."""
        with self._guard:
            if now < replica.rests_until:
                return False
            if replica.is_lost:
                replica.rests_until = now + REST
            return True

    def _answered(self, replica: _Replica) -> None:
        if replica.is_lost:
            with self._guard:
                replica.is_lost, replica.rests_until = False, 0

    def _judge(self, replica: _Replica, error: DBAPIError | PoolTimeout) -> None:
        """A replica that fails rests. One whose replay ended the query, and a busy one, do not; a defect is raised."""
        found = trouble(error)
        if found is None or found is Trouble.SLOW:
            raise error
        if found is Trouble.AWAY:
            replica.connections.let_go()
            replica.ours_until = 0
            with self._guard:
                replica.is_lost, replica.rests_until = True, self._clock() + REST
