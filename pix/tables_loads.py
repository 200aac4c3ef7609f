"""The table of bulk loads: how far each file is in the index."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()

load = Table(
    "pix_load",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of the file
    Column("source", Text, primary_key=True),  # application|facility for lines that name none, or empty
    Column("name", Text, nullable=False),  # the file's, for people
    Column("size", BigInteger, nullable=False),  # in bytes
    Column("position", BigInteger, nullable=False),  # every line before this byte is in the index or among the rejects
    Column("line", BigInteger, nullable=False),  # how many lines that are
    Column("stored", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("rejects_size", BigInteger, nullable=False),  # of the file of rejects, in bytes
    Column("started", Text, nullable=False),  # ISO 8601, UTC
    Column("updated", Text, nullable=False),
    sqlite_with_rowid=False,
)
