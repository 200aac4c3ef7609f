"""Run suites against a system: pytest underneath, so that tests are plain functions; verdicts come out as values."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from conformance.covering import Suite
from conformance.harness import Harness
from conformance.results import Run
from conformance.scenarios.script import files
from conformance.system import System
from conformance.tidying import tidy
from conformance.verdicts import Verdicts, Watch

SUITES = Path(__file__).resolve().parent / "suites"
MODULES = (
    "document_registry",
    "document_registry_values",
    "document_registry_structure",
    "document_registry_registered",
    "document_registry_lifecycle",
    "document_registry_finding",
    "document_registry_reference_ids",
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
    "document_registry_xua",
    "secure_node",
    "pix_manager_v2",
    "pix_feed_refusals",
    "patient_identity_management",
    "patient_merge",
    "patient_link",
    "patient_encounters",
    "patient_encounter_refusals",
    "patient_movements",
    "patient_encounters_inpatient",
    "patient_encounters_pending",
    "patient_encounters_advanced",
    "patient_encounters_temporary",
    "patient_encounters_demographics",
    "pd_supplier_visits",
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
UNUSED = ("cacheprovider", "terminal", "logging", "faulthandler", "tmpdir")
"""Plugins of pytest itself; tmpdir would change the rights of folders that others use."""
QUIET = (
    *("-c", os.devnull, "--rootdir", str(SUITES), "--import-mode=importlib", "--capture=no"),
    *(
        word
        for name in ("cacheprovider", "terminal", "logging", "faulthandler", "tmpdir")
        for word in ("-p", f"no:{name}")
    ),
    *("-o", "python_files=*.py"),
)
"""Nothing of the surroundings in which somebody runs this counts: no ini file, no plugin, no cache."""
ENDINGS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class HarnessFault(RuntimeError):
    """The suites could not be run; the text says why. It is no verdict about the system."""


def suites() -> tuple[Suite, ...]:
    """Every suite that there is; one may have several modules."""
    return tuple({each.name: each for each in map(_suite, MODULES)}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of the suites runs: those of these names (none: all), of them what covers ``only`` (none: all)."""

    names: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    modules: tuple[str, ...] = MODULES
    scenarios: tuple[Path, ...] = ()
    """Files and folders of scenarios, which run beside the suites."""

    @property
    def chosen(self) -> tuple[str, ...]:
        """The modules in which there are tests that run."""
        return tuple(name for name in self.modules if not self.names or _suite(name).name in self.names)

    @property
    def files(self) -> tuple[Path, ...]:
        """Where those are."""
        return tuple(SUITES / f"{name}.py" for name in self.chosen)


EVERYTHING = Choice()


def run(
    system: System,
    *,
    seed: int,
    choice: Choice = EVERYTHING,
    watch: Watch = lambda _result, _total: None,
    tidies: bool = True,
) -> Run:
    """Run what is chosen. ``tidies`` takes away again what was made; ``watch`` is told of each result as it comes.

    HarnessFault: the suites cannot be run. ScenarioFault: a scenario cannot be read.
    """
    harness = Harness(system=system, seed=seed)
    verdicts = Verdicts(harness=harness, only=choice.only, watch=watch)
    began, start = datetime.now(UTC), time.monotonic()
    play((*choice.files, *files(choice.scenarios)), verdicts)
    if tidies:
        tidy(harness)
    return Run(
        system=system.name,
        version=version("affinity-ihe"),
        began=began,
        seconds=time.monotonic() - start,
        seed=seed,
        results=tuple(verdicts.results),
        exchanges=tuple(harness.transcript),
    )


def play(tests: Iterable[Path], verdicts: Verdicts, *plugins: object) -> None:
    """Give files of tests to pytest; ``verdicts`` has what came of it. HarnessFault: they cannot be run."""
    with _without_plugins():
        ended = pytest.main([*QUIET, *map(str, tests)], plugins=[verdicts, *plugins])
    if ended not in ENDINGS:
        raise HarnessFault(verdicts.trouble or f"pytest ended with {ended!r}")


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
