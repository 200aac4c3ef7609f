"""Update notifications: what waits to be sent, and the lists of ids that were last"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pix_notification",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pix_notification_state", "pix_notification", ["subscriber", "state", "number"], unique=False)
    op.create_table(
        "pix_listed",
        sa.Column("person", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identifiers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_index(
        "ix_pix_link_ended",
        "pix_link",
        ["ended_by"],
        unique=False,
        sqlite_where=sa.text("ended_by IS NOT NULL"),
        postgresql_where=sa.text("ended_by IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(
        "ix_pix_link_ended",
        table_name="pix_link",
        sqlite_where=sa.text("ended_by IS NOT NULL"),
        postgresql_where=sa.text("ended_by IS NOT NULL"),
    )
    op.drop_table("pix_listed")
    op.drop_index("ix_pix_notification_state", table_name="pix_notification")
    op.drop_table("pix_notification")
