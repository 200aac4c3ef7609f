"""Tables of access rights. ``consent_event`` is what happened and is only added to; the others are made from it.

Rows stay under the key of the patient id for which they were said, so that a merge that is taken back takes nothing
along; ``consent.facts`` says what holds for a patient who has several.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

metadata = MetaData()

# SQLite numbers rows by itself only in a column of type INTEGER.
KEY = BigInteger().with_variant(Integer, "sqlite")

event = Table(
    "consent_event",
    metadata,
    Column("number", KEY, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("type", Text, nullable=False),  # consent.model.EventType
    Column("patient_key", BigInteger, nullable=False),  # the surviving id at that time
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("origin", Text, nullable=False),  # the transaction, document or command behind it
    Column("detail", Text, nullable=False),  # JSON: what the projections are made from
    Index("ix_consent_event_patient", "patient_key"),
    sqlite_autoincrement=True,
)

record = Table(
    "consent_record",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("under", BigInteger, primary_key=True, autoincrement=False),  # the surviving id when it was said
    Column("state", Text, nullable=False),  # consent.model.RecordState
    Column("since", Text, nullable=False),
    Column("opens_at", Text),  # end of the waiting period
    Column("closes_at", Text),  # end of the consent that opened it
    Column("delete_at", Text),  # when a closed record is to be deleted
    Column("event", BigInteger, nullable=False),
)

relationship = Table(
    "consent_relationship",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the event that began it
    Column("patient_key", BigInteger, nullable=False),
    Column("party", Text, nullable=False),
    Column("kind", Text, nullable=False),  # consent.model.RelationshipKind
    Column("since", Text, nullable=False),
    Column("until", Text),
    Column("source", Text, nullable=False),  # what it was derived from, empty: declared
    Column("ended_by", BigInteger),  # the event; NULL: in force until its time is over
)
IN_FORCE = relationship.c.ended_by.is_(None)
Index(
    "ix_consent_relationship_patient",
    relationship.c.patient_key,
    relationship.c.party,
    sqlite_where=IN_FORCE,
    postgresql_where=IN_FORCE,
)
Index("ix_consent_relationship_party", relationship.c.party, sqlite_where=IN_FORCE, postgresql_where=IN_FORCE)
Index("ix_consent_relationship_source", relationship.c.source, sqlite_where=IN_FORCE, postgresql_where=IN_FORCE)

exclusion = Table(
    "consent_exclusion",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("party", Text, nullable=False),
    Column("lifted_by", BigInteger),  # the event
    Column("lifted_under", BigInteger),  # the surviving id then: counts for no other
    Index("ix_consent_exclusion_patient", "patient_key"),
)

mask = Table(
    "consent_mask",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("unique_id", Text, primary_key=True),  # every version and every repetition of the document has it
    Column("profession", Text, nullable=False),  # of the policy, or * for all
    Column("lifted_by", BigInteger),
    Column("lifted_under", BigInteger),
    Index("ix_consent_mask_patient", "patient_key"),
    Index("ix_consent_mask_document", "unique_id"),
)

document = Table(  # consent documents in effect; what one did has its uniqueId in the origin of the events
    "consent_document",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("patient_key", BigInteger, nullable=False),
    Column("unique_id", Text, nullable=False),
    Column("ended_by", BigInteger),  # the event
    Index("ix_consent_document_patient", "patient_key"),
    Index("ix_consent_document_unique_id", "unique_id"),
)

emergency = Table(
    "consent_emergency",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("patient_key", BigInteger, nullable=False),
    Column("party", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("level", Text, nullable=False),  # the highest confidentiality that it shows
    Column("reason", Text, nullable=False),
    Column("reviewed_by", BigInteger),  # the event
    Index("ix_consent_emergency_patient", "patient_key"),
)
UNREVIEWED = emergency.c.reviewed_by.is_(None)
Index("ix_consent_emergency_unreviewed", emergency.c.number, sqlite_where=UNREVIEWED, postgresql_where=UNREVIEWED)
