"""The audit trail: records, what they are found by, and the signed batches that seal them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit_event",
        sa.Column("sequence", KEY, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=True),
        sa.Column("patient", sa.BigInteger(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"], unique=False)
    for name in ("person", "patient"):
        known = sa.text(f"{name} IS NOT NULL")
        columns = [name, "sequence"]
        op.create_index(
            f"ix_audit_event_{name}", "audit_event", columns, unique=False, sqlite_where=known, postgresql_where=known
        )
    op.create_table(
        "audit_subject",
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("subject", "sequence"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_batch",
        sa.Column("number", KEY, autoincrement=False, nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def downgrade() -> None:
    """Remove the tables; the audit trail is lost, so export it first."""
    for table in ("audit_batch", "audit_subject", "audit_event"):
        op.drop_table(table)
