"""Tables of the audit trail: what happened, where to find it, and the signed batches that it was sealed in."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()

# SQLite numbers rows by itself only in a column of type INTEGER.
KEY = BigInteger().with_variant(Integer, "sqlite")

audit_event = Table(
    "audit_event",
    metadata,
    Column("sequence", KEY, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),  # EventDateTime, in microseconds since 1970, UTC
    Column("event", Text, nullable=False),  # the first EventTypeCode, without one EventID: ITI-18, 110122
    Column("outcome", SmallInteger, nullable=False),  # EventOutcomeIndicator
    Column("person", BigInteger),  # atna.entries.number of the human, else of the system that asked
    Column("patient", BigInteger),  # atna.entries.number of the first patient
    Column("leaf", LargeBinary, nullable=False),  # atna.merkle.leaf of the message
    Column("message", LargeBinary, nullable=False),  # DICOM audit XML, atna.compact
    Index("ix_audit_event_at", "at"),
    sqlite_autoincrement=True,
)
KNOWN_PERSON = audit_event.c.person.is_not(None)
Index(
    "ix_audit_event_person",
    audit_event.c.person,
    audit_event.c.sequence,
    sqlite_where=KNOWN_PERSON,
    postgresql_where=KNOWN_PERSON,
)
KNOWN_PATIENT = audit_event.c.patient.is_not(None)
Index(
    "ix_audit_event_patient",
    audit_event.c.patient,
    audit_event.c.sequence,
    sqlite_where=KNOWN_PATIENT,
    postgresql_where=KNOWN_PATIENT,
)

audit_subject = Table(
    "audit_subject",
    metadata,
    Column("subject", BigInteger, primary_key=True, autoincrement=False),  # a document, or a further patient
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

audit_batch = Table(
    "audit_batch",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=False),
    Column("header", LargeBinary, nullable=False),  # atna.batches.Batch, the bytes that are signed
    Column("signature", LargeBinary, nullable=False),
    Column("members", LargeBinary, nullable=False),  # which records, in order, and the first bytes of their leaves
)

audit_removal = Table(
    "audit_removal",
    metadata,
    Column("through", BigInteger, primary_key=True, autoincrement=False),  # number of the last batch that was emptied
    Column("statement", LargeBinary, nullable=False),  # atna.removal.Removal, the bytes that are signed
    Column("signature", LargeBinary, nullable=False),
)
