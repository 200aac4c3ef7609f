"""Run suites against a system: pytest underneath, so that tests are plain functions; verdicts come out as values."""

import os
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from conformance.covering import Case, Covering, Suite, covering
from conformance.exchanges import Exchange
from conformance.findings import Finding
from conformance.harness import HARNESS, Harness
from conformance.kinds import NotRecognised
from conformance.results import Outcome, Result, Run
from conformance.scenarios.items import ScenarioFile, ScenarioItem, collect
from conformance.scenarios.script import ScenarioFault, files
from conformance.system import DeclarationFault, System
from conformance.validating import validate
from conformance.validators.context import Context

SUITES = Path(__file__).resolve().parent / "suites"
MODULES = (
    "document_registry",
    "document_registry_values",
    "document_registry_structure",
    "document_registry_registered",
    "document_registry_lifecycle",
    "document_registry_finding",
    "document_registry_packages",
    "document_registry_getting",
    "document_registry_questions",
    "document_registry_updates",
    "document_registry_update_refusals",
    "document_registry_levels",
    "document_registry_removal",
    "document_registry_on_demand",
    "document_registry_multi_patient",
    "document_registry_patients_v2",
    "document_registry_patients_v3",
    "document_repository",
    "document_repository_removal",
    "web_services",
    "pix_manager_v2",
    "pix_feed_refusals",
    "pix_manager_v3",
    "pix_manager_v3_feed_refusals",
    "pix_manager_v3_merge_refusals",
    "pix_manager_v3_query_refusals",
    "pd_supplier_v2",
    "pd_supplier_v3",
    "pd_supplier_v3_continuation",
    "pd_supplier_v3_refusals",
)
"""The suites, in the order in which they run."""
QUIET = (
    *("-c", os.devnull, "--rootdir", str(SUITES), "--import-mode=importlib", "--capture=no"),
    *(word for name in ("cacheprovider", "terminal", "logging", "faulthandler") for word in ("-p", f"no:{name}")),
    *("-o", "python_files=*.py"),
)
"""Nothing of the surroundings in which somebody runs this counts: no ini file, no plugin, no cache."""
REPEATED = "/queryByParameter/"
"""Where an answer of HL7 v3 has a copy of the question: what is wrong in it is the harness's own doing."""
PLACES = 4
"""Of the program, in the account of what went wrong with it."""
Watch = Callable[[Result], None]
ENDINGS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class HarnessFault(RuntimeError):
    """The suites could not be run; the text says why. It is no verdict about the system."""


def suites() -> tuple[Suite, ...]:
    """Every suite that there is; one may have several modules."""
    return tuple(dict.fromkeys(_suite(name) for name in MODULES))


def run(
    system: System,
    *,
    seed: int,
    names: Iterable[str] = (),
    only: Iterable[str] = (),
    modules: Iterable[str] = MODULES,
    scenarios: Iterable[Path] = (),
    watch: Watch = lambda _: None,
) -> Run:
    """Run the suites of these names (none: all) and these scenarios, of them what covers ``only`` (none: all).

    ``watch`` is told of each result as it comes. HarnessFault: the suites cannot be run.
    """
    harness = Harness(system=system, seed=seed)
    verdicts = Verdicts(harness=harness, only=frozenset(only), watch=watch)
    began, start = datetime.now(UTC), time.monotonic()
    wanted = set(names)
    chosen = [name for name in modules if not wanted or _suite(name).name in wanted]
    with _without_plugins():
        tests = (*(SUITES / f"{name}.py" for name in chosen), *files(scenarios))
        ended = pytest.main([*QUIET, *map(str, tests)], plugins=[verdicts])
    if ended not in ENDINGS:
        raise HarnessFault(verdicts.trouble or f"pytest ended with {ended!r}")
    return Run(
        system=system.name,
        version=version("affinity-ihe"),
        began=began,
        seconds=time.monotonic() - start,
        seed=seed,
        results=tuple(verdicts.results),
        exchanges=tuple(harness.transcript),
    )


@dataclass(slots=True)
class Verdicts:
    """The pytest plugin of a run: gives the harness to the tests, and turns reports into results."""

    harness: Harness
    only: frozenset[str]
    watch: Watch
    results: list[Result] = field(default_factory=list)
    trouble: str = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the tests what they need."""
        config.stash[HARNESS] = self.harness

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
        """Scenarios are files of YAML."""
        return collect(file_path, parent)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what was not chosen, and note what the system does not claim."""
        chosen = [each for each in items if not self.only or self.only & _covering(each).all]
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
        exchanges = [each for each in self.harness.transcript if each.step == _step(item)]
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
        self.watch(result)


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
    covered = _covering(item)
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


def _covering(item: pytest.Item) -> Covering:
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


def _suite(module: str) -> Suite:
    suite: Suite = import_module(f"conformance.suites.{module}").SUITE
    return suite


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Plugins that happen to be installed have no say."""
    name = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
