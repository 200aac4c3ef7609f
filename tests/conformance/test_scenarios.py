"""Scenarios in YAML: the shipped ones hold, a wrong one is told by its step, one that does not hold fails at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.results import Outcome, Run
from conformance.running import Choice, run
from conformance.scenarios.items import SHIPPED
from conformance.scenarios.script import ScenarioFault, files, read
from conformance.system import System, declared
from tests.conformance.test_conform_run import affinity
from tests.end_to_end.conftest import start_node

HEAD = "name: A scenario\nactor: Document Registry\nsteps:\n"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    node = start_node(tmp_path_factory.mktemp("scenarios"), "--domain", "connectathon")
    file = node.data / "sut.toml"
    assert affinity("conform", "init", str(file), "--data", str(node.data)).returncode == 0
    yield declared(file)
    node.kill()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "scenario.yaml"


def played(system: System, *scenarios: Path) -> Run:
    return run(system, seed=1, choice=Choice(modules=(), scenarios=scenarios))


def test_the_shipped_scenarios_hold(system: System) -> None:
    ran = played(system, SHIPPED)
    assert len(ran.results) == 3
    assert {each.outcome for each in ran.results} == {Outcome.PASSED}, [each.message for each in ran.results]


def test_one_that_does_not_hold_fails_at_its_step(system: System, written: Path) -> None:
    steps = "  - announce: a\n  - register: x\n    for: a\n  - find: a\n    expect: []\n"
    written.write_text(HEAD + steps)
    (result,) = played(system, written).results
    assert result.outcome is Outcome.FAILED
    assert result.message.startswith("step 3: ")
    assert "['x'] where [] is due" in result.message


def test_a_refusal_that_does_not_come_fails(system: System, written: Path) -> None:
    written.write_text(HEAD + "  - announce: a\n  - register: x\n    for: a\n    refused: XDSRegistryMetadataError\n")
    (result,) = played(system, written).results
    assert result.outcome is Outcome.FAILED, result.message


def test_a_name_that_nobody_has_is_no_verdict_about_the_system(system: System, written: Path) -> None:
    written.write_text(HEAD + "  - announce: a\n  - retrieve: x\n")
    (result,) = played(system, written).results
    assert (result.outcome, result.message) == (Outcome.BROKEN, "no document is called 'x' yet; there are none")


def test_what_is_not_claimed_is_not_played(system: System, written: Path) -> None:
    written.write_text(HEAD.replace("Document Registry", "Document Source") + "  - announce: a\n")
    ran = played(system, written)
    assert [each.outcome for each in ran.results] == [Outcome.NOT_CLAIMED]
    assert not ran.exchanges


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "is not YAML"),
        (HEAD + "  - regster: x\n", r"steps\.1: a step has one of the verbs announce, merge"),
        (HEAD + "  - announce: a\n  - register: x\n    fr: a\n", r"steps\.2\.fr: Extra inputs"),
        (HEAD + "  - register: x\n    for: a\n    refused: Nonsense\n", r"steps\.1\.refused"),
        ("name: A scenario\nactor: Somebody\nsteps:\n  - announce: a\n", "actor"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_a_wrong_file_is_told_by_its_step(text: str, told: str, written: Path) -> None:
    written.write_text(text)
    with pytest.raises(ScenarioFault, match=told):
        read(written)


def test_a_folder_without_scenarios_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFault, match="has no file"):
        files([tmp_path])
