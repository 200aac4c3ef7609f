"""The audit trail as the courier of one repository sees it, each record written for its wire (ITI TF-2: 3.20.4.1.2)."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from affinity.audit_load import Load
from affinity.collectors import Parcel
from affinity.database import Database
from affinity.shifts import Shift
from atna import fhir, store_exchange
from atna.forwarding import Backlog, Progress
from atna.store import Stored
from atna.syslog import IHE_MSGID, Severity, SyslogMessage, encode
from ihe.audit import EventOutcomeIndicator

APP_NAME = "affinity"
Wrap = Callable[[Stored], bytes]


class TrailOutbox:
    """Reads the trail and keeps the place of one repository in it."""

    def __init__(self, database: Database, repository: str, wrap: Wrap) -> None:
        self._database = database
        self._repository = repository
        self._wrap = wrap
        self._gap: store_exchange.Gap | None = None

    def shift(self) -> AbstractContextManager[Shift]:
        """Be the one node that brings it, as long as the context lasts."""
        return self._database.shift(f"audit {self._repository}")

    def progress(self) -> Progress:
        """How far it was when last written down."""
        return self._database.read(lambda connection: store_exchange.progress(connection, self._repository))

    def note(self, progress: Progress) -> None:
        """Write down how far it is."""
        self._database.write(lambda connection: store_exchange.note(connection, self._repository, progress))

    def load(self, after: int, limit: int) -> Load:
        """What comes after a number, in order and without gaps."""
        found = self._database.read(lambda connection: store_exchange.following(connection, after, limit, self._gap))
        self._gap = found.gap
        return Load(parcels=self._wrapped(found.records), through=found.through, waits=found.gap is not None)

    def backlog(self, after: int) -> Backlog:
        """How much comes after a number."""
        return self._database.read(lambda connection: store_exchange.backlog(connection, after))

    def _wrapped(self, records: Sequence[Stored]) -> tuple[Parcel, ...]:
        return tuple(Parcel(number=each.sequence, content=self._wrap(each)) for each in records)


def as_syslog(hostname: str) -> Wrap:
    """Syslog messages. The same record always gives the same octets, so that who gets it twice can see it."""

    def wrap(record: Stored) -> bytes:
        failed = record.outcome != EventOutcomeIndicator.SUCCESS
        message = SyslogMessage(
            severity=Severity.WARNING if failed else Severity.NOTICE,
            timestamp=record.message.event.time,
            hostname=hostname,
            app_name=APP_NAME,
            msg_id=IHE_MSGID,
            content=record.xml,
        )
        return encode(message)

    return wrap


def as_audit_event(record: Stored) -> bytes:
    """AuditEvents in JSON."""
    return json.dumps(fhir.write(record.message), ensure_ascii=False, separators=(",", ":")).encode()
