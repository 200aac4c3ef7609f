"""``affinity conform run``: our own node passes every suite; what is not claimed is not passed; a breach is named.

On SQLite and plain ports it passes them where the hunt of mutants begins (``test_mutants``).
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import catalogue
from conformance.counterparts.patients import Answered
from conformance.expectations import everything
from conformance.harness import Harness
from conformance.results import Outcome, Result, Run, verdicts
from conformance.running import Choice, run, suites
from conformance.system import DeclarationFault, System, declared
from ihe.datatypes import CX
from tests.end_to_end.conftest import RunningNode, start_node

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    running = start_node(tmp_path_factory.mktemp("sut"), "--domain", "connectathon")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def sut(node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("declaration") / "sut.toml"
    done = affinity("conform", "init", str(file), "--data", str(node.data))
    assert done.returncode == 0, done.stderr
    return file


def affinity(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "affinity", *words], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.timeout(600)
def test_our_own_node_passes_every_suite_on_postgresql_over_tls_with_assertions(
    empty_postgresql: str, tmp_path: Path
) -> None:
    options = ("--domain", "connectathon", "--xua", "required", "--database-url", empty_postgresql)
    node = start_node(tmp_path / "node", *options)
    try:
        secured = tmp_path / "secured.toml"
        assert affinity("conform", "init", str(secured), "--tls", "--data", str(node.data)).returncode == 0
        passes(secured)
    finally:
        node.terminate()


def passes(declaration: Path) -> None:
    done = affinity("conform", "run", str(declaration), "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    failed = [each for each in told["results"] if each["outcome"] not in ("passed", "not claimed")]
    assert not failed, json.dumps(failed, indent=1)
    assert done.returncode == 0


def test_what_is_not_claimed_is_never_passed(sut: Path, tmp_path: Path) -> None:
    text = sut.read_text().replace('"Document Registry"', '"Document Source"')
    (tmp_path / "other.toml").write_text(text)
    ran = run(declared(tmp_path / "other.toml"), seed=1, choice=Choice(names=frozenset({"document-registry(XDS.b)"})))
    assert {each.outcome for each in ran.results} == {Outcome.NOT_CLAIMED}
    assert not ran.passed


def test_a_system_that_is_not_there_fails_and_the_reason_is_told(sut: Path) -> None:
    system = declared(sut)
    with socket.socket() as silent:  # bound, but nobody listens
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        nowhere = {actor: each.model_copy(update={"url": url}) for actor, each in system.actors.items()}
        ran = run(system.model_copy(update={"actors": nowhere}), seed=1, choice=Choice(only=frozenset({"ITI-42-033"})))
    assert [each.outcome for each in ran.results] == [Outcome.FAILED]
    assert "no answer" in ran.results[0].message


def test_every_assertion_that_a_test_covers_is_in_the_catalogue(sut: Path) -> None:
    ran = run(declared(sut).model_copy(update={"actors": {}}), seed=1)
    known = {each.id for each in catalogue()}
    assert {each.outcome for each in ran.results} == {Outcome.NOT_CLAIMED}
    assert {id for each in ran.results for id in each.covers} <= known
    assert all(each.covers for each in ran.results)


def test_no_two_suites_have_one_name() -> None:
    names = [each.name for each in suites()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("name = ", "not TOML"),
        ('name = "x"\n[actors."Document Thief"]\n[patients]\ndomain = "1.2.3"', "Document Thief"),
        ('name = "x"\n[actors."Document Registry"]\n[patients]\ndomain = "1.2.3"\n[codes]\nclass = ["a"]', "classCode"),
    ],
)
def test_a_declaration_that_cannot_be_used_says_where(wrong: str, named: str, tmp_path: Path) -> None:
    file = tmp_path / "sut.toml"
    file.write_text(wrong)
    with pytest.raises(DeclarationFault, match=named):
        declared(file)


def test_one_failure_speaks_for_an_assertion() -> None:
    def result(outcome: Outcome, *, broken: tuple[str, ...] = ()) -> Result:
        return Result(
            suite="s",
            module="m",
            name="n",
            sentence="",
            covers=("ITI-1-001",),
            outcome=outcome,
            seconds=0,
            broken=broken,
        )

    assert verdicts([result(Outcome.FAILED), result(Outcome.PASSED)]) == {"ITI-1-001": Outcome.FAILED}
    assert verdicts([result(Outcome.PASSED), result(Outcome.SKIPPED)]) == {"ITI-1-001": Outcome.PASSED}
    assert verdicts([result(Outcome.PASSED, broken=("ITI-1-002",))])["ITI-1-002"] is Outcome.FAILED


def test_what_a_run_made_is_taken_away_again(sut: Path) -> None:
    """Where the system claims Remove Metadata and Remove Documents, nothing but patients is left."""
    system = declared(sut)
    whole = frozenset({"document-repository(XDS.b)"})
    left = run(system, seed=1, choice=Choice(names=whole), tidies=False)
    tidied = run(system, seed=1, choice=Choice(names=whole))
    assert [documents_left(system, each) for each in (left, tidied)] == [True, False]


def documents_left(system: System, ran: Run) -> bool:
    harness = Harness(system=system, seed=1)
    fed = [Answered(each).question["PID"] for each in ran.exchanges if each.transaction == "ITI-8"]
    patients = [CX(pid.text(3), system.patients.domain) for pid in fed]
    return any(everything(harness.documents, each) for each in patients)
