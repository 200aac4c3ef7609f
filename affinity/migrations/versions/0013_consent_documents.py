"""Consent documents in effect, a projection of the log of access rights."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "consent_document",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_key", sa.BigInteger(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_consent_document_patient", "consent_document", ["patient_key"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("consent_document")
