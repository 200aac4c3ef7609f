"""Sealed batches in the database, and the records that wait to be sealed."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text

from atna.batches import MOST, SealedBatch, read_header
from atna.tables import audit_batch, audit_event

PAGE = 100


def newest(connection: Connection) -> SealedBatch | None:
    """The last batch. Raises NotABatch."""
    row = connection.execute(select(audit_batch).order_by(audit_batch.c.number.desc()).limit(1)).first()
    return None if row is None else _sealed(row)


def number(connection: Connection, number: int) -> SealedBatch | None:
    """A batch by its number. Raises NotABatch."""
    row = connection.execute(select(audit_batch).where(audit_batch.c.number == number)).first()
    return None if row is None else _sealed(row)


def batches(connection: Connection, after: int = 0) -> Iterator[Row[Any]]:
    """The rows of batches, in order; whether they are what they say is for the caller to find out."""
    while True:
        page = connection.execute(
            select(audit_batch).where(audit_batch.c.number > after).order_by(audit_batch.c.number).limit(PAGE)
        ).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].number


def add(connection: Connection, sealed: SealedBatch) -> None:
    """Keep a batch; an IntegrityError tells that another process sealed the same."""
    connection.execute(
        insert(audit_batch).values(
            number=sealed.batch.number,
            header=sealed.batch.header,
            signature=sealed.signature,
            members=sealed.packed_members,
        )
    )


def unsealed(connection: Connection, after: int, until: int) -> list[tuple[int, bytes]]:
    """Number and leaf of the next records after the last sealed one, as many as a batch holds."""
    rows = connection.execute(
        select(audit_event.c.sequence, audit_event.c.leaf)
        .where(audit_event.c.sequence > after, audit_event.c.sequence <= until)
        .order_by(audit_event.c.sequence)
        .limit(MOST)
    )
    return [(row.sequence, bytes(row.leaf)) for row in rows]


def last_drawn(connection: Connection) -> int:
    """The highest number that any record has, or may still get from a transaction under way."""
    if connection.dialect.name == "sqlite":
        return int(connection.execute(select(func.coalesce(func.max(audit_event.c.sequence), 0))).scalar_one())
    # A number is drawn after its transaction has its id (atna.store), so whoever drew it is below the next id.
    return int(connection.execute(text("SELECT last_value FROM audit_event_sequence_seq")).scalar_one())


def next_transaction(connection: Connection) -> int:
    """Every transaction that has an id by now has a lower one; 0 where there is but one writer."""
    if connection.dialect.name == "sqlite":
        return 0
    return int(connection.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())")).scalar_one())


def oldest_under_way(connection: Connection) -> int:
    """Every transaction with a lower id has ended."""
    if connection.dialect.name == "sqlite":
        return 0
    return int(connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())")).scalar_one())


def _sealed(row: Row[Any]) -> SealedBatch:
    return SealedBatch(
        batch=read_header(bytes(row.header)), signature=bytes(row.signature), packed_members=bytes(row.members)
    )
