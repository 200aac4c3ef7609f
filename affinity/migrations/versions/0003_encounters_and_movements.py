"""Encounters and movements"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pix_encounter",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("patient_class", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("begins", SORTED, nullable=False),
        sa.Column("ends", SORTED, nullable=True),
        sa.Column("pv1", sa.Text(), nullable=False),
        sa.Column("pv2", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_pix_encounter_account", "pix_encounter", ["account"], unique=False)
    op.create_index("ix_pix_encounter_record", "pix_encounter", ["record"], unique=False)
    op.create_table(
        "pix_movement",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("encounter", sa.BigInteger(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("ids", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("ward", sa.Text(), nullable=False),
        sa.Column("nursing_ward", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("pv1", sa.Text(), nullable=False),
        sa.Column("pv2", sa.Text(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_pix_movement_encounter", "pix_movement", ["encounter"], unique=False)
    op.create_table(
        "pix_encounter_word",
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("value", SORTED, nullable=False),
        sa.Column("encounter", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", "value", "encounter"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pix_encounter_word_encounter", "pix_encounter_word", ["encounter"], unique=False)
