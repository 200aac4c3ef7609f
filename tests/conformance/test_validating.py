"""Validators: one good message of each kind, one change, one finding; and every message of other systems."""

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from typer.testing import CliRunner

from affinity.cli import app
from affinity.domain import load
from atna.dicom import write
from atna.model import AuditMessage, AuditSource, EventActionCode, EventIdentification, EventOutcomeIndicator
from atna.syslog import SyslogMessage, encode
from conformance.catalogue import catalogue
from conformance.excerpts import excerpt
from conformance.kinds import Kind, NotRecognised
from conformance.reports import as_html, as_json, as_junit, examine
from conformance.validating import Report, validate
from conformance.validators.context import Context
from ihe.datatypes import Code
from ihe.exchange import OutgoingPart
from mllp.framing import frame
from soap.head import ENVELOPE_END, request_head
from soap.mtom import pack
from soap.xml import serialize
from tests.xua.stage import AUDIENCE, ISSUER, make_certificate
from xds.iti41 import ITI_41
from xua.people import DemoRole
from xua.sts import DevelopmentSTS

HERE = Path(__file__).parent
ANY = Context()
SUBMISSION = (HERE / "messages/iti42_submission.xml").read_bytes()
QUERY = (HERE.parent / "pix/v3/messages/iti47_query.xml").read_bytes()
FEED = (
    "MSH|^~\\&|LIS|LAB|X|Y|20260401120000+0000||ADT^A28^ADT_A05|M1|P|2.5||||||UNICODE UTF-8\r"
    "EVN||20260401120000+0000\r"
    "PID|||4711^^^LAB&2.999.1&ISO^PI||Wolter^Léonie^^^^^L||19870412|F\r"
    "PV1||N\r"
)
ACTION = "urn:ihe:iti:2007:RegisterDocumentSet-b"
SAMPLES = tomllib.loads((HERE / "samples.toml").read_text(encoding="utf-8"))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def feed(old: str = "", new: str = "") -> bytes:
    return FEED.replace(old, new).encode()


def submission(old: str = "", new: str = "") -> bytes:
    return SUBMISSION.decode().replace(old, new).encode() if old else SUBMISSION


def envelope(body: bytes, action: str = ACTION) -> bytes:
    return b"".join((request_head(action, "urn:uuid:1", "http://localhost/xds/registry"), body, ENVELOPE_END))


def located(report: Report) -> list[str]:
    return [f"{each.level} {each.location}" for each in report.findings]


@pytest.mark.parametrize(
    ("data", "kind", "transaction"),
    [
        (feed(), Kind.HL7V2, "ITI-30"),
        (frame(feed()), Kind.HL7V2, "ITI-30"),
        (b"MSH|^~\\&|A|B|C|D|2026||ACK^A28^ACK|1|P|2.5\rMSA|AA|M1\r", Kind.HL7V2, None),
        (SUBMISSION, Kind.EBXML, "ITI-42"),
        (envelope(SUBMISSION), Kind.SOAP, "ITI-42"),
        (QUERY, Kind.HL7V3, "ITI-47"),
    ],
)
def test_a_good_message_is_recognised_and_nothing_is_found(data: bytes, kind: Kind, transaction: str | None) -> None:
    assert validate(data, ANY) == Report(kind=kind, transaction=transaction, findings=())


def test_a_breach_of_hl7_v2_says_where_and_by_which_section() -> None:
    (finding,) = validate(feed("19870412", "12.4.1987"), ANY).findings
    assert (finding.location, finding.observed, finding.code) == ("PID^1^7", "12.4.1987", "102")
    assert str(finding.citation) == "ITI TF-2: N.5"


def test_whose_ids_are_allowed_is_judged_by_a_domain_alone() -> None:
    assert validate(feed(), ANY).findings == ()
    (finding,) = validate(feed(), Context(domain=load("connectathon").affinity_domain)).findings
    assert (finding.code, finding.location) == ("204", "PID^1^3^1^4")


def test_a_trigger_of_no_transaction_is_remarked_and_no_error() -> None:
    report = validate(feed("ADT^A28^ADT_A05", "ORU^R01^ORU_R01"), ANY)
    assert located(report) == ["MAY MSH^1^9"] and not report.errors


def test_an_answer_that_names_no_question_is_found() -> None:
    data = b"MSH|^~\\&|A|B|C|D|2026||ACK^A28^ACK|1|P|2.5\rMSA|AE\r"
    assert located(validate(data, ANY)) == ["SHALL MSA^1^2", "SHALL ERR^1"]


def test_a_breach_of_metadata_names_its_object_and_the_assertions() -> None:
    report = validate(submission("20261123093000", "2026-11-23"), ANY)
    assert "SHALL SubmissionSet(SubmissionSet01).submissionTime" in located(report)


