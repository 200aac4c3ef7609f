"""Consent documents are found by their uniqueId: when one took effect for the first time, whoever's it was.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_consent_document_unique_id", "consent_document", ["unique_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_consent_document_unique_id", "consent_document")
