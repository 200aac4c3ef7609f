"""Identity as events: decisions say on what they rest, tasks are owned and decided, records are matched

Records that are here already get their blocking keys from ``affinity pix rematch``.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("pix_event", sa.Column("reason", sa.Text(), nullable=True))
    _upgrade_decisions()
    _upgrade_tasks()
    op.create_table(
        "pix_match",
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("low", "high"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pix_match_high", "pix_match", ["high"], unique=False)
    op.create_table(
        "pix_blocking",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "record"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pix_blocking_record", "pix_blocking", ["record"], unique=False)


def _upgrade_decisions() -> None:
    op.drop_index("ix_pix_decision_high", table_name="pix_decision")
    op.rename_table("pix_decision", "pix_decision_before")
    op.create_table(
        "pix_decision",
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("low", "high", name="pix_decision_with_basis_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pix_decision_high", "pix_decision", ["high"], unique=False)
    op.execute(
        "INSERT INTO pix_decision (low, high, same, basis, event) "
        "SELECT low, high, same, CASE WHEN explicit THEN 'source' ELSE 'listed' END, event FROM pix_decision_before"
    )
    op.drop_table("pix_decision_before")


def _upgrade_tasks() -> None:
    for name in ("ix_pix_task_pair", "ix_pix_task_high"):
        op.drop_index(name, table_name="pix_task")
    op.add_column("pix_task", sa.Column("decision", sa.Text(), nullable=True))
    op.add_column("pix_task", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("pix_task", sa.Column("version", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE pix_task SET version = COALESCE(closed_by, opened_by)")
    op.execute("UPDATE pix_task SET kind = 'overlay' WHERE kind = 'disagreement'")
    op.create_index("ix_pix_task_pair", "pix_task", ["low", "high", "kind"], unique=False)
    op.create_index("ix_pix_task_high", "pix_task", ["high"], unique=False)
    waiting = sa.text("closed_by IS NULL")
    op.create_index(
        "ix_pix_task_waiting", "pix_task", ["number"], unique=False, sqlite_where=waiting, postgresql_where=waiting
    )


def downgrade() -> None:
    """There is no way back: what people decided would be lost."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
