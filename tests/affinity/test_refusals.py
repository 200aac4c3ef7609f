"""Refused feeds are counted for whoever sent them, over HL7 v2 and v3; queries and what is accepted are not."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from affinity.catalogue import TRANSACTIONS, hl7v2_transactions
from affinity.database import Database
from affinity.domain import load
from affinity.hl7_answers import HL7Answers
from affinity.hl7_sources import HL7Sources
from affinity.refusals import Refusals, feeding_source
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import SOAPRequest
from ihe.transactions import Actor
from mllp.replies import Peer
from pix import store_rejections
from pix.iti44 import ITI_44
from pix.manager import PatientIndex
from soap.xml import parse

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
V3 = """<{name} xmlns="urn:hl7-org:v3"><sender><device><id root="2.25.1"/><asAgent><representedOrganization>
<id root="2.25.2"/></representedOrganization></asAgent></device></sender></{name}>"""
Say = Callable[[str], None]


def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


@pytest.fixture
def say(database: Database) -> Say:
    """Send an HL7 v2 message to the node's answers."""
    index = PatientIndex(domain=load("connectathon").affinity_domain, database=database, clock=lambda: NOW)
    defer: Callable[..., Awaitable[bytes | None]] = at_once
    answers = HL7Answers(
        transactions=hl7v2_transactions(TRANSACTIONS),
        ports={Actor.PIX_MANAGER: index, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: index},
        sources=HL7Sources(),
        clock=lambda: NOW,
        defer=defer,
        on_refusal=Refusals(database=database, clock=lambda: NOW),
    )

    def send(text: str) -> None:
        answers(text.encode(), Peer(address="127.0.0.1"))

    return send


def counted(database: Database) -> dict[str, Any]:
    return database.read(lambda connection: store_rejections.since(connection, "2026-11-23"))


def test_a_feed_that_its_transaction_refuses(say: Say, database: Database) -> None:
    say("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28|1|P|2.5\rEVN||2026\rPID|||1^^^NOWHERE||Weber^Anna\rPV1||N\r")
    assert counted(database) == {"HIS|HOSP": {"204": 1}}


@pytest.mark.parametrize(("end", "code"), [("ADT^A28|1|P|9.9", "203"), ("ADT^A99|1|P|2.5", "201")])
def test_a_feed_that_no_transaction_takes(say: Say, database: Database, end: str, code: str) -> None:
    say(f"MSH|^~\\&|HIS|HOSP|A|A|2026||{end}\r")
    assert counted(database) == {"HIS|HOSP": {code: 1}}


def test_what_is_accepted_or_no_feed_is_not_counted(say: Say, database: Database) -> None:
    say("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28|1|P|2.5\rEVN||2026\rPID|||1^^^IHERED||Weber^Anna\rPV1||N\r")
    say("MSH|^~\\&|HIS|HOSP|A|A|2026||QBP^Q23^QBP_Q21|2|P|2.5\rQPD|IHE PIX Query|T|4^^^NOWHERE\rRCP|I\r")
    assert counted(database) == {}


def test_the_source_of_a_v3_feed_is_spelt_as_the_index_spells_it() -> None:
    for binding in ITI_44.bindings:
        name = binding.request.partition("}")[2]  # type: ignore[union-attr]
        body = parse(V3.format(name=name).encode())
        assert feeding_source(SOAPRequest(body)) == "2.25.1|2.25.2"
    assert feeding_source(SOAPRequest(parse(V3.format(name="PRPA_IN201309UV02").encode()))) is None


def test_a_count_that_cannot_be_kept_changes_no_answer() -> None:
    class Broken:
        def write(self, work: object) -> None:
            raise OperationalError("INSERT", {}, Exception("disk full"))

    refusals = Refusals(database=Broken(), clock=lambda: NOW)  # type: ignore[arg-type]
    body = parse(V3.format(name="PRPA_IN201301UV02").encode())
    refusals(SOAPRequest(body), Rejected(Breach(code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER, text="x")))
