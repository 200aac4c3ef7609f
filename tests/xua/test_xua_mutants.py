"""Thousands of mutants of two genuine messages: what is accepted says exactly what was signed (``mutants``)."""

import pytest

from tests.xua.mutants import Mutate, judge, mutate_bytes, mutate_tree
from tests.xua.stage import Stage


@pytest.mark.parametrize(("mutate", "count"), [(mutate_bytes, 3000), (mutate_tree, 5000)])
def test_no_mutant_is_believed_to_say_what_was_not_signed(stage: Stage, mutate: Mutate, count: int) -> None:
    outcome = judge(stage, mutate, count)
    assert not outcome.wrong
    assert len(outcome.accepted) > count / 100 and outcome.refused.total() > count / 2