def test_a_finding_of_a_rule_names_the_assertions_that_the_catalogue_gives_it() -> None:
    other = SUBMISSION.replace(b"1988031742", b"1955123199", 1)
    broken = {name for each in validate(other, ANY).findings for name in each.assertions}
    assert broken & {each.id for each in catalogue() if each.rule == "objects_share_the_patient"}


def test_a_missing_attribute_is_the_assertion_of_that_attribute_alone() -> None:
    lacking = submission(' mimeType="application/pdf"', "")
    (finding,) = [each for each in validate(lacking, ANY).findings if each.location.endswith(".mimeType")]
    (name,) = finding.assertions
    assert {each.id: each.text for each in catalogue()}[name].endswith("DocumentEntry.mimeType.")


def test_codes_are_judged_by_a_domain_alone() -> None:
    found = validate(SUBMISSION, Context(domain=load("connectathon").affinity_domain)).findings
    assert {each.code for each in found} == {"XDSRegistryMetadataError"}
    assert any("classCode" in each.location for each in found)


def test_the_transaction_of_a_bare_payload_can_be_said() -> None:
    assert validate(SUBMISSION, Context(transaction="ITI-57")).transaction == "ITI-57"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: re.sub(rb"<wsa:Action.*?</wsa:Action>", b"", data), "SHALL Envelope/Header"),
        (lambda data: data.replace(ACTION.encode(), b"urn:ihe:iti:2007:RegistryStoredQuery"), "Envelope/Header/Action"),
        (lambda data: data.replace(ACTION.encode(), b"urn:example:other"), "MAY Envelope/Header/Action"),
    ],
)
def test_a_breach_of_the_envelope_is_found(change: Callable[[bytes], bytes], expected: str) -> None:
    assert any(expected in each for each in located(validate(change(envelope(SUBMISSION)), ANY)))


def test_an_envelope_of_no_known_soap_is_no_message() -> None:
    data = envelope(SUBMISSION).replace(b"2003/05/soap-envelope", b"2001/12/soap-envelope")
    with pytest.raises(NotRecognised, match="no validator"):
        validate(data, ANY)


def test_what_a_message_id_holds_is_not_judged() -> None:
    assert located(validate(envelope(SUBMISSION).replace(b"urn:uuid:1<", b" <"), ANY)) == []


def provided(content_id: str) -> bytes:
    document = f'<xds:Document xmlns:xds="urn:ihe:iti:xds-b:2007" id="Document01"><xop:Include \
xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{content_id}"/></xds:Document>'
    body = SUBMISSION + document.encode()
    body = b'<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="urn:ihe:iti:xds-b:2007">' + body
    body += b"</xds:ProvideAndRegisterDocumentSetRequest>"
    part = OutgoingPart(content_id="doc@x", media_type="application/pdf", size=4, chunks=lambda: iter((b"%PDF",)))
    action = ITI_41.bindings[0].action  # type: ignore[union-attr]
    content_type, length, chunks = pack(envelope(body, action), [part], action)
    head = f"POST /xds/repository HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + b"".join(chunks)


def test_a_logged_package_is_taken_apart_and_its_parts_are_accounted_for() -> None:
    good, bad = validate(provided("doc@x"), ANY), validate(provided("other@x"), ANY)
    assert (good.kind, good.transaction) == (Kind.HTTP, "ITI-41")
    missing = {each.code for each in bad.findings} - {each.code for each in good.findings}
    assert missing == {"XDSMissingDocument", "XDSMissingDocumentMetadata"}


@pytest.fixture(scope="module")
def assertion() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    sts = DevelopmentSTS(ISSUER, key, make_certificate(key))
    return serialize(sts.issue(DemoRole.NURSE, datetime.now(UTC), AUDIENCE))


def test_an_assertion_is_judged_by_its_form_and_not_by_whom_we_believe(assertion: bytes) -> None:
    assert validate(assertion, ANY).findings == ()
    (finding,) = validate(re.sub(rb"<ds:Signature.*?</ds:Signature>", b"", assertion, flags=re.S), ANY).findings
    assert finding.location == "signed"


AUDITED = AuditMessage(
    event=EventIdentification(
        id=Code("110112", "DCM", "Query"),
        action=EventActionCode.EXECUTE,
        time=datetime(2026, 11, 26, tzinfo=UTC),
        outcome=EventOutcomeIndicator.SUCCESS,
    ),
    participants=(),
    source=AuditSource(id="node"),
)


