"""Every client verb against a real node, its real ports and its real STS."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.demo.documents import Report, Subject, cda
from affinity.domain import load
from affinity.pki import development_pki
from soap.client import SOAPClient
from tests.end_to_end.conftest import ANY_PORT, ROOT, RunningNode, Start, start_node

DEMO = load("demo").affinity_domain
RECORD = "2.25.334728459024254970897405965636283403456.3.2"
PATIENT = f"CLI-1^^^&{RECORD}&ISO"
FEED = """MSH|^~\\&|GLIMS|LAB-MOSELLE|AFFINITY|AFFINITY|20261123||ADT^A28^ADT_A05|CLI-{number}|P|2.5
EVN||20261123
PID|||{id}^^^&{authority}&ISO~L-{number}^^^LAB-MOSELLE||Müller^Léa||{born}0515|F|||^^Exempelduerf
PV1||N
"""
REPORT = cda(
    Report(
        unique_id="2.25.4242",
        subject=Subject(
            local_id="L-1", local_oid="2.25.5", family="Müller", given="Léa", birth_date="19800515", sex="F"
        ),
        laboratory="Labo",
        laboratory_oid="2.25.9",
        time="20261123101500",
    )
)
Run = Callable[..., Result]


def feed_of(number: int, id: str, authority: str) -> str:
    """The announcement of one of several women of one name and town, each born in another year."""
    return FEED.format(number=number, id=id, authority=authority, born=1979 + number)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def told(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """The demo domain, which demands assertions, with one patient announced and a report of hers submitted."""
    directory = tmp_path_factory.mktemp("demo")
    node = start_node(directory / "data", "--domain", "demo")
    feed, report = directory / "feed.hl7", directory / "report.xml"
    feed.write_text(feed_of(1, "CLI-1", RECORD))
    report.write_bytes(REPORT)
    assert invoke("send", feed, "--data", node.data).exit_code == 0
    for party in ("npi:90000022", "organization:2.25.185014298127404816031548209217553690419"):
        why = ("--kind", "professional", "--reason", "she is treated there", "--data", node.data)
        assert invoke("consent", "relate", PATIENT, party, *why).exit_code == 0
    submitted = invoke("submit", report, "--patient-id", PATIENT, "--data", node.data)
    assert submitted.exit_code == 0, submitted.output
    yield node
    node.kill()


@pytest.fixture
def run(demo: RunningNode) -> Run:
    """Run a verb; the addresses that it is not given are those of the node."""
    return lambda verb, *arguments: invoke(verb, *arguments, "--data", demo.data)


@pytest.fixture
def tls(demo: RunningNode) -> tuple[str, ...]:
    """The options of a client that the node trusts."""
    pki = development_pki(demo.data / "pki")
    files = {"--tls-ca": pki.authority.certificate, "--cert": pki.client.certificate, "--key": pki.client.key}
    return tuple(str(word) for pair in files.items() for word in pair)


def test_send_shows_each_acknowledgement_and_fails_if_one_refuses(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "feed.hl7"
    file.write_text(feed_of(2, "CLI-2", RECORD) + feed_of(3, "CLI-3", "1.2.3"))
    shown = run("send", file)
    assert shown.exit_code == 1
    assert "#1  ADT^A28 CLI-2  AA accepted" in shown.stdout and "#2  ADT^A28 CLI-3  AE refused" in shown.stdout
    assert "204 Unknown key identifier at PID^1^3" in shown.stdout
    answers = told(run("send", file, "--json"))
    assert [(each["message"], each["code"], each["accepted"]) for each in answers] == [
        (1, "AA", True),
        (2, "AE", False),
    ]
    assert answers[1]["errors"][0]["code"] == "204"


def test_send_over_mutual_tls(demo: RunningNode, tls: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "feed.hl7"
    file.write_text(feed_of(4, "CLI-4", RECORD))
    assert invoke("send", file, "--mllp", f"127.0.0.1:{demo.ports['mllps']}", *tls).exit_code == 0


def test_pix_lists_the_other_ids(run: Run) -> None:
    asked = run("pix", "ids", "L-1^^^LAB-MOSELLE", "--domain", RECORD, "--json")
    assert asked.exit_code == 0
    assert told(asked)["identifiers"] == [{"id": "CLI-1", "namespace_id": "DSP", "oid": RECORD}]
    assert "CLI-1" in run("pix", "ids", "L-1^^^LAB-MOSELLE").stdout


def test_pix_of_somebody_unknown_is_refused_with_a_reason(run: Run) -> None:
    asked = run("pix", "ids", "L-404^^^LAB-MOSELLE")
    assert asked.exit_code == 1 and "204" in asked.stdout


@pytest.mark.parametrize("wire", ["v2", "v3"])
def test_pdq_finds_the_patient_over_both_wires(run: Run, demo: RunningNode, wire: str) -> None:
    at = ("--v3", demo.url("/pdq")) if wire == "v3" else ()
    asked = run("pdq", "--family", "Muller", "--birth-date", "19800515", *at, "--json")
    assert asked.exit_code == 0, asked.output
    patients = told(asked)["patients"]
    assert ("Müller", "Léa", "19800515", "F") in {
        (each["family"], each["given"], each["birth_date"], each["sex"]) for each in patients
    }
    nobody = run("pdq", "--family", "Nobody", *at)
    assert nobody.exit_code == 0 and "Nobody there is like this." in nobody.stdout


def test_pix_over_v3(run: Run, demo: RunningNode) -> None:
    at = ("--v3", demo.url("/pix"))
    asked = run("pix", "ids", PATIENT, *at, "--json")
    assert [each["id"] for each in told(asked)["identifiers"]] == ["L-1"]
    unknown = run("pix", "ids", f"CLI-404^^^&{RECORD}&ISO", *at)
    assert unknown.exit_code == 1 and "204" in unknown.stdout


def test_pdq_says_that_there_are_more(run: Run) -> None:
    limited = told(run("pdq", "--family", "Muller", "--limit", "1", "--json"))
    everybody = told(run("pdq", "--family", "Muller", "--json"))
    assert len(limited["patients"]) == 1
    assert limited["remaining"] == len(everybody["patients"]) - 1


def test_query_shows_what_was_submitted(run: Run) -> None:
    shown = run("query", "--patient-id", PATIENT)
    assert shown.exit_code == 0
    assert "Laboratory report" in shown.stdout and "2.25.4242" in shown.stdout and "Approved" in shown.stdout
    entry = next(each for each in told(run("query", "--patient-id", PATIENT, "--json"))["objects"])
    assert entry["hash"] and entry["size"] == len(REPORT)
    assert entry["typeCode"]["code"] == "11502-2"
    assert entry["sourcePatientInfo"][0] == "PID-5|Müller^Léa"


def test_query_by_other_queries_and_for_ids_alone(run: Run) -> None:
    refs = told(run("query", "--patient-id", PATIENT, "--object-ref", "--json"))["refs"]
    assert len(refs) == 1
    sets = run("query", "--query", "GetSubmissionSets", "--param", f"uuid={refs[0]}", "--json")
    assert {each["object"] for each in told(sets)["objects"]} == {"SubmissionSet", "Association"}
    later = run("query", "--patient-id", PATIENT, "--param", "XDSDocumentEntryCreationTimeFrom=2030")
    assert later.exit_code == 0 and "Nothing is there." in later.stdout
    typed = run("query", "--patient-id", PATIENT, "--param", "XDSDocumentEntryTypeCode=11502-2^^2.16.840.1.113883.6.1")
    assert "2.25.4242" in typed.stdout


def test_query_with_a_missing_parameter_is_refused_with_the_standards_code(run: Run) -> None:
    asked = run("query")
    assert asked.exit_code == 1 and "XDSStoredQueryMissingParam" in asked.stdout


def test_retrieve_brings_the_very_same_bytes(run: Run, tmp_path: Path) -> None:
    fetched = run("retrieve", "2.25.4242", "--out", tmp_path / "new", "--json")
    assert fetched.exit_code == 0, fetched.output
    saved = told(fetched)["documents"][0]
    assert Path(saved["path"]).read_bytes() == REPORT
    assert (saved["uniqueId"], saved["mimeType"], saved["size"]) == ("2.25.4242", "text/xml", len(REPORT))


def test_retrieve_keeps_what_came_and_says_what_did_not(run: Run, tmp_path: Path) -> None:
    fetched = run("retrieve", "2.25.4242", "2.25.404", "--out", tmp_path)
    assert fetched.exit_code == 1
    assert "XDSDocumentUniqueIdError at 2.25.404" in fetched.stdout
    assert [each.name for each in tmp_path.iterdir()] == ["2.25.4242.xml"]


def test_a_submission_of_an_unknown_patient_is_refused_with_the_remedy(run: Run, tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4")
    refused = run("submit", scan, "--patient-id", f"NOBODY^^^&{RECORD}&ISO")
    assert refused.exit_code == 1
    assert "XDSUnknownPatientId" in refused.stdout and "feed" in refused.stdout


def test_a_submission_with_all_that_can_be_said(run: Run, tmp_path: Path) -> None:
    scan, metadata = tmp_path / "scan.pdf", tmp_path / "metadata.toml"
    scan.write_bytes(b"%PDF-1.4 said")
    metadata.write_text(
        'title = "from the file"\nserviceStartTime = "20261122"\n'
        'author = [{ authorPerson = "^Ternoir^Adèle", authorInstitution = ["Cabinet^^^^^^^^^2.25.9"] }]\n'
        '[submissionSet]\ncomments = "second reading"\n'
    )
    options = ("--title", "said", "--type-code", "11488-4", "--class-code", "REPORTS", "--unique-id", "2.25.4343")
    said = run("submit", scan, "--patient-id", PATIENT, "--metadata", metadata, *options, "--json")
    assert said.exit_code == 0, said.output
    assert told(said)["documents"][0]["uniqueId"] == "2.25.4343"
    assert "typeCode" not in told(said)["documents"][0]["assumed"]
    asked = run("query", "--query", "GetDocuments", "--param", "XDSDocumentEntryUniqueId=2.25.4343", "--json")
    entry = told(asked)["objects"][0]
    assert (entry["title"], entry["serviceStartTime"]) == ("said", "20261122")
    assert entry["author"] == [{"authorPerson": "^Ternoir^Adèle", "authorInstitution": ["Cabinet^^^^^^^^^2.25.9"]}]


def test_a_document_replaces_another(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("preliminary")
    second.write_text("final")
    submitted = told(run("submit", first, "--patient-id", PATIENT, "--unique-id", "2.25.5001", "--json"))
    assert submitted["status"] == "Success"
    asked = run("query", "--query", "GetDocuments", "--param", "XDSDocumentEntryUniqueId=2.25.5001", "--json")
    entry = told(asked)["objects"][0]["entryUUID"]
    assert run("submit", second, "--patient-id", PATIENT, "--replaces", entry).exit_code == 0
    deprecated = run("query", "--patient-id", PATIENT, "--status", "Deprecated")
    assert "2.25.5001" in deprecated.stdout


def test_several_documents_and_a_large_one(run: Run, tmp_path: Path) -> None:
    large, small = tmp_path / "large.bin", tmp_path / "small.txt"
    large.write_bytes(bytes(range(256)) * 24 * 1024)
    small.write_text("small")
    said = run("submit", large, small, "--patient-id", PATIENT, "--mime-type", "application/pdf", "--json")
    assert said.exit_code == 0, said.output
    ids = [each["uniqueId"] for each in told(said)["documents"]]
    fetched = told(run("retrieve", *ids, "--out", tmp_path / "back", "--json"))
    received = [Path(each["path"]).read_bytes() for each in fetched["documents"]]
    assert received == [large.read_bytes(), small.read_bytes()]


def test_without_an_assertion_the_refusal_says_how_to_give_one(demo: RunningNode, tmp_path: Path) -> None:
    registry = demo.url("/xds/registry")
    refused = invoke("query", "--patient-id", PATIENT, "--registry", registry, "--data", tmp_path)
    assert refused.exit_code == 1
    assert "InvalidSecurity" in refused.stderr and "--sts URL" in refused.stderr


def test_an_assertion_comes_from_a_named_sts_or_from_a_file(demo: RunningNode, tmp_path: Path) -> None:
    from affinity.client.sts import Wanted, request_assertion
    from soap.xml import serialize
    from xua.people import DemoRole

    away = ("--patient-id", PATIENT, "--registry", demo.url("/xds/registry"), "--data", tmp_path)
    asked = invoke("query", *away, "--sts", demo.url("/sts"), "--role", "nurse", "--domain", "demo")
    assert asked.exit_code == 0, asked.output
    token = request_assertion(
        SOAPClient(url=demo.url("/sts")), Wanted(role=DemoRole.NURSE, audience=DEMO.home_community_id)
    )
    file = tmp_path / "assertion.xml"
    file.write_bytes(serialize(token))
    assert invoke("query", *away, "--assertion", file).exit_code == 0
    file.write_bytes(serialize(token).replace(b"nurse", b"treating-doctor"))
    forged = invoke("query", *away, "--assertion", file, "--json")
    assert forged.exit_code == 1 and "FailedCheck" in told(forged)["error"]


def test_a_client_without_certificate_is_told_which_side_objects(demo: RunningNode, tls: tuple[str, ...]) -> None:
    registry = f"https://127.0.0.1:{demo.ports['https']}/xds/registry"
    asked = ("query", "--patient-id", PATIENT, "--registry", registry)
    distrusting = invoke(*asked)
    assert distrusting.exit_code == 3
    assert "we refused the server's certificate" in distrusting.stderr and "--tls-ca" in distrusting.stderr
    nameless = invoke(*asked, *tls[:2])
    assert nameless.exit_code == 3 and "client certificate" in nameless.stderr


def test_a_path_that_does_not_exist_is_no_answer(demo: RunningNode) -> None:
    asked = invoke("query", "--patient-id", PATIENT, "--registry", demo.url("/nothing"), "--data", demo.data)
    assert asked.exit_code == 3 and "HTTP 404" in asked.stderr


def test_the_doctor_finds_a_healthy_node(run: Run) -> None:
    examined = run("doctor", "--json")
    assert examined.exit_code == 0, examined.output
    findings = told(examined)
    assert [each for each in findings if each["state"] != "ok"] == []
    checks = {each["check"] for each in findings}
    assert {"database", "document store", "clock", "WSDL /xds/registry", "ready", "development server"} <= checks


def test_the_doctor_from_outside_explains_tls(demo: RunningNode, tls: tuple[str, ...]) -> None:
    outside = ("doctor", "--url", f"https://127.0.0.1:{demo.ports['https']}", "--timeout", "5", "--json")
    assert invoke(*outside, "--mllp", f"127.0.0.1:{demo.ports['mllps']}", *tls).exit_code == 0
    nameless = invoke(*outside, *tls[:2])
    assert nameless.exit_code == 1 and "client certificate" in told(nameless)[0]["detail"]


def test_a_second_server_on_the_same_port_is_one_sentence_and_exit_code_2(demo: RunningNode, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "affinity", "up", "--no-demo", "--data", str(tmp_path / "other"), *ANY_PORT]
    done = subprocess.run(
        [*command, "--http-port", str(demo.ports["http"])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "the server cannot start" in done.stderr and "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_domain_made_by_init_serves(start: Start, tmp_path: Path) -> None:
    assert invoke("init", tmp_path / "mine").exit_code == 0
    node = start("--domain", str(tmp_path / "mine"))
    assert invoke("doctor", "--data", node.data).exit_code == 0


def test_pdq_suggests_who_is_similar_to_people_and_not_to_programs(run: Run) -> None:
    people = run("pdq", "--family", "Mullr", "--given", "Léa")
    assert people.exit_code == 0 and "Did you mean:" in people.stdout and "Müller" in people.stdout
    assert told(run("pdq", "--family", "Mullr", "--given", "Léa", "--json"))["patients"] == []
    likely = told(run("pdq", "--family", "Mullr", "--given", "Léa", "--approximate", "--json"))["patients"]
    assert {each["family"] for each in likely} >= {"Müller"} and all(
        60 <= each["match_degree"] < 100 for each in likely
    )
