"""Access rights of the shared care record: the log of events and its projections."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables of ``consent.tables``."""
    _event()
    _record()
    _relationship()
    _denials()
    _emergency()


def _event() -> None:
    op.create_table(
        "consent_event",
        sa.Column("number", KEY, autoincrement=True, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("patient_key", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_event_patient", "consent_event", ["patient_key"])


def _record() -> None:
    op.create_table(
        "consent_record",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("under", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.Text()),
        sa.Column("delete_at", sa.Text()),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "under"),
    )


def _relationship() -> None:
    op.create_table(
        "consent_relationship",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_key", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number"),
    )
    in_force = sa.text("ended_by IS NULL")
    for name, columns in (("patient", ["patient_key", "party"]), ("party", ["party"]), ("source", ["source"])):
        op.create_index(
            f"ix_consent_relationship_{name}",
            "consent_relationship",
            columns,
            sqlite_where=in_force,
            postgresql_where=in_force,
        )


def _denials() -> None:
    op.create_table(
        "consent_exclusion",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.BigInteger()),
        sa.Column("lifted_under", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", "patient_key"),
    )
    op.create_index("ix_consent_exclusion_patient", "consent_exclusion", ["patient_key"])
    op.create_table(
        "consent_mask",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("profession", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.BigInteger()),
        sa.Column("lifted_under", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", "patient_key", "unique_id"),
    )
    op.create_index("ix_consent_mask_patient", "consent_mask", ["patient_key"])
    op.create_index("ix_consent_mask_document", "consent_mask", ["unique_id"])


def _emergency() -> None:
    op.create_table(
        "consent_emergency",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_key", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_consent_emergency_patient", "consent_emergency", ["patient_key"])
    waiting = sa.text("reviewed_by IS NULL")
    op.create_index(
        "ix_consent_emergency_unreviewed",
        "consent_emergency",
        ["number"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    """Remove them, and with them every access right that was recorded."""
    for name in ("emergency", "mask", "exclusion", "relationship", "record", "event"):
        op.drop_table(f"consent_{name}")
