"""Emptying old batches in the database. Runs in the caller's transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from atna.batches import Batch, read_header
from atna.removal import Removal, read_removal, removal
from atna.tables import audit_batch, audit_event, audit_removal, audit_subject
from atna.tables_exchange import audit_received

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRemoval:
    """The newest statement as it is stored."""

    statement: bytes
    signature: bytes


def newest(connection: Connection) -> SignedRemoval | None:
    """What was removed last; it speaks of all that was removed before, too."""
    row = connection.execute(select(audit_removal).order_by(audit_removal.c.through.desc()).limit(1)).first()
    return None if row is None else SignedRemoval(statement=bytes(row.statement), signature=bytes(row.signature))


def empty_next(connection: Connection, before: int, until: int | None, at: int, sign: Sign) -> Removal | None:
    """Empty the oldest batch, if it was sealed ``before`` and holds no record above ``until``; None: there is none.

    The statement is written with what it speaks of, or neither.
    """
    batch = _oldest(connection)
    if batch is None or batch.sealed_at >= before or (until is not None and batch.last > until):
        return None
    made = removal(batch, before, at)
    for table in (audit_subject, audit_received, audit_event):
        connection.execute(delete(table).where(table.c.sequence <= batch.last))
    connection.execute(update(audit_batch).where(audit_batch.c.number == batch.number).values(members=b""))
    connection.execute(delete(audit_removal))
    signed = {"statement": made.statement, "signature": sign(made.statement)}
    connection.execute(insert(audit_removal).values(through=made.through, **signed))
    return made


def _oldest(connection: Connection) -> Batch | None:
    """The first batch that still has its records."""
    known = newest(connection)
    through = read_removal(known.statement).through if known else 0
    following = select(audit_batch.c.header).where(audit_batch.c.number > through).order_by(audit_batch.c.number)
    row = connection.execute(following.limit(1)).first()
    return None if row is None else read_header(bytes(row.header))
