"""Tables of the update notifications (ITI TF-2: 3.10, 3.46): what is to be told, and what lists of ids were last."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from pix.tables import KEY

metadata = MetaData()

notification = Table(
    "pix_notification",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=True),  # the order in which the changes were made
    Column("subscriber", Text, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),  # 32 hexadecimal digits; the same at every attempt
    Column("at", Text, nullable=False),  # when the list changed, ISO 8601, UTC
    Column("content", Text, nullable=False),  # JSON: the ids and names as they were then
    Column("state", Text, nullable=False),  # pending, sent, dead, outdated
    Column("attempts", Integer, nullable=False),
    Column("due", Text, nullable=False),  # not to be sent before, ISO 8601, UTC
    Column("error", Text),  # why the last attempt failed
    Index("ix_pix_notification_state", "subscriber", "state", "number"),
    sqlite_autoincrement=True,
)

listed = Table(
    "pix_listed",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("identifiers", Text, nullable=False),  # JSON: [OID, id] of each, as the last change left them
)
