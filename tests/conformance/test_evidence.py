"""Evidence of a run: one zip with its verdicts, its messages byte for byte, and a page that needs nothing else."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from lxml import html
from typer.testing import CliRunner

from affinity.cli import app
from conformance.coverage import COVERED, PAGE, actors, binding, covered, page
from conformance.evidence.bundle import NotEvidence, read, write
from conformance.evidence.comparing import differences
from conformance.evidence.junit import as_junit
from conformance.evidence.page import as_page
from conformance.evidence.record import published_schema, recorded
from conformance.exchanges import Exchange, Payload, Wire
from conformance.results import Outcome, Result, Run
from soap.xml import parse

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCRIPT = b"<x>&lt;script&gt;alert(1)&lt;/script&gt;</x>"


def result(name: str, outcome: Outcome, *covers: str, exchanges: tuple[int, ...] = ()) -> Result:
    return Result(
        suite="document-registry(XDS.b)",
        module="document_registry",
        name=name,
        sentence=f"It shows <{name}>.",
        covers=covers,
        outcome=outcome,
        seconds=0.5,
        message="exchange 1: <other> than due" if outcome is Outcome.FAILED else "",
        exchanges=exchanges,
    )


def exchange(number: int, answer: Payload | None) -> Exchange:
    return Exchange(
        number=number,
        wire=Wire.HTTP,
        transaction="ITI-18",
        initiator="Document Consumer",
        responder="Document Registry",
        began=NOW,
        seconds=0.01,
        request=Payload(start_line="POST / HTTP/1.1", headers=(("Host", "localhost"),), content=b"\x00\xff" + SCRIPT),
        answer=answer,
        failure="" if answer else "the connection was closed",
    )


def run(*results: Result) -> Run:
    exchanges = (exchange(1, Payload(content=b"MSH|^~\\&|A\rMSA|AA|1\r")), exchange(2, None))
    return Run(system="A <system>", version="1", began=NOW, seconds=2, seed=7, results=results, exchanges=exchanges)


MIXED = run(
    result("test_good", Outcome.PASSED, "ITI-42-017", exchanges=(1,)),
    result("test_bad", Outcome.FAILED, "ITI-42-033", exchanges=(2,)),
    result("test_other", Outcome.NOT_CLAIMED, "ITI-57-004"),
)


def test_a_bundle_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(MIXED, tmp_path / "run.zip")
    assert read(tmp_path / "run.zip") == recorded(MIXED)


def test_messages_are_kept_byte_for_byte(tmp_path: Path) -> None:
    write(MIXED, tmp_path / "run.zip")
    with ZipFile(tmp_path / "run.zip") as bundle:
        for each in read(tmp_path / "run.zip").exchanges:
            sent = MIXED.exchanges[each.number - 1].request
            assert bundle.read(each.request_file) == sent.as_bytes()
        assert bundle.read("messages/0001-answer.hl7") == b"MSH|^~\\&|A\rMSA|AA|1\r"


def test_the_published_schema_names_every_key(tmp_path: Path) -> None:
    write(MIXED, tmp_path / "run.zip")
    with ZipFile(tmp_path / "run.zip") as bundle:
        schema, told = json.loads(bundle.read("run.schema.json")), json.loads(bundle.read("run.json"))
    assert schema == published_schema()
    assert set(told) == set(schema["required"])


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.zip").write_bytes(b"nothing")
    with pytest.raises(NotEvidence, match="no bundle"):
        read(tmp_path / "other.zip")
    with ZipFile(tmp_path / "other.zip", "w") as bundle:
        bundle.writestr("run.json", '{"format": 1}')
    with pytest.raises(NotEvidence, match="another form"):
        read(tmp_path / "other.zip")


def test_the_page_stands_alone_and_runs_nothing_that_was_received() -> None:
    shown = html.document_fromstring(as_page(MIXED))
    assert not shown.xpath("//@src | //link | //img")
    assert len(shown.xpath("//script")) == 1
    assert shown.xpath("//tr[@data-o='failed']//code/text()") == ["ITI-42-033"]
    assert shown.xpath("//details[@id='e1']//pre[contains(., 'MSA|AA|1')]")
    assert "the connection was closed" in shown.xpath("string(//details[@id='e2'])")


def test_every_link_of_the_page_leads_somewhere() -> None:
    shown = html.document_fromstring(as_page(MIXED))
    ids = set(shown.xpath("//@id"))
    assert {each.removeprefix("#") for each in shown.xpath("//a/@href")} <= ids


def test_junit_counts_what_failed_and_what_is_not_claimed() -> None:
    suite = parse(as_junit(MIXED)).find("testsuite")
    assert suite is not None
    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "3", "failures": "1", "errors": "0", "skipped": "1"}


def test_a_comparison_tells_what_got_worse() -> None:
    before = recorded(run(result("test_good", Outcome.PASSED, "ITI-42-017")))
    after = recorded(run(result("test_good", Outcome.FAILED, "ITI-42-017")))
    assert [(each.what, each.is_worse) for each in differences(before, after)] == [
        ("ITI-42-017", True),
        ("document_registry::test_good", True),
    ]
    assert not [each for each in differences(after, before) if each.is_worse]
    assert differences(before, before) == ()


def test_the_verb_tells_by_its_exit_code(tmp_path: Path) -> None:
    write(run(result("test_good", Outcome.PASSED, "ITI-42-017")), tmp_path / "a.zip")
    write(run(result("test_good", Outcome.FAILED, "ITI-42-017")), tmp_path / "b.zip")
    words = ["conform", "diff", str(tmp_path / "a.zip"), str(tmp_path / "b.zip")]
    worse = CliRunner().invoke(app, [*words, "--json"])
    assert worse.exit_code == 1, worse.output
    assert json.loads(worse.stdout)[0]["before"] == "passed"
    assert CliRunner().invoke(app, [*words[:2], words[3], words[2]]).exit_code == 0
    assert CliRunner().invoke(app, [*words[:2], words[2], words[2]]).exit_code == 0


def test_the_table_of_what_is_covered_is_true() -> None:
    assert PAGE.read_text() == page(), "python -m conformance.coverage renews docs/coverage.md"


def test_no_shall_lost_its_test() -> None:
    """A test that goes takes its line in the list with it, so that somebody reads that a SHALL is no longer shown."""
    known = set(COVERED.read_text().split())
    assert known <= covered(), "these lost their test"
    assert {each.id for actor in actors() for each in binding(actor) if each.id in covered()} <= known, (
        "python -m conformance.coverage adds what is new"
    )
