"""The suites see what is wrong with a server: every mutant is caught by a test that covers what it breaks."""

from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from conformance.mutants.__main__ import mutable_node
from conformance.mutants.everyone import mutants
from conformance.mutants.hunt import Hunted, Unsound, demand_soundness, hunt
from conformance.mutants.mutant import Mutant, changed, original, replaced
from conformance.mutants.page import PAGE, page, still_free
from conformance.results import Outcome, Result


@pytest.mark.timeout(600)
def test_every_mutant_is_caught(tmp_path: Path) -> None:
    known = still_free()
    with mutable_node(tmp_path) as (system, data):
        found = hunt(system, data, [each for each in mutants() if each.name not in known], lambda _: None)
    assert len(found) >= 285
    assert not [each.mutant.name for each in found if not each.is_caught]


def test_a_hunt_on_an_unsound_system_proves_nothing() -> None:
    failed = Result(
        suite="s",
        module="m",
        name="n",
        sentence="",
        covers=(),
        outcome=Outcome.FAILED,
        seconds=0,
        message="it is wrong",
    )
    with pytest.raises(Unsound, match="n: it is wrong"):
        demand_soundness([failed])


def test_names_are_distinct_and_what_is_broken_is_in_the_catalogue() -> None:
    names = [each.name for each in mutants()]
    assert len(set(names)) == len(names)
    assert {id for each in mutants() for id in each.breaks} <= {each.id for each in catalogue()}
    assert still_free().keys() <= set(names)


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_a_switch_can_be_put_twice(mutant: Mutant) -> None:
    with mutant.switched():
        pass
    with mutant.switched():
        pass


def test_what_is_replaced_comes_back_after_an_error() -> None:
    before = original("soap.respond:reply_head")
    with pytest.raises(ZeroDivisionError), replaced("soap.respond:reply_head", None):
        assert original("soap.respond:reply_head") is None
        raise ZeroDivisionError
    assert original("soap.respond:reply_head") is before


def test_a_frozen_value_is_changed_and_changed_back() -> None:
    hunted = Hunted(mutant=mutants()[0], tried=1, by=())
    with changed(hunted, by=("a test",)):
        assert hunted.is_caught
    assert not hunted.is_caught


def test_the_score_in_the_docs_is_true() -> None:
    assert PAGE.read_text() == page(), "python -m conformance.mutants.page renews docs/mutants.md"
