"""When a record that a consent opened is suspended by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; a record that is open already has no end."""
    op.add_column("consent_record", sa.Column("closes_at", sa.Text()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("consent_record", "closes_at")
