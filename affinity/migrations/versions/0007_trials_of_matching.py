"""Verdicts of a configuration on trial; receipts are found by their age"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pix_shadow",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("tried", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pix_shadow_pair", "pix_shadow", ["low", "high"], unique=True)
    op.create_index("ix_pix_shadow_high", "pix_shadow", ["high"], unique=False)
    op.create_index("ix_pix_receipt_at", "pix_receipt", ["at"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_pix_receipt_at", table_name="pix_receipt")
    op.drop_table("pix_shadow")
