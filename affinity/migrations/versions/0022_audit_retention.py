"""The audit trail: the signed statement of what was removed by policy.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit_removal",
        sa.Column("through", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("through"),
    )


def downgrade() -> None:
    """Remove the table; what was removed by policy then looks as if somebody had removed it."""
    op.drop_table("audit_removal")
