"""What stewards ask: messages refused per source and day, and events found by the second of their records."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of refusals, and the index by which the history of a record is read."""
    op.create_table(
        "pix_rejection",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "source", "code"),
        sqlite_with_rowid=False,
    )
    named = sa.text("other IS NOT NULL")
    op.create_index(
        "ix_pix_event_other", "pix_event", ["other"], unique=False, sqlite_where=named, postgresql_where=named
    )


def downgrade() -> None:
    """Remove both; the counts are lost."""
    op.drop_index("ix_pix_event_other", table_name="pix_event")
    op.drop_table("pix_rejection")
