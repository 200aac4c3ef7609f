"""How far the trail came to each repository, and what comes next, in the database. Runs in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from atna.entries import EPOCH
from atna.forwarding import Backlog, Progress, Reach
from atna.reception import Reception
from atna.store import Stored, append, stored
from atna.tables import audit_event
from atna.tables_exchange import audit_forwarding as forwarding
from atna.tables_exchange import audit_received


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Transactions of PostgreSQL at one moment: all below ``ended`` have ended, none from ``begun`` on had begun."""

    ended: int
    begun: int


NO_OTHERS = Horizon(ended=0, begun=0)
"""SQLite has one writer, so what is numbered lower is there earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers up to ``through`` that are missing: of a transaction that came to nothing, or has not come to its end."""

    through: int
    begun: int

    def is_closed(self, horizon: Horizon) -> bool:
        """Has everything ended that had begun when the gap was found? Who draws a number has its transaction id."""
        return horizon.ended >= self.begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Our own records after a number, with ``through``, the last that was looked at, and the gap behind that."""

    records: Sequence[Stored]
    through: int
    gap: Gap | None


def following(connection: Connection, after: int, limit: int, known: Gap | None) -> Following:
    """What comes after a number in the order of numbers. Nothing is passed over that may yet appear."""
    now = horizon(connection)
    closed = known.through if known and known.is_closed(now) else after
    rows = connection.execute(
        select(audit_event, audit_received.c.sequence.label("foreign"))
        .join_from(audit_event, audit_received, audit_event.c.sequence == audit_received.c.sequence, isouter=True)
        .where(audit_event.c.sequence > after)
        .order_by(audit_event.c.sequence)
        .limit(limit)
    ).all()
    taken = list(_without_gap(rows, after, closed))
    through = taken[-1].sequence if taken else after
    ours = [stored(row) for row in taken if row.foreign is None]
    if len(taken) == len(rows):
        return Following(records=ours, through=through, gap=None)
    missing = rows[len(taken)].sequence - 1
    still = known if known and known.through == missing and not known.is_closed(now) else None
    return Following(records=ours, through=through, gap=still or Gap(through=missing, begun=now.begun))


def _without_gap(
    rows: Sequence[Row[tuple[object, ...]]], after: int, closed: int
) -> "Sequence[Row[tuple[object, ...]]]":
    expected = after + 1
    for place, row in enumerate(rows):
        if row.sequence > expected and row.sequence - 1 > closed:
            return rows[:place]
        expected = row.sequence + 1
    return rows


def horizon(connection: Connection) -> Horizon:
    """Which transactions may still bring records."""
    if connection.dialect.name == "sqlite":
        return NO_OTHERS
    snapshot = func.pg_current_snapshot()
    row = connection.execute(select(func.pg_snapshot_xmin(snapshot), func.pg_snapshot_xmax(snapshot))).one()
    return Horizon(ended=int(row[0]), begun=int(row[1]))


def backlog(connection: Connection, after: int) -> Backlog:
    """How much comes after a number; those of other nodes are counted, too, for counting exactly takes too long."""
    oldest = connection.execute(
        select(audit_event.c.at).where(audit_event.c.sequence > after).order_by(audit_event.c.sequence).limit(1)
    ).scalar()
    if oldest is None:
        return Backlog()
    newest = connection.execute(select(func.max(audit_event.c.sequence))).scalar_one()
    return Backlog(records=newest - after, oldest=EPOCH + timedelta(microseconds=oldest))


def receive(connection: Connection, receptions: Sequence[Reception]) -> list[int]:
    """Add records of other nodes to the trail, each with a note of its way to us; return their numbers."""
    sequences = append(connection, (each.entry for each in receptions))
    for sequence, each in zip(sequences, receptions, strict=True):
        note = {"at": each.at, "peer": each.peer, "transport": each.transport}
        values = note | {"header": each.header, "complaint": each.complaint}
        connection.execute(insert(audit_received).values(sequence=sequence, **values))
    return sequences


def progress(connection: Connection, repository: str) -> Progress:
    """How far it was when it was last written down."""
    row = connection.execute(select(forwarding).where(forwarding.c.repository == repository)).first()
    return Progress() if row is None else _progress(row)


def all_progress(connection: Connection) -> dict[str, Progress]:
    """Of every repository that was ever forwarded to."""
    rows = connection.execute(select(forwarding).order_by(forwarding.c.repository))
    return {row.repository: _progress(row) for row in rows}


def note(connection: Connection, repository: str, progress: Progress) -> None:
    """Write down how far it is. One courier writes for one repository."""
    values = {
        "settled": progress.settled,
        "sent": progress.sent,
        "reach": progress.reach.value,
        "since": progress.since and progress.since.isoformat(),
        "reason": progress.reason,
        "refused": progress.refused,
        "refused_last": progress.refused_last,
    }
    changed = connection.execute(update(forwarding).where(forwarding.c.repository == repository).values(values))
    if changed.rowcount == 0:
        connection.execute(insert(forwarding).values(repository=repository, **values))


def forget(connection: Connection, repository: str) -> bool:
    """A repository is no more; was it known?"""
    return connection.execute(delete(forwarding).where(forwarding.c.repository == repository)).rowcount > 0


def _progress(row: Row[tuple[object, ...]]) -> Progress:
    return Progress(
        settled=row.settled,
        sent=row.sent,
        reach=Reach(row.reach),
        since=row.since and datetime.fromisoformat(row.since),
        reason=row.reason,
        refused=row.refused,
        refused_last=row.refused_last,
    )
