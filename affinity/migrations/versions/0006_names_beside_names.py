"""Search tokens: names and birth beside names, how names sound, telephones as they are compared; degrees of a match.

Revision ID: 0006
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from pix.snapshot import from_json
from pix.tokens import tokens

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
RECORDS = 1000
"""Records whose tokens are written by one statement."""


def upgrade() -> None:
    """Apply: what finds records is made anew from what is known of them; unfinished queries must be asked again."""
    op.drop_table("pix_token")
    token = _make_tokens("beside", "birth")
    _fill(token)
    op.drop_table("pix_continuation")
    _make_continuation("degrees")


def downgrade() -> None:
    """Take back. Telephones stay as this release compares them: the earlier one finds them after the next feed."""
    op.drop_table("pix_continuation")
    _make_continuation()
    op.drop_index("ix_pix_token_record", table_name="pix_token")
    op.rename_table("pix_token", "pix_token_later")
    _make_tokens()
    op.execute(
        "INSERT INTO pix_token (kind, value, record) SELECT DISTINCT kind, value, record FROM pix_token_later"
        " WHERE kind NOT IN ('family-sound', 'given-sound')"
    )
    op.drop_table("pix_token_later")


def _make_tokens(*beside: str) -> sa.Table:
    table = op.create_table(
        "pix_token",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", SORTED, nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        *(sa.Column(name, SORTED, nullable=False) for name in beside),
        sa.PrimaryKeyConstraint("kind", "value", "record", *beside),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pix_token_record", "pix_token", ["record", "kind", "value"], unique=False)
    return table


def _make_continuation(*further: str) -> None:
    op.create_table(
        "pix_continuation",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in further),
        sa.Column("domains", sa.Text(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index("ix_pix_continuation_at", "pix_continuation", ["at"], unique=False)
    op.create_index("ix_pix_continuation_query", "pix_continuation", ["owner", "tag"], unique=False)


def _fill(token: sa.Table) -> None:
    """Tokens of every record that was not merged into another."""
    connection = op.get_bind()
    record = sa.table("pix_record", sa.column("key"), sa.column("survivor"), sa.column("demographics"))
    last = 0
    while True:
        some = connection.execute(
            sa.select(record.c.key, record.c.demographics)
            .where(record.c.key > last, record.c.survivor.is_(None))
            .order_by(record.c.key)
            .limit(RECORDS)
        ).all()
        rows = [
            {"record": key, "kind": kind, "value": value, "beside": beside, "birth": birth}
            for key, told in some
            for kind, value, beside, birth in tokens(from_json(told))
        ]
        if rows:
            connection.execute(sa.insert(token), rows)
        if len(some) < RECORDS:
            return
        last = some[-1].key
