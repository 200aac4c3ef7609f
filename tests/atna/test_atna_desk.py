"""What people do at the desk, and what consumers are told, leaves records too."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from affinity.audited_database import AuditedDatabase
from affinity.auditing import Auditor
from affinity.consumers import Outcome, Verdict
from affinity.database import Database
from affinity.desk_audit import DeskAudit
from affinity.domain_model import Subscriber
from affinity.notification_audit import NotificationAudit
from affinity.notifications import Told
from affinity.stewardship.calls import Call
from atna import store
from atna.entries import patient_ids
from atna.model import AuditMessage
from atna.store import Search
from atna.trail import AuditTrail
from ihe.datatypes import CX, HD
from pix import store_rejections
from tests.atna.test_atna_seam import DOMAIN, NOW
from tests.atna.trail import NODE


def records(database: Database) -> list[AuditMessage]:
    return [each.message for each in database.read(lambda connection: store.search(connection, Search()))]


def change(connection: Connection) -> None:
    store_rejections.count(connection, "2026-11-26", "LAB|HOSP", ["1"])


def desk(database: Database) -> DeskAudit:
    return DeskAudit(Auditor(AuditTrail(database=database, node=NODE), DOMAIN), lambda: NOW)


def test_a_decision_is_recorded_with_its_change(database: Database) -> None:
    call = Call(method="POST", path=("link",), content=b'{"first": "1^^^HOSP", "second": "2^^^HOSP", "reason": "same"}')
    with desk(database)(call) as audited:
        audited.steward = "ada"
        AuditedDatabase(database).write(change)
        assert len(records(database)) == 1
        audited.answered(200)
    [record] = records(database)
    assert record.participants[0].user_id == "ada@stewardship"
    assert record.event.outcome_description == "POST stewardship/link"
    assert list(patient_ids(record)) == ["1^^^&1.2.3&ISO", "2^^^&1.2.3&ISO"]


def test_a_question_is_recorded_before_its_answer_leaves(database: Database) -> None:
    with desk(database)(Call(method="GET", path=("person",), query="id=1%5E%5E%5EHOSP")) as audited:
        audited.steward = "ada"
        audited.answered(200)
    [record] = records(database)
    assert list(patient_ids(record)) == ["1^^^&1.2.3&ISO"]


def test_a_token_that_is_not_accepted_is_a_failed_login(database: Database) -> None:
    with desk(database)(Call(method="GET", path=("tasks",), peer="10.0.0.7")) as audited:
        audited.answered(401)
    [record] = records(database)
    assert (record.event.id.code, record.event.outcome) == ("110114", 4)


class Notification:
    """As much of one as a record needs."""

    message_id = "0123456789abcdef0123456789abcdef"
    identifiers = (CX("1", HD("", "1.2.3", "ISO")), CX("9", HD("", "1.2.4", "ISO")))


def told(outcome: Outcome) -> Any:
    return Told(Notification(), Verdict(outcome, "AE"), None)  # type: ignore[arg-type]


def test_what_a_consumer_was_told_is_recorded_and_what_never_left_is_not(database: Database) -> None:
    subscriber = Subscriber(name="LIS", wire="mllp://lis.example:2575", application="LIS", facility="LAB")
    audit = NotificationAudit(AuditTrail(database=database, node=NODE), subscriber, lambda: datetime.now(UTC))
    outcomes = [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNREACHABLE]
    database.write(lambda connection: audit(connection, [told(each) for each in outcomes]))
    refused, accepted = records(database)
    assert (accepted.event.types[0].code, accepted.event.outcome, refused.event.outcome) == ("ITI-10", 0, 4)
    assert [each.id for each in accepted.objects] == ["1^^^&1.2.3&ISO", "9^^^&1.2.4&ISO"]
    assert accepted.objects[0].details[0].type == "MSH-10"
    assert accepted.participants[1].user_id == "LAB|LIS"
