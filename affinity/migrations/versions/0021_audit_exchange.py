"""The audit trail's traffic with others: how far it came to each repository, and what was received from whom.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit_forwarding",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("reach", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refused_last", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("repository"),
    )
    op.create_table(
        "audit_received",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("complaint", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sequence"),
    )


def downgrade() -> None:
    """Remove the tables; every repository gets the whole trail again."""
    op.drop_table("audit_received")
    op.drop_table("audit_forwarding")
