"""Search tokens: a list of its words for each record, instead of an index of tokens by record.

Revision ID: 0029
Revises: 0028
"""

from collections.abc import Iterable, Iterator

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NARROWING = ("country", "mothers-given", "state")
"""Kinds that no search is read by: they stand in word lists alone."""
RECORDS = 1000
"""Records whose words are written by one statement."""

token = sa.table("pix_token", *map(sa.column, ("kind", "value", "record", "beside", "birth")))


def upgrade() -> None:
    """Apply: what a record is found by stands in its tokens."""
    wordlist = op.create_table(
        "pix_wordlist",
        sa.Column("record", KEY, primary_key=True, autoincrement=False),
        sa.Column("words", sa.Text(), nullable=False),
    )
    connection = op.get_bind()
    for here in _steps(token.c.record):
        found = connection.execute(sa.select(token.c.record, token.c.kind, token.c.value).where(here))
        lists = _lists(sorted(map(tuple, found)))
        if lists:
            connection.execute(sa.insert(wordlist), lists)
    op.drop_index("ix_pix_token_record", table_name="pix_token")
    connection.execute(sa.delete(token).where(token.c.kind.in_(NARROWING)))


def downgrade() -> None:
    """Take back."""
    connection = op.get_bind()
    wordlist = sa.table("pix_wordlist", sa.column("record"), sa.column("words"))
    for here in _steps(wordlist.c.record):
        tokens = [
            {"kind": kind, "value": value, "record": record, "beside": "", "birth": ""}
            for record, words in connection.execute(sa.select(wordlist).where(here))
            for kind, values in orjson.loads(words).items()
            if kind in NARROWING
            for value in values
        ]
        if tokens:
            connection.execute(sa.insert(token), tokens)
    op.create_index("ix_pix_token_record", "pix_token", ["record", "kind", "value"])
    op.drop_table("pix_wordlist")


def _steps(record: sa.ColumnClause[int]) -> Iterator[sa.ColumnElement[bool]]:
    """All records, some at a time."""
    highest = op.get_bind().execute(sa.select(sa.func.max(record))).scalar() or 0
    for first in range(0, highest + 1, RECORDS):
        yield record.between(first, first + RECORDS - 1)


def _lists(words: Iterable[tuple[int, str, str]]) -> list[dict[str, object]]:
    """Rows of word lists for words in order."""
    found: dict[int, dict[str, list[str]]] = {}
    for record, kind, value in words:
        values = found.setdefault(record, {}).setdefault(kind, [])
        if value not in values[-1:]:
            values.append(value)
    return [{"record": record, "words": orjson.dumps(lists).decode()} for record, lists in found.items()]
