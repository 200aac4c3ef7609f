"""The plugin of a run: gives the tests what they need, and makes verdicts of pytest's reports."""

import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conformance.covering import Case, Covering, Suite, covering
from conformance.exchanges import Exchange
from conformance.findings import Finding
from conformance.harness import HARNESS, Harness
from conformance.kinds import NotRecognised
from conformance.results import Outcome, Result
from conformance.scenarios.items import ScenarioFile, ScenarioItem, collect
from conformance.scenarios.script import ScenarioFault
from conformance.system import DeclarationFault
from conformance.validating import validate
from conformance.validators.context import Context

REPEATED = "/queryByParameter/"
"""Where an answer of HL7 v3 has a copy of the question: what is wrong in it is the harness's own doing."""
PLACES = 4
"""Of the program, in the account of what went wrong with it."""
Watch = Callable[[Result, int], None]
"""Told of each result as it comes, and of how many there will be."""


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class Verdicts:
    """The pytest plugin of a run: gives the harness to the tests, and turns reports into results."""

    harness: Harness
    only: frozenset[str]
    watch: Watch
    results: list[Result] = field(default_factory=list)
    trouble: str = ""
    total: int = 0
    """Tests that were chosen, those that are not claimed included."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the tests what they need; verdicts quote no source, to find which takes longer than many a test."""
        config.stash[HARNESS] = self.harness
        config.option.tbstyle = "native"

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
        """Scenarios are files of YAML."""
        return collect(file_path, parent)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what was not chosen, and note what the system does not claim."""
        chosen = [each for each in items if not self.only or self.only & shown_by(each).all]
        self.total = len(chosen)
        items[:] = [each for each in chosen if self._is_claimed(each)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be read is a defect of the harness."""
        if report.failed:
            self.trouble = f"{report.nodeid}: {report.longreprtext}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What is exchanged meanwhile belongs to this test."""
        self.harness.transcript.step = _step(item)
        try:
            return (yield)
        finally:
            self.harness.transcript.step = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The verdict is there after the test ran, or when it could not begin."""
        report = yield
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._note(self._result(item, report, call))
        return report

    def _is_claimed(self, item: pytest.Item) -> bool:
        suite, system = _suite_of(item), self.harness.system
        claimed = system.claims(suite.actor, suite.option) and all(map(system.claims, suite.needs))
        if not claimed:
            self._note(_result(item, Outcome.NOT_CLAIMED, 0.0))
        return claimed

    def _result(self, item: pytest.Item, report: pytest.TestReport, call: pytest.CallInfo[None]) -> Result:
        exchanges = self.harness.transcript.during(_step(item))
        broken = tuple(wrong for each in exchanges for wrong in _wrong(each))
        outcome, message = _outcome(report, call)
        if outcome is Outcome.PASSED and broken:
            outcome, message = Outcome.FAILED, "\n".join(told for _, told in broken)
        assertions = dict.fromkeys(id for finding, _ in broken for id in finding.assertions)
        return _result(
            item,
            outcome,
            report.duration,
            message=message,
            exchanges=tuple(each.number for each in exchanges),
            broken=tuple(assertions),
        )

    def _note(self, result: Result) -> None:
        self.results.append(result)
        self.watch(result, self.total)


def _outcome(report: pytest.TestReport, call: pytest.CallInfo[None]) -> tuple[Outcome, str]:
    if report.passed:
        return Outcome.PASSED, ""
    if report.skipped:
        return Outcome.SKIPPED, str(call.excinfo.value) if call.excinfo else ""
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, AssertionError):
        return Outcome.FAILED, str(error)
    return Outcome.BROKEN, _told(error)


def _told(error: BaseException | None) -> str:
    """What went wrong with the harness itself: a sentence where it is one, else the last places, too."""
    if error is None or isinstance(error, ScenarioFault | DeclarationFault):
        return str(error)
    places = "".join(traceback.format_tb(error.__traceback__)[-PLACES:])
    return f"{type(error).__name__}: {error}\n{places}"


def _result(item: pytest.Item, outcome: Outcome, seconds: float, **more: Any) -> Result:
    covered = shown_by(item)
    return Result(
        suite=_suite_of(item).name,
        module=item.path.stem,
        name=item.name,
        sentence=_sentence(item),
        covers=covered.assertions,
        breaking=covered.breaking,
        outcome=outcome,
        seconds=seconds,
        **more,
    )


def _wrong(exchange: Exchange) -> Iterator[tuple[Finding, str]]:
    """What the validators say against an answer of the system."""
    if exchange.answer is None:
        return
    try:
        report = validate(exchange.answer.as_bytes(), Context())
    except NotRecognised:
        return  # the test itself says what it makes of it
    for each in report.findings:
        if each.is_error and REPEATED not in each.location:
            yield each, f"exchange {exchange.number}: the answer breaks a SHALL at {each.location}: {each.text}"


def _suite_of(item: pytest.Item) -> Suite:
    if isinstance(item, ScenarioItem):
        return item.suite
    suite: Suite = item.getparent(pytest.Module).obj.SUITE  # type: ignore[union-attr]
    return suite


def shown_by(item: pytest.Item) -> Covering:
    """Which assertions a test shows, and which its messages break."""
    if isinstance(item, ScenarioItem):
        return item.covering
    assert isinstance(item, pytest.Function)
    case = _case(item)
    return covering(item.obj) + (case.covering if case else Covering())


def _sentence(item: pytest.Item) -> str:
    if isinstance(item, ScenarioItem):
        return item.sentence
    assert isinstance(item, pytest.Function)
    case = _case(item)
    told: str = case.sentence if case else item.obj.__doc__ or item.name.removeprefix("test_").replace("_", " ")
    return told.strip().splitlines()[0]


def _case(item: pytest.Function) -> Case | None:
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return case if isinstance(case, Case) else None


def _step(item: pytest.Item) -> str:
    return item.nodeid
