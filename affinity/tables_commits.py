"""The table of marks: one for each transaction of a node on PostgreSQL, written with it."""

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table

metadata = MetaData()

commit_mark = Table(
    "commit_mark",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),  # microseconds since 1970, the node's clock
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("committed", Boolean, nullable=False),  # false: set by who asked, so that it can never be committed
)
