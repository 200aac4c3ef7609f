"""One outcome for each request: committed with the change, or before the answer leaves, or the request is refused."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from affinity.audited_database import AuditedDatabase
from affinity.auditing import Auditor
from affinity.catalogue import INITIATED, TRANSACTIONS
from affinity.database import Database
from affinity.dispatch import answer
from atna import store
from atna.model import AuditMessage, EventOutcomeIndicator
from atna.store import Search
from atna.trail import AuditTrail, AuditUnavailable
from ihe.audit import PATIENT_RECORD, EventActionCode, patient, transaction_code
from ihe.audited import Audit, Event, Recorded
from ihe.citations import tf2
from ihe.datatypes import Code
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Exchange, Principal
from ihe.transactions import Actor, Transaction
from pix import store_rejections
from pix.tables import rejection
from tests.atna.trail import NODE, message
from xua.trust13 import ISSUE_TOKEN

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
DOCTOR = Principal(
    issuer="urn:sts",
    assertion_id="_1",
    name_id="jd",
    alias="John",
    subject_id="John Doe",
    organization=("Hospital",),
    organization_id=("urn:oid:2.25.7",),
    roles=(Code("221", "2.25.8", "Doctor"),),
    purpose_of_use=(Code("TREAT", "2.25.9", "Treatment"),),
)
DOMAIN = AffinityDomain(
    name="test",
    home_community_id="urn:oid:2.25.100",
    repository_unique_id="2.25.300",
    assigning_authorities=(AssigningAuthority(namespace_id="HOSP", oid="1.2.3"),),
)
REFUSAL = Rejected(Breach(code=ErrorCode.REGISTRY_ERROR, text="no", citation=tf2("3.8")))
Handle = Callable[["Desk"], Any]


@dataclass(frozen=True)
class Desk:
    """The port of a transaction that counts something in the database."""

    database: AuditedDatabase

    def change(self) -> None:
        self.database.write(lambda connection: store_rejections.count(connection, "2026-11-26", "LAB|HOSP", ["1"]))


def transaction(handle: Handle, recorded: Recorded) -> Transaction[Any, Any, Any, Any, Any]:
    audit = Audit(
        citation=tf2("3.8.5.1.2"),
        event=PATIENT_RECORD,
        type=transaction_code("ITI-8", "Patient Identity Feed"),
        action=EventActionCode.CREATE,
        describe=lambda wire, request, result: (Event(objects=(patient(["1^^^HOSP"]),)),),
        recorded=recorded,
    )
    known = TRANSACTIONS[0]
    return replace(
        known,
        decode=lambda wire: wire,
        handle=lambda request, port, exchange: handle(port),
        encode=lambda wire, response, exchange: "done",
        refuse=lambda wire, rejected, exchange: "refused",
        audit=audit,
    )


@dataclass(frozen=True)
class Scene:
    database: Database

    def ask(self, handle: Handle, recorded: Recorded = Recorded.WITH_THE_CHANGE) -> Any:
        exchange = Exchange(
            correlation_id="1",
            received_at=NOW,
            peer="10.0.0.7",
            principal=DOCTOR,
            node="CN=lab",
            endpoint="https://node/pix",
        )
        auditor = Auditor(AuditTrail(database=self.database, node=NODE), DOMAIN)
        ports = {Actor.PIX_MANAGER: Desk(AuditedDatabase(self.database))}
        return answer(transaction(handle, recorded), "wire", ports, exchange, auditing=auditor)

    def records(self) -> list[AuditMessage]:
        return [each.message for each in self.database.read(lambda connection: store.search(connection, Search()))]

    def changes(self) -> int:
        return self.database.read(lambda connection: len(connection.execute(select(rejection)).all()))

    @contextmanager
    def without_trail(self) -> Iterator[None]:
        """The table of the trail is away."""
        self._rename("audit_event", "audit_event_away")
        try:
            yield
        finally:
            self._rename("audit_event_away", "audit_event")

    def _rename(self, old: str, new: str) -> None:
        self.database.write(lambda connection: connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}")) and None)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def change_then_refuse(desk: Desk) -> None:
    def work(connection: Connection) -> None:
        store_rejections.count(connection, "2026-11-26", "LAB|HOSP", ["1"])
        raise REFUSAL

    desk.database.write(work)


def refuse(desk: Desk) -> None:
    raise REFUSAL


def break_down(desk: Desk) -> None:
    raise ZeroDivisionError


def outcomes(scene: Scene) -> list[EventOutcomeIndicator]:
    return [each.event.outcome for each in scene.records()]


def test_a_change_and_its_record_are_committed_together(scene: Scene) -> None:
    assert scene.ask(Desk.change) == "done"
    assert (outcomes(scene), scene.changes()) == ([EventOutcomeIndicator.SUCCESS], 1)


def test_a_change_that_cannot_be_audited_is_not_made(scene: Scene) -> None:
    with scene.without_trail(), pytest.raises((SQLAlchemyError, sqlite3.Error)):
        scene.ask(Desk.change)
    assert (outcomes(scene), scene.changes()) == ([], 0)


def test_a_change_that_is_refused_leaves_the_refusal_alone(scene: Scene) -> None:
    assert scene.ask(change_then_refuse) == "refused"
    assert (outcomes(scene), scene.changes()) == ([EventOutcomeIndicator.MINOR_FAILURE], 0)
    assert scene.records()[0].event.outcome_description == "XDSRegistryError: no (ITI TF-2: 3.8)"


def test_a_query_is_recorded_once_whatever_it_writes(scene: Scene) -> None:
    assert scene.ask(Desk.change, Recorded.BEFORE_THE_ANSWER) == "done"
    assert outcomes(scene) == [EventOutcomeIndicator.SUCCESS]


@pytest.mark.parametrize("handle", [lambda desk: None, refuse])
def test_no_answer_leaves_that_cannot_be_audited(scene: Scene, handle: Handle) -> None:
    with scene.without_trail(), pytest.raises(AuditUnavailable):
        scene.ask(handle, Recorded.BEFORE_THE_ANSWER)


def test_what_nobody_foresaw_is_recorded_too(scene: Scene) -> None:
    with pytest.raises(ZeroDivisionError):
        scene.ask(break_down)
    assert outcomes(scene) == [EventOutcomeIndicator.SERIOUS_FAILURE]


def test_a_record_says_who_asked_from_where_why_and_about_whom(scene: Scene) -> None:
    scene.ask(Desk.change)
    [record] = scene.records()
    source, human, organization, destination = record.participants
    assert (source.network_access_point, source.alternative_user_id) == ("10.0.0.7", "CN=lab")
    assert (human.user_id, human.user_name, human.alternative_user_id) == ("jd", "John<jd@urn:sts>", "John Doe")
    assert (human.is_requestor, human.roles) == (True, DOCTOR.roles)
    assert (organization.user_id, organization.user_name) == ("urn:oid:2.25.7", "Hospital")
    assert (destination.user_id, destination.alternative_user_id) == ("https://node/pix", "1")
    assert [each.code for each in (source.roles[0], destination.roles[0])] == ["110153", "110152"]
    assert record.event.purpose_of_use == DOCTOR.purpose_of_use
    assert record.objects[0].id == "1^^^&1.2.3&ISO"  # the message named the authority by its namespace


EXPECTED = {
    "ITI-8": ("110110", "ITI-8", "Patient Identity Feed", "3.8.5.1.2"),
    "ITI-9": ("110112", "ITI-9", "PIX Query", "3.9.5.1.2"),
    "ITI-10": ("110110", "ITI-10", "PIX Update Notification", "3.10.5.1.1"),
    "ITI-18": ("110112", "ITI-18", "Registry Stored Query", "3.18.5.1.2"),
    "ITI-21": ("110112", "ITI-21", "Patient Demographics Query", "3.21.5.1.2"),
    "ITI-22": ("110112", "ITI-22", "Patient Demographics and Visit Query", "3.22.5.1.2"),
    "ITI-30": ("110110", "ITI-30", "Patient Identity Management", "3.20.4.1.1.1"),
    "ITI-31": ("110110", "ITI-31", "Patient Encounter Management", "3.20.4.1.1.1"),
    "ITI-41": ("110107", "ITI-41", "Provide and Register Document Set-b", "3.41.5.1.2"),
    "ITI-42": ("110107", "ITI-42", "Register Document Set-b", "3.42.5.1.2"),
    "ITI-43": ("110106", "ITI-43", "Retrieve Document Set", "3.43.6.1.2"),
    "ITI-44": ("110110", "ITI-44", "Patient Identity Feed", "3.44.5.1."),
    "ITI-45": ("110112", "ITI-45", "PIX Query", "3.45.5.1.2"),
    "ITI-46": ("110110", "ITI-46", "PIX Update Notification", "3.46.5.1.1"),
    "ITI-47": ("110112", "ITI-47", "Patient Demographics Query", "3.47.5.1.2"),
    "ITI-51": ("110112", "ITI-51", "Multi-Patient Stored Query", "3.51.5.1.2"),
    "ITI-57": ("110107", "ITI-57", "Update Document Set", "3.57.7.1.2"),
    "ITI-61": ("110107", "ITI-61", "Register On-Demand Document Entry", "3.61.5.1.2"),
    "ITI-62": ("110110", "ITI-62", "Remove Metadata", "3.62.5.1.2"),
    "ITI-64": ("110110", "ITI-64", "Notify XAD-PID Link Change", "3.64.5.1.2"),
    "ITI-86": ("110110", "ITI-86", "Remove Documents", "3.86.5.1.2"),
    "RST-Issue": ("110114", "110122", "Login", "3.20.4.1.1.1"),
}
"""EventID, EventTypeCode and its name as the tables of the Technical Framework print them, and where."""
ACTIONS = {
    **dict.fromkeys(("ITI-9", "ITI-18", "ITI-21", "ITI-22", "ITI-45", "ITI-47", "ITI-51", "RST-Issue"), "E"),
    **dict.fromkeys(("ITI-41", "ITI-42", "ITI-61"), "C"),
    **dict.fromkeys(("ITI-10", "ITI-43", "ITI-46"), "R"),
    **dict.fromkeys(("ITI-62", "ITI-86"), "D"),
    **dict.fromkeys(("ITI-8", "ITI-30", "ITI-31", "ITI-44", "ITI-57", "ITI-64"), "U"),
}
"""EventActionCode; of feeds the one of an update, the others follow from the message."""


ALL = (*TRANSACTIONS, *INITIATED, ISSUE_TOKEN)


@pytest.mark.parametrize("each", ALL, ids=[f"{each.id} {each.responder}" for each in ALL])
def test_every_transaction_is_audited_as_its_table_says(each: Any) -> None:
    event, code, name, section = EXPECTED[each.id]
    audit = each.audit
    assert (audit.event.code, audit.type.code, audit.type.display) == (event, code, name)
    assert audit.action == ACTIONS[each.id]
    assert audit.citation.section.startswith(section)
    assert audit.answers_as_source == (each.id == "ITI-43")  # 3.43.6.1.2: source is the repository


def test_the_table_names_every_transaction() -> None:
    assert EXPECTED.keys() == {each.id for each in ALL}


def test_records_of_many_at_once_are_all_there(database: Database) -> None:
    trail = AuditTrail(database=database, node=NODE)

    def record(number: int) -> None:
        for each in range(5):
            trail.record(message(5 * number + each))

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(record, range(40))) == [None] * 40
    found = database.read(lambda connection: store.search(connection, Search(limit=1000)))
    assert len({each.at for each in found}) == len(found) == 200


def test_whoever_waits_for_a_write_that_fails_is_told(scene: Scene) -> None:
    trail = AuditTrail(database=scene.database, node=NODE)

    def record(number: int) -> bool:
        try:
            trail.record(message(number))
        except AuditUnavailable:
            return False
        return True

    with scene.without_trail(), ThreadPoolExecutor(12) as pool:
        assert list(pool.map(record, range(60))) == [False] * 60
    assert record(61)
