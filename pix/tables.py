"""Tables of the patient index. ``pix_event`` is what happened; ``pix.replay`` names the tables made from it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

metadata = MetaData()

# SQLite numbers rows by itself only in a column of type INTEGER.
KEY = BigInteger().with_variant(Integer, "sqlite")
# Prefix searches are ranges, so texts must sort by code point whatever the locale of the database.
SORTED = Text().with_variant(Text(collation="C"), "postgresql")

record = Table(
    "pix_record",
    metadata,
    Column("key", KEY, primary_key=True, autoincrement=True),
    Column("authority", Text, nullable=False),
    Column("id", SORTED, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("survivor", BigInteger),  # the key of the record that this one was merged into, at the end of the chain
    Column("announced", Boolean, nullable=False),  # false: named by a link (ADT^A24), not fed yet
    Column("source", Text, nullable=False),  # who fed it last: application|facility
    Column("updated", Text, nullable=False),  # when its demographics were fed last, ISO 8601, UTC
    Column("demographics", Text, nullable=False),  # pix.snapshot
    Column("family", Text, nullable=False),  # folded, to sort by
    Column("given", Text, nullable=False),
    Column("birth", SORTED),  # the day, YYYYMMDD, or less where less is known
    Column("sex", Text),
    Index("ix_pix_record_identifier", "authority", "id", unique=True),
    Index("ix_pix_record_birth", "birth"),
    sqlite_autoincrement=True,
)
MERGED = record.c.survivor.is_not(None)
Index("ix_pix_record_survivor", record.c.survivor, sqlite_where=MERGED, postgresql_where=MERGED)

national = Table(
    "pix_national",
    metadata,
    Column("record", BigInteger, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("id", SORTED, primary_key=True),
    Column("type_code", Text, nullable=False),
    Column("valid", Boolean, nullable=False),  # its check digits are right, so it may link
    Index("ix_pix_national_identifier", "authority", "id"),
    sqlite_with_rowid=False,
)

link = Table(
    "pix_link",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=True),  # of the event that began it
    Column("record", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),  # the lowest key of the records that are this person
    Column("reason", Text, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("ended_by", BigInteger),  # the event that ended it; NULL: active
    sqlite_autoincrement=True,
)
ACTIVE = link.c.ended_by.is_(None)
Index("ix_pix_link_active", link.c.record, unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
Index("ix_pix_link_person", link.c.person, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
ENDED = link.c.ended_by.is_not(None)
Index("ix_pix_link_ended", link.c.ended_by, sqlite_where=ENDED, postgresql_where=ENDED)

# What a search lists of each record that is somebody's: rows so small that a thousand of them are looked up in 2 ms.
card = Table(
    "pix_card",
    metadata,
    Column("record", KEY, primary_key=True, autoincrement=False),
    Column("person", BigInteger, nullable=False),  # of the active link
    Column("family", Text, nullable=False),  # this and the rest as in pix_record
    Column("given", Text, nullable=False),
    Column("birth", SORTED),
    Column("sex", Text),
    Column("updated", Text, nullable=False),
)

decision = Table(
    "pix_decision",
    metadata,
    Column("low", BigInteger, primary_key=True),
    Column("high", BigInteger, primary_key=True),
    Column("same", Boolean, nullable=False),
    Column("basis", Text, nullable=False),  # pix.decisions.Basis
    Column("event", BigInteger, nullable=False),
    PrimaryKeyConstraint("low", "high", name="pix_decision_with_basis_pkey"),
    Index("ix_pix_decision_high", "high"),
    sqlite_with_rowid=False,
)

event = Table(
    "pix_event",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("origin", Text, nullable=False),  # the transaction, such as ITI-30 A31
    Column("message_id", Text, nullable=False),
    Column("reason", Text),  # why, in the words of the person who did it
    Column("record", BigInteger),
    Column("other", BigInteger),
    Column("before", Text),
    Column("after", Text),
    Index("ix_pix_event_record", "record"),
    sqlite_autoincrement=True,
)
ABOUT_TWO = event.c.other.is_not(None)
Index("ix_pix_event_other", event.c.other, sqlite_where=ABOUT_TWO, postgresql_where=ABOUT_TWO)

match = Table(
    "pix_match",
    metadata,
    Column("low", BigInteger, primary_key=True),
    Column("high", BigInteger, primary_key=True),
    Column("outcome", Text, nullable=False),  # link or review; pairs that the matcher keeps apart have no row
    Column("weight", Float, nullable=False),  # bits
    Column("reason", Text, nullable=False),  # what speaks against a link, empty: nothing but its weight
    Column("event", BigInteger, nullable=False),  # explains it
    Index("ix_pix_match_high", "high"),
    sqlite_with_rowid=False,
)

blocking = Table(
    "pix_blocking",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Index("ix_pix_blocking_record", "record"),
    sqlite_with_rowid=False,
)

task = Table(
    "pix_task",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=True),  # of the event that opened it
    Column("kind", Text, nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_by", BigInteger, nullable=False),
    Column("closed_by", BigInteger),  # the event; NULL: open
    Column("decision", Text),  # what a person decided, NULL: nobody did
    Column("owner", Text),
    Column("version", BigInteger, nullable=False, server_default=text("0")),  # the event that changed it last
    Index("ix_pix_task_pair", "low", "high", "kind"),
    Index("ix_pix_task_high", "high"),
    sqlite_autoincrement=True,
)
WAITING = task.c.closed_by.is_(None)
Index("ix_pix_task_waiting", task.c.number, sqlite_where=WAITING, postgresql_where=WAITING)

token = Table(
    "pix_token",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("value", SORTED, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    # Beside a family name the given names and the town, and so on: they are searched in one range of the index.
    Column("beside", SORTED, primary_key=True),
    Column("birth", SORTED, primary_key=True),
    sqlite_with_rowid=False,
)

# All words of a record, also of kinds that no search is read by; and which tokens are the record's.
wordlist = Table(
    "pix_wordlist",
    metadata,
    Column("record", KEY, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),  # JSON: an empty text, and each kind:word in order
)

receipt = Table(
    "pix_receipt",
    metadata,
    Column("source", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Index("ix_pix_receipt_at", "at"),
    sqlite_with_rowid=False,
)

continuation = Table(
    "pix_continuation",
    metadata,
    Column("token", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("keys", Text, nullable=False),  # JSON: the record that represents each person, in order
    Column("degrees", Text, nullable=False),  # JSON: how well each matches, percent; empty where all do entirely
    Column("domains", Text, nullable=False),  # JSON: the OIDs to answer with; empty for all
    Column("truncated", Boolean, nullable=False),
    Column("asked", Text, nullable=False),  # the query as sent
    Column("next", Integer, nullable=False),  # the number of the result after the last page
    Column("quantity", Integer),  # the size of the last page, NULL for no limit
    Index("ix_pix_continuation_query", "owner", "tag"),
    Index("ix_pix_continuation_at", "at"),
)

rejection = Table(
    "pix_rejection",
    metadata,
    Column("day", Text, primary_key=True),  # UTC, YYYY-MM-DD
    Column("source", Text, primary_key=True),  # application|facility
    Column("code", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)
