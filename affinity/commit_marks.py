"""Marks by which a COMMIT whose answer was lost is found again, on this server or on the one that took its place.

``pg_xact_status`` does not do: a server that crashed, and a standby that was promoted, may give a transaction id again
whose changes they never saw. A mark is a row with a name that nobody has used before.
"""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from affinity.tables_commits import commit_mark

KEPT_HOURS = 2
"""A mark is asked for within the patience of one request; clocks that differ by more cannot verify an assertion."""
SET = "INSERT INTO commit_mark (at, nonce, committed) VALUES ($1, $2, true)"
PURGED = 10_000
"""Most marks that one transaction deletes."""


def _microseconds() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Mark:
    """The name of one transaction."""

    at: int = field(default_factory=_microseconds)
    nonce: int = field(default_factory=lambda: secrets.randbits(63))


def closing(mark: Mark) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What ends a transaction, as the driver takes it: set the mark, commit."""
    return (SET, (mark.at, mark.nonce)), ("COMMIT", ())


def was_committed(connection: Connection, mark: Mark) -> bool:
    """Claim that the transaction with this mark was committed; if it was not, it cannot be any more.

    Waits for one that is still under way. The caller must commit, and a commit of this one tells, where a standby
    confirms commits, that the standby has the other as well.
    """
    asking = insert(commit_mark).values(at=mark.at, nonce=mark.nonce, committed=False)
    settled = asking.on_conflict_do_update(
        index_elements=list(commit_mark.primary_key), set_={"committed": commit_mark.c.committed}
    ).returning(commit_mark.c.committed)
    return bool(connection.execute(settled).scalar_one())


def purge(connection: Connection, before: datetime) -> int:
    """Forget the oldest marks, at most ``PURGED``; how many that were."""
    key = tuple_(*commit_mark.primary_key)
    oldest = (
        select(*commit_mark.primary_key)
        .where(commit_mark.c.at < int(before.timestamp() * 1_000_000))
        .order_by(*commit_mark.primary_key)
        .limit(PURGED)
    )
    return connection.execute(delete(commit_mark).where(key.in_(oldest))).rowcount