def test_an_audit_message_is_judged_by_the_schema_of_dicom_also_within_syslog() -> None:
    good = write(AUDITED)
    assert validate(good, ANY).findings == ()
    assert validate(encode(SyslogMessage(content=good)), ANY) == Report(
        kind=Kind.SYSLOG, transaction="ITI-20", findings=()
    )
    (finding,) = validate(good.replace(b"csd-code", b"code"), ANY).findings
    assert (finding.location, finding.observed, finding.line) == ("EventID/@csd-code", "110112", 1)


def test_a_cda_document_lacks_its_custodian() -> None:
    report = validate(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', ANY)
    assert report.kind is Kind.CDA
    assert "SHALL /ClinicalDocument/custodian/assignedCustodian/representedCustodianOrganization/id" in located(report)


@pytest.mark.parametrize("data", [b"", b"hello", b"<a/>", b"<!DOCTYPE a><a/>", b"<a", b"\xff\xfe<"])
def test_what_is_no_message_is_said_so(data: bytes) -> None:
    with pytest.raises(NotRecognised):
        validate(data, ANY)


@given(cut=st.integers(0, len(FEED.encode())), noise=st.binary(max_size=8))
def test_no_mutilated_message_breaks_a_validator(cut: int, noise: bytes) -> None:
    data = feed()
    try:
        validate(data[:cut] + noise + data[cut:], ANY)
    except NotRecognised:
        assert cut < 10


@given(cut=st.integers(0, len(SUBMISSION)), dropped=st.integers(1, 60))
def test_no_mutilated_submission_breaks_a_validator(cut: int, dropped: int) -> None:
    try:
        validate(SUBMISSION[:cut] + SUBMISSION[cut + dropped :], ANY)
    except NotRecognised as error:
        assert str(error)


def test_an_excerpt_marks_the_field_and_the_object() -> None:
    found = excerpt(feed(), "PID^1^7")
    assert found is not None and (found.line, found.marked) == (3, "19870412")
    found = excerpt(SUBMISSION, "DocumentEntry(Document01).patientId")
    assert found is not None and found.marked == '"Document01"'
    assert excerpt(feed(), "ZZZ^1^1") is None


def test_reports_say_the_same_in_every_form() -> None:
    examined = [examine("a.hl7", feed("19870412", "x"), ANY), examine("b", b"hello", ANY), examine("c", feed(), ANY)]
    first, second, third = as_json(examined)
    assert (first["errors"], second["errors"], third["findings"]) == (1, None, [])
    suite = etree.fromstring(as_junit(examined))
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["3", "1", "1"]
    page = as_html(examined)
    assert "<mark>x</mark>" in page and "Nothing was found" in page and "http" not in page.replace("HTTP", "")


def test_the_verb_exits_by_what_it_found(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.hl7", tmp_path / "bad.hl7"
    good.write_bytes(feed())
    bad.write_bytes(feed("19870412", "<1987>"))
    run = CliRunner().invoke
    assert run(app, ["validate", "--no-hl7apy", str(good)]).exit_code == 0
    shown = run(app, ["validate", "--no-hl7apy", str(good), str(bad)])
    assert shown.exit_code == 1 and "bad.hl7: HL7 v2 message, ITI-30: 1 error" in shown.output
    told = run(app, ["validate", "--no-hl7apy", "--format", "json", str(bad)])
    assert json.loads(told.output)[0]["findings"][0]["location"] == "PID^1^7"
    assert run(app, ["validate", "--as", "ITI-999", str(good)]).exit_code == 2


def test_hl7apy_is_asked_for_a_second_opinion(tmp_path: Path) -> None:
    file = tmp_path / "odd.hl7"
    file.write_bytes(feed("PV1||N\r", "ZZZ|1\rPV1||QQ\r"))
    told = CliRunner().invoke(app, ["validate", "--format", "json", str(file)])
    assert any("hl7apy" in (each["observed"] or "") for each in json.loads(told.output)[0]["findings"])


def normal(location: str) -> str:
    return UUID.sub("*", location)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_message_of_another_system_has_just_these_findings(shared: Path, name: str) -> None:
    known = SAMPLES[name]
    data = (shared / "samples" / name).read_bytes()
    try:
        report = validate(data, ANY)
    except NotRecognised:
        assert known == {"kind": "none", "why": known["why"]}
        return
    found = sorted({f"{each.level} {normal(each.location)}" for each in report.findings})
    assert (report.kind, report.transaction or "") == (known["kind"], known["transaction"])
    assert found == known.get("findings", [])
    assert bool(known.get("why")) or not name.split("/")[1].startswith("ihe_") or not report.errors


def test_no_sample_is_left_out(shared: Path) -> None:
    files = {f"{file.parent.name}/{file.name}" for file in (shared / "samples").glob("*/*")}
    assert files == set(SAMPLES)
