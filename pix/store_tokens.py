"""What finds a record, as it is stored and searched, over ``pix.tables``."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection, bindparam, delete, insert

from ihe.identifiers import PatientKey
from pix.model import NOTHING_KNOWN, Demographics
from pix.tables import token
from pix.tokens import Token, tokens
from statements.compiled import Row
from statements.prepared import Prepared

INSERT = Prepared(insert(token), token.columns)
DELETE = Prepared(
    delete(token).where(
        token.c.record == bindparam("this"), token.c.kind == bindparam("of"), token.c.value == bindparam("word")
    )
)
DELETE_ALL = Prepared(delete(token).where(token.c.record == bindparam("this")))
NO_TOKENS: frozenset[Token] = frozenset()
_LATER: ContextVar[list[Row] | None] = ContextVar("tokens that are inserted together", default=None)


def replace_tokens(connection: Connection, key: PatientKey, before: Demographics, after: Demographics) -> None:
    """Write the difference between what found the record before and what finds it now."""
    if before == after:
        return
    new = tokens(after)
    old = NO_TOKENS if before is NOTHING_KNOWN else tokens(before)
    gone, come = old - new, [(kind, value, key, beside, birth) for kind, value, beside, birth in new - old]
    later = _LATER.get()
    if later is not None and not gone:
        later.extend(come)
        return
    insert_now(connection)
    if gone:
        DELETE.run_all(connection, [{"this": key, "of": kind, "word": word} for kind, word, *_ in sorted(gone)])
    INSERT.insert(connection, sorted(come))


def remove_tokens(connection: Connection, key: PatientKey) -> None:
    """Let nothing find a record any more."""
    insert_now(connection)
    DELETE_ALL.run(connection, {"this": key})


@contextmanager
def inserted_together(connection: Connection) -> Iterator[None]:
    """Insert the tokens of many records at the end, in the order of the index: each page of it is written once.

    For a transaction that searches for nobody. Nothing is inserted if it fails.
    """
    rows: list[Row] = []
    here = _LATER.set(rows)
    try:
        yield
        insert_now(connection)
    finally:
        _LATER.reset(here)


def insert_now(connection: Connection) -> None:
    """Insert what was to be inserted later: something is to be deleted that may be among it."""
    if rows := _LATER.get():
        INSERT.insert(connection, sorted(rows))
        rows.clear()
