"""What searches list of each record, in rows of their own.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply: each record that is somebody's, and was not merged into another, has its card."""
    op.create_table(
        "pix_card",
        sa.Column("record", KEY, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("birth", SORTED),
        sa.Column("sex", sa.Text()),
        sa.Column("updated", sa.Text(), nullable=False),
    )
    op.execute(
        "INSERT INTO pix_card (record, person, family, given, birth, sex, updated)"
        " SELECT r.key, l.person, r.family, r.given, r.birth, r.sex, r.updated"
        " FROM pix_record r JOIN pix_link l ON l.record = r.key AND l.ended_by IS NULL"
        " WHERE r.survivor IS NULL ORDER BY r.key"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("pix_card")
