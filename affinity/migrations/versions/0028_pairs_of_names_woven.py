"""Search tokens: pairs of names as words in which their letters take turns.

Revision ID: 0028
Revises: 0027
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from pix.pairs import woven

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

PAIR, MANY = "pair", ""
RECORDS = 1000
"""Records whose tokens are written by one statement."""


def upgrade() -> None:
    """Apply."""
    _respell(lambda value: woven(*value.split(" ")) if value.count(" ") == 1 else value)


def downgrade() -> None:
    """Take back."""
    _respell(lambda value: f"{value[::2].rstrip()} {value[1::2].rstrip()}")


def _respell(respelled: Callable[[str], str]) -> None:
    """Write the pairs of each record anew; an earlier step may have spelled them as this release does."""
    connection = op.get_bind()
    token = sa.table("pix_token", *map(sa.column, ("kind", "value", "record", "beside", "birth")))
    is_pair = sa.and_(token.c.kind == PAIR, token.c.value != MANY)
    highest = connection.execute(sa.text("SELECT max(key) FROM pix_record")).scalar() or 0
    for first in range(0, highest + 1, RECORDS):
        here = sa.and_(token.c.record.between(first, first + RECORDS - 1), is_pair)
        rows = [dict(row) for row in connection.execute(sa.select(token).where(here)).mappings()]
        if rows:
            connection.execute(sa.delete(token).where(here))
            connection.execute(sa.insert(token), [row | {"value": respelled(row["value"])} for row in rows])
