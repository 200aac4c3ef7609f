"""Which of several copies a document's bytes are, in a store that keeps one of each submission."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is in files has no place."""
    op.add_column("document", sa.Column("place", sa.String(16)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("document", "place")
