"""From bytes to the acknowledgement: which transaction, which character set, whose messages hl7apy looks at."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from affinity.admission import Admission
from affinity.catalogue import TRANSACTIONS, hl7v2_transactions
from affinity.domain_model import Application
from affinity.hl7_answers import HL7Answers, choose
from affinity.hl7_sources import HL7Sources
from affinity.metrics import exposition
from affinity.partners import Agreement, Partners, SourceId, SourceKind
from hl7v2.encoding import Charset
from hl7v2.er7 import parse
from hl7v2.message import Message
from ihe.exchange import Exchange
from ihe.partners import Partner, Validation
from ihe.transactions import Actor, HL7v2Binding, Transaction
from mllp.replies import Peer
from mllp.validation import Policy, Validator

ADMISSION = (
    "MSH|^~\\&|LIS|LAB|MPI|AGENCY|20261123||ADT^A04|1|P|2.3.1\rEVN||20261123\r"
    "PID|1||77^^^NS||Müller^Jo||19800101|F\rPV1||O\r"
)
WITHOUT_VISIT = ADMISSION.replace("PV1||O\r", "")
WITHOUT_VISIT_AND_NAME = WITHOUT_VISIT.replace("Müller^Jo", "")


@pytest.fixture(scope="module")
def validator() -> Iterator[Validator]:
    found = Validator(timeout=60, every=1)
    yield found
    found.close()


class Ward:
    """A port that keeps what reached it."""

    def __init__(self) -> None:
        self.admitted: list[Message] = []


def admit(message: Message, ward: Ward, _: Exchange) -> None:
    ward.admitted.append(message)


def answers(ward: Ward, application: Application, validator: Validator | None = None) -> Any:
    """A node with one transaction that takes ADT^A04 of one listed system, answering on the spot."""
    known = next(each for each in TRANSACTIONS if each.id == "ITI-8")
    transaction: Any = Transaction(
        id="ITI-8",
        name=known.name,
        citation=known.citation,
        initiator=known.initiator,
        responder=Actor.PIX_MANAGER,
        bindings=(HL7v2Binding(triggers=frozenset({"ADT^A04"})),),
        decode=lambda message: message,
        handle=admit,
        encode=lambda message, response, exchange: None,
        refuse=known.refuse,
        audit=known.audit,
    )
    sources = HL7Sources(applications={"LIS|LAB": application}, validator=validator or Validator())
    return HL7Answers(
        transactions=(transaction,),
        ports={Actor.PIX_MANAGER: ward},
        sources=sources,
        clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
        defer=lambda work, *arguments: work(*arguments),
    )


def send(node: Any, text: str, charset: Charset = Charset.UTF_8) -> Message | None:
    reply = node(text.encode(charset.codec), Peer(address="test"))
    return parse(reply) if reply else None


def test_a_strict_source_learns_every_breach_and_nothing_reaches_the_transaction(validator: Validator) -> None:
    ward = Ward()
    node = answers(ward, Application(name="LIS", validation=Policy.STRICT), validator)
    refusal = send(node, WITHOUT_VISIT_AND_NAME)
    assert refusal and refusal["MSA"].text(1) == "AE" and refusal["MSA"].text(2) == "1"
    assert {each.raw(2) for each in refusal.all("ERR")} == {"PID^1^5", "PV1^1"}
    assert ward.admitted == []


def test_a_strict_source_that_keeps_to_the_structure_is_served(validator: Validator) -> None:
    ward = Ward()
    assert send(answers(ward, Application(name="LIS", validation=Policy.STRICT), validator), ADMISSION) is None
    assert len(ward.admitted) == 1


def test_a_sampled_source_is_served_and_counted(validator: Validator) -> None:
    ward = Ward()
    node = answers(ward, Application(name="LIS", validation=Policy.SAMPLED), validator)
    with capture_logs() as logs:
        send(node, WITHOUT_VISIT)
    assert len(ward.admitted) == 1
    assert [(each["event"], each["log_level"]) for each in logs] == [("hl7 structure doubtful", "warning")]
    assert b'affinity_hl7_doubtful_total{source="LIS|LAB"} 1.0' in exposition()
    assert "Müller" not in str(logs)


@pytest.mark.parametrize("sender", ["LIS|LAB", "LIS|ELSEWHERE"])
def test_by_default_and_for_systems_that_are_not_listed_hl7apy_is_not_asked(sender: str) -> None:
    ward = Ward()
    node = answers(ward, Application(name="LIS"))
    send(node, WITHOUT_VISIT.replace("LIS|LAB", sender))
    assert len(ward.admitted) == 1
    assert node.sources.validator._worker is None


def test_a_source_without_msh_18_is_read_in_its_own_character_set() -> None:
    ward = Ward()
    node = answers(ward, Application(name="LIS", charset=Charset.LATIN_1))
    send(node, ADMISSION, Charset.LATIN_1)
    assert ward.admitted[0]["PID"].text(5) == "Müller"


def test_what_msh_18_says_counts_more_than_the_agreement() -> None:
    ward = Ward()
    node = answers(ward, Application(name="LIS", charset=Charset.LATIN_1))
    send(node, ADMISSION.replace("|2.3.1\r", "|2.3.1||||||UNICODE UTF-8\r"))
    assert ward.admitted[0]["PID"].text(5) == "Müller"


@pytest.mark.parametrize(
    ("trigger", "version", "transaction"),
    [("ADT^A40", "2.3.1", "ITI-8"), ("ADT^A40^ADT_A39", "2.5", "ITI-30"), ("QBP^Q23^QBP_Q21", "2.5", "ITI-9")],
)
def test_the_version_decides_where_two_transactions_have_the_same_trigger(
    trigger: str, version: str, transaction: str
) -> None:
    message = parse(f"MSH|^~\\&|LIS|LAB|MPI|AGENCY|20261123||{trigger}|1|P|{version}\r".encode())
    assert choose(message, hl7v2_transactions(TRANSACTIONS)).id == transaction


@pytest.mark.parametrize(
    ("processing_id", "version", "refused"),
    [
        ("P", "2.5", []),
        ("T^T", "2.3.1^FRA", []),
        ("", "", []),
        ("D", "2.8.2", []),
        ("1", "2.3.1", []),  # the patient feed of the NIST toolkit
        ("X", "2.5", [("202", "MSH^1^11^1^1")]),
        ("P", "9.9", [("203", "MSH^1^12^1^1")]),
        ("LIVE", "3.0", [("202", "MSH^1^11^1^1"), ("203", "MSH^1^12^1^1")]),
    ],
)
def test_a_header_that_names_no_version_or_processing_of_hl7_is_rejected(
    processing_id: str, version: str, refused: list[tuple[str, str]]
) -> None:
    ward = Ward()
    answer = send(answers(ward, Application(name="LIS")), ADMISSION.replace("|P|2.3.1", f"|{processing_id}|{version}"))
    assert len(ward.admitted) == (not refused)
    if refused:
        assert answer is not None
        assert answer["MSA"].text(1) == "AR"
        assert [
            (err.text(3), "^".join(err.text(2, component) for component in range(1, 6))) for err in answer.all("ERR")
        ] == refused


@pytest.fixture
def recorded(validator: Validator) -> tuple[Ward, Any]:
    """A node whose only partner, known by MSH-3 and MSH-4, is to be recorded and not refused."""
    ward, source = Ward(), SourceId(SourceKind.HL7V2, "LIS|LAB")
    partner = Partner(name="recorded", validation=Validation.RECORD_ONLY)
    agreement = Agreement(partner=partner, sources=frozenset({source}), transactions=None)
    node = answers(ward, Application(name="LIS", validation=Policy.STRICT), validator)
    return ward, replace(node, admission=Admission(partners=Partners((agreement,), by_source=True)))


@pytest.mark.parametrize(
    ("message", "breach"), [(WITHOUT_VISIT, "HL7 100"), (ADMISSION.replace("|2.3.1", "|7.0"), "HL7 203")]
)
def test_what_is_only_recorded_is_taken_counted_and_written_down(
    recorded: tuple[Ward, Any], message: str, breach: str
) -> None:
    ward, node = recorded
    with capture_logs() as logs:
        assert send(node, message) is None
    assert len(ward.admitted) == 1
    assert [each["breach"] for each in logs if each["event"] == "breach recorded"] == [breach]
    assert f'affinity_forgiven_total{{deviation="{breach}",partner="recorded"}} 1.0'.encode() in exposition()
    assert "Müller" not in str(logs)
