"""Search tokens: pairs of a family name and a given name.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from pix.snapshot import from_json
from pix.tokens import tokens

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PAIR = "pair"
RECORDS = 1000
"""Records whose tokens are written by one statement."""


def upgrade() -> None:
    """Apply: pairs are made of what is known of each record that was not merged into another."""
    connection = op.get_bind()
    record = sa.table("pix_record", sa.column("key"), sa.column("survivor"), sa.column("demographics"))
    token = sa.table("pix_token", *map(sa.column, ("kind", "value", "record", "beside", "birth")))
    # An earlier step may have made all tokens anew, as this release has them.
    connection.execute(sa.delete(token).where(token.c.kind == PAIR))
    last = 0
    while True:
        some = connection.execute(
            sa.select(record.c.key, record.c.demographics)
            .where(record.c.key > last, record.c.survivor.is_(None))
            .order_by(record.c.key)
            .limit(RECORDS)
        ).all()
        pairs = [
            {"record": key, "kind": kind, "value": value, "beside": beside, "birth": birth}
            for key, told in some
            for kind, value, beside, birth in tokens(from_json(told))
            if kind == PAIR
        ]
        if pairs:
            connection.execute(sa.insert(token), pairs)
        if len(some) < RECORDS:
            return
        last = some[-1].key


def downgrade() -> None:
    """Take back."""
    op.execute(f"DELETE FROM pix_token WHERE kind = '{PAIR}'")
