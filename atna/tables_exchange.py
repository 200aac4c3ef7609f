"""Tables of the trail's traffic with others: how far it came to each repository, and what was received from whom."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

audit_forwarding = Table(
    "audit_forwarding",
    metadata,
    Column("repository", Text, primary_key=True),  # its name in repositories.toml
    Column("settled", BigInteger, nullable=False),  # up to this number of audit_event it is believed to have stored
    Column("sent", BigInteger, nullable=False),  # up to this number it was sent
    Column("reach", Text, nullable=False),  # untried, reached, lost
    Column("since", Text),  # of reach, ISO 8601, UTC
    Column("reason", Text),  # why it was lost
    Column("refused", Integer, nullable=False),  # how many records it will never take
    Column("refused_last", BigInteger),
)

audit_received = Table(
    "audit_received",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # of audit_event
    Column("at", BigInteger, nullable=False),  # when, in microseconds since 1970, UTC
    Column("peer", Text, nullable=False),  # the subject of its certificate, else its address
    Column("transport", Text, nullable=False),  # tls, udp, fhir
    Column("header", LargeBinary, nullable=False),  # of the syslog message, as it was; of the FHIR Feed: the AuditEvent
    Column("complaint", Text),  # how it departs from RFC 5424, or why it is no audit message
)
