"""A trail with some records, for tests."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from affinity.database import Database
from atna import store
from atna.entries import entry
from atna.model import ActiveParticipant, AuditMessage, AuditSource, EventActionCode, EventIdentification
from atna.participants import ThisNode
from ihe.audit import QUERY, EventOutcomeIndicator, ParticipantObject, patient, report, transaction_code

START = datetime(2026, 11, 26, 8, tzinfo=UTC)
NODE = ThisNode(source=AuditSource(id="test", enterprise_site_id="2.25.1"), process_id="1", host="localhost")
ITI_18 = transaction_code("ITI-18", "Registry Stored Query")


def message(
    number: int, *objects: ParticipantObject, outcome: EventOutcomeIndicator = EventOutcomeIndicator.SUCCESS
) -> AuditMessage:
    """One query, a minute after the one before."""
    return AuditMessage(
        event=EventIdentification(
            id=QUERY,
            action=EventActionCode.EXECUTE,
            time=START + timedelta(minutes=number),
            outcome=outcome,
            types=(ITI_18,),
        ),
        participants=(ActiveParticipant(user_id=f"doctor-{number % 3}", is_requestor=True),),
        source=NODE.source,
        objects=objects or (patient([f"{number % 5}^^^&1.2.3&ISO"]), report(f"1.2.{number}")),
    )


def fill(database: Database, first: int, last: int) -> None:
    """Records ``first`` to ``last``."""

    def work(connection: Connection) -> None:
        store.append(connection, (entry(message(number)) for number in range(first, last + 1)))

    database.write(work)
