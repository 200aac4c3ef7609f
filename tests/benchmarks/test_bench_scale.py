"""The page about a whole country says what its script computes, from figures that other pages say were measured."""

from pathlib import Path

import pytest

from benchmarks.scale.inputs import CHECKED, MEASURED, TOLD, Measured
from benchmarks.scale.model import Deployment
from benchmarks.scale.page import page

ROOT = Path(__file__).parents[2]
QUOTED = (*MEASURED, *CHECKED, *TOLD)


def test_the_page_is_what_the_script_prints() -> None:
    told = (ROOT / "docs/scale.md").read_text()
    assert told == page(), "docs/scale.md is old: python -m benchmarks.scale > docs/scale.md"


@pytest.mark.parametrize("figure", QUOTED, ids=lambda figure: figure.what[:50])
def test_a_measured_input_stands_in_the_page_that_it_is_quoted_from(figure: Measured) -> None:
    assert figure.words in (ROOT / figure.page).read_text(), f"{figure.page} says no more: {figure.words}"
    digits = f"{figure.value:.10g}".replace(".", "").lstrip("0")
    assert digits in "".join(each for each in figure.words if each.isdigit()), figure


def test_twice_the_documents_need_twice_the_registry_and_as_many_nodes() -> None:
    one, two = Deployment(documents=1e9), Deployment(documents=2e9)
    assert two.registry == pytest.approx(2 * one.registry)
    assert two.objects == pytest.approx(2 * one.objects)
    assert (two.nodes, two.index, two.peak) == (one.nodes, one.index, one.peak)
    assert one.cost < two.cost < 2 * one.cost
