"""Tables of encounters and of the movements that they consist of, projections of the log (ITI TF-2: 3.31)."""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

from pix.tables import SORTED

metadata = MetaData()

encounter = Table(
    "pix_encounter",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the event that began it
    Column("record", BigInteger, nullable=False),  # the patient id that the encounter was announced with
    Column("facility", Text, nullable=False),  # MSH-4 of who announced it: the organisation that treats
    Column("visit", Text, nullable=False),  # PV1-19 as id^^^authority, empty if only the account is known
    Column("account", Text, nullable=False),  # PID-18 likewise
    Column("patient_class", Text, nullable=False),  # PV1-2
    Column("status", Text, nullable=False),  # pix.encounters.Status
    Column("begins", SORTED, nullable=False),  # DTM
    Column("ends", SORTED),  # DTM; NULL until the discharge
    Column("pv1", Text, nullable=False),  # JSON: the fields in the standard's delimiters, by number
    Column("pv2", Text, nullable=False),
    Index("ix_pix_encounter_record", "record"),
    Index("ix_pix_encounter_account", "account"),
)

movement = Table(
    "pix_movement",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the event that inserted it
    Column("encounter", BigInteger, nullable=False),
    Column("trigger", Text, nullable=False),  # the event that inserted it, such as A02
    Column("ids", Text, nullable=False),  # JSON: ZBE-1, each EI as sent
    Column("at", Text, nullable=False),  # DTM: ZBE-2, or when the event occurred
    Column("until", Text),  # ZBE-3
    Column("ward", Text, nullable=False),  # ZBE-7
    Column("nursing_ward", Text, nullable=False),  # ZBE-8
    Column("scope", Text, nullable=False),  # ZBE-9
    Column("account", Text, nullable=False),
    Column("pv1", Text, nullable=False),  # JSON: what the message said, fields by number
    Column("pv2", Text, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index("ix_pix_movement_encounter", "encounter"),
)

word = Table(
    "pix_encounter_word",
    metadata,
    Column("position", Text, primary_key=True),  # of PV1, such as 3.2: room
    Column("value", SORTED, primary_key=True),  # folded
    Column("encounter", BigInteger, primary_key=True),
    Index("ix_pix_encounter_word_encounter", "encounter"),
    sqlite_with_rowid=False,
)
