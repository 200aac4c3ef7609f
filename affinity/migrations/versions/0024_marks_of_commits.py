"""Marks by which a COMMIT whose answer was lost is found again."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "commit_mark",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("committed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at", "nonce"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("commit_mark")
