"""The table of a trial: pairs of records that the configuration on trial would decide in another way."""

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from pix.tables import KEY

metadata = MetaData()

shadow = Table(
    "pix_shadow",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=True),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("outcome", Text, nullable=False),  # with the configuration in force
    Column("tried", Text, nullable=False),  # with the one on trial
    Column("detail", Text, nullable=False),  # JSON: both comparisons as they are explained
    Index("ix_pix_shadow_pair", "low", "high", unique=True),
    Index("ix_pix_shadow_high", "high"),
    sqlite_autoincrement=True,
)
