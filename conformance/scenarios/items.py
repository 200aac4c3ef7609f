"""Scenarios among the tests of a run: each file is one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.covering import Covering, Suite
from conformance.harness import HARNESS
from conformance.scenarios.playing import Player
from conformance.scenarios.script import SUFFIXES, Scenario, read

SHIPPED = Path(__file__).resolve().parent / "shipped"


class ScenarioFile(pytest.File):
    """A file that holds one scenario."""

    def collect(self) -> Iterator["ScenarioItem"]:
        """The scenario. ScenarioFault says where it is wrong."""
        yield ScenarioItem.from_parent(self, name=self.path.name, scenario=read(self.path))


class ScenarioItem(pytest.Item):
    """One scenario, as a test."""

    def __init__(self, *, scenario: Scenario, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.scenario = scenario

    @property
    def suite(self) -> Suite:
        """Where reports put it."""
        return self.scenario.suite

    @property
    def covering(self) -> Covering:
        """The assertions that it shows."""
        return self.scenario.covering

    @property
    def sentence(self) -> str:
        """What it shows, for people."""
        return self.scenario.name

    def runtest(self) -> None:
        """Play it."""
        Player(self.config.stash[HARNESS]).play(self.scenario)


def collect(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """A scenario for a file that may be one (``pytest_collect_file``)."""
    if file_path.suffix not in SUFFIXES:
        return None
    made: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return made
