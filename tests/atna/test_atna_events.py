"""What the records of single transactions and of other events say, and that all are valid."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml.etree import XMLSchema

from atna import events
from atna.dicom import write
from atna.model import AuditMessage, EventOutcomeIndicator
from hl7v2.er7 import parse as parse_hl7
from ihe.audit import PATIENT_NUMBER, SUBMISSION_SET, ParticipantObject
from ihe.audited import Event
from ihe.datatypes import CX, HD
from ihe.errors import Breach, ErrorCode
from ihe.exchange import SOAPRequest
from ihe.identifiers import UniqueId
from pix.iti8 import ITI_8
from pix.iti9 import ITI_9
from pix.iti44 import ITI_44
from pix.iti45 import ITI_45
from pix.iti64 import ITI_64
from soap.xml import parse, schema
from tests.atna.test_atna_seam import DOCTOR
from tests.atna.trail import NODE, START
from xds.document_requests import DocumentRequest
from xds.iti18 import ITI_18
from xds.iti42 import ITI_42
from xds.iti43 import ITI_43, Retrieval
from xds.iti86 import ITI_86
from xds.repository import RemovedDocuments

ONE, TWO = (
    DocumentRequest(document_unique_id=UniqueId(each), repository_unique_id="2.25.300", home_community_id="urn:oid:1")
    for each in ("1.1", "1.2")
)
OWNER = CX("7", HD("", "1.2.3", "ISO"))
MISSING = Breach(code=ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, text="not here")
MSH = r"MSH|^~\&|LAB|HOSP|PIX|DOM|20261126||{}|M1|P|{}" + "\r"


def ids(event: Event) -> list[str | None]:
    return [each.id for each in event.objects]


def hl7(trigger: str, version: str, *segments: str) -> object:
    return parse_hl7((MSH.format(trigger, version) + "\r".join(segments) + "\r").encode())


def test_a_partial_retrieve_is_a_success_and_a_failure() -> None:
    done = Retrieval(found=((ONE, None),), breaches=(MISSING,), owners={ONE.document_unique_id: (OWNER,)})  # type: ignore[arg-type]
    success, failure = ITI_43.audit.describe(None, (ONE, TWO), done)
    assert (success.outcome, ids(success)) == (EventOutcomeIndicator.SUCCESS, [str(OWNER), "1.1"])
    assert (failure.outcome, ids(failure)) == (EventOutcomeIndicator.MINOR_FAILURE, ["1.2"])
    assert failure.description == "not here"
    assert [each.type for each in success.objects[1].details] == ["Repository Unique ID", "ihe:homeCommunityID"]


def test_a_document_of_two_patients_is_an_event_of_each() -> None:
    other = replace(OWNER, id="other")
    done = Retrieval(found=((ONE, None),), breaches=(), owners={ONE.document_unique_id: (OWNER, other)})  # type: ignore[arg-type]
    one, two = ITI_43.audit.describe(None, (ONE,), done)
    assert (ids(one), ids(two)) == ([str(OWNER), "1.1"], [str(other), "1.1"])


def test_a_partial_removal_is_a_success_and_a_failure() -> None:
    removed = RemovedDocuments(ids=frozenset({ONE.document_unique_id}), owners={})
    success, failure = ITI_86.audit.describe(None, (ONE, TWO), removed)
    assert (success.outcome, ids(success)) == (EventOutcomeIndicator.SUCCESS, ["1.1"])
    assert (failure.outcome, ids(failure)) == (EventOutcomeIndicator.MINOR_FAILURE, ["1.2"])


@pytest.mark.parametrize("audit", [ITI_43.audit, ITI_86.audit])
def test_a_request_that_could_not_be_read_is_one_failure(audit: object) -> None:
    assert len(list(audit.describe(None, None, None))) == 1  # type: ignore[attr-defined]


def test_a_merge_is_a_deletion_and_an_update() -> None:
    message = hl7("ADT^A40^ADT_A39", "2.3.1", "PID|||1^^^HOSP&1.2.3&ISO", "MRG|2^^^HOSP&1.2.3&ISO")
    deleted, updated = ITI_8.audit.describe(message, None, None)
    assert (deleted.action, ids(deleted)) == ("D", ["2^^^HOSP&1.2.3&ISO"])
    assert (updated.action, ids(updated)) == ("U", ["1^^^HOSP&1.2.3&ISO"])
    assert [(each.type, each.value) for each in updated.objects[0].details] == [("MSH-10", b"M1")]


@pytest.mark.parametrize(("trigger", "action"), [("A01", "C"), ("A04", "C"), ("A05", "C"), ("A08", "U")])
def test_a_feed_creates_or_updates(trigger: str, action: str) -> None:
    [event] = ITI_8.audit.describe(hl7(f"ADT^{trigger}", "2.3.1", "PID|||1^^^HOSP~2^^^LAB"), None, None)
    assert (event.action, ids(event)) == (action, ["1^^^HOSP"])
    assert event.objects[0].details[1].value == b"2^^^LAB"


def test_a_link_change_names_all_its_ids() -> None:
    message = hl7("ADT^A43", "2.5", "PID|||1^^^X~2^^^L", "MRG|3^^^X~4^^^L")
    [event] = ITI_64.audit.describe(message, None, None)
    named = {each.details[1].value.decode(): each.id for each in event.objects}
    assert named == {
        "newPatientId": "1^^^X",
        "localPatientId": "2^^^L",
        "previousPatientId": "3^^^X",
        "subsumedLocalPatientId": "4^^^L",
    }


def test_a_pix_query_keeps_the_whole_message_and_its_patient() -> None:
    message = hl7("QBP^Q23^QBP_Q21", "2.5", "QPD|IHE PIX Query|Q1|1^^^HOSP")
    [event] = ITI_9.audit.describe(message, None, None)
    assert ids(event) == ["1^^^HOSP", None]
    assert (event.objects[1].query or b"").startswith(b"MSH|")


SAMPLES = [
    (ITI_18, "ITI-18", 1),
    (ITI_42, "ITI-42", 1),
    (ITI_44, "ITI-44", 1),
    (ITI_45, "ITI-45", 1),
]


@pytest.mark.parametrize(("transaction", "folder", "least"), SAMPLES, ids=[folder for _, folder, _ in SAMPLES])
def test_messages_of_other_systems_are_described(
    shared: Path, transaction: object, folder: str, least: int, dicom_schema: XMLSchema
) -> None:
    files = sorted((shared / "samples" / folder).glob("*.xml"))[:40]
    described = [each for file in files for each in _bodies(file.read_bytes(), transaction)]
    assert len(described) >= least
    for event in described:
        for each in event.objects:
            assert _is_valid(each, dicom_schema)


def _bodies(data: bytes, transaction: object) -> Iterable[Event]:
    bindings = {each.request for each in transaction.bindings}  # type: ignore[attr-defined]
    try:
        root = parse(data)
    except ValueError:
        return
    for body in root.iter(*bindings):
        yield from transaction.audit.describe(SOAPRequest(body=body), None, None)  # type: ignore[attr-defined]


def _is_valid(each: ParticipantObject, official: XMLSchema) -> bool:
    message = events.security_alert(NODE, START, events.SOFTWARE_CONFIGURATION, "x", objects=(each,))
    official.assertValid(parse(write(message)))
    return each.id_type == PATIENT_NUMBER or each.id_type == SUBMISSION_SET or each.query is not None


@pytest.fixture(scope="module")
def dicom_schema(shared: Path) -> XMLSchema:
    return schema(shared / "schemas" / "audit" / "dicom2017c.xsd")


OTHERS: list[AuditMessage] = [
    events.started(NODE, START),
    events.stopped(NODE, START + timedelta(hours=1)),
    events.authentication_failed(NODE, START, "10.0.0.7", "the signature does not verify", ITI_18.audit.type),
    events.node_authentication_failed(NODE, START, "10.0.0.7", "expired", "CN=lab"),
    events.emergency_access(NODE, START, DOCTOR, (str(OWNER),), "unconscious"),
    events.configuration_changed(NODE, START, events.SECURITY_CONFIGURATION, "root@console", "certificates"),
    events.console_used(NODE, START, "root@console", "affinity pix load"),
    events.exported(NODE, START, "root@console", "affinity pix export", "/tmp/file.csv"),
    events.audit_log_used(NODE, START, "root@console", "search: all"),
]


@pytest.mark.parametrize("message", OTHERS, ids=lambda each: each.event.id.display)
def test_events_that_are_no_transaction_are_valid(message: AuditMessage, dicom_schema: XMLSchema) -> None:
    dicom_schema.assertValid(parse(write(message)))
    assert message.participants
