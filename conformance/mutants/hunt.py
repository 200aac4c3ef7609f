"""The suites hunt mutants: one is caught if a test that covers what it breaks fails, where none failed before."""

import socket
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.harness import HARNESS, Harness
from conformance.mutants.mutant import Mutant
from conformance.mutants.node import PORT_FILE
from conformance.results import Outcome, Result
from conformance.running import EVERYTHING, play
from conformance.system import System
from conformance.verdicts import Verdicts, shown_by

Shown = tuple[tuple[pytest.Item, Set[str]], ...]
"""Tests, and the assertions that each may see broken."""
SEED = 1
"""The same every time: a hunt is repeatable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """What became of one mutant. ``by`` are the tests that failed, ``tried`` how many ran."""

    mutant: Mutant
    tried: int
    by: tuple[str, ...]

    @property
    def is_caught(self) -> bool:
        """Claim that a test saw it."""
        return bool(self.by)


class Unsound(RuntimeError):
    """A test fails, or cannot run, although nothing was switched on: the hunt would prove nothing."""


class Switches:
    """The connection to a mutable node."""

    def __init__(self, data: Path) -> None:
        """Connect to the node that serves from ``data``. OSError if it is not there."""
        port = int((data / PORT_FILE).read_text())
        self._stream = socket.create_connection(("127.0.0.1", port), timeout=30).makefile("rw")

    def put(self, name: str) -> None:
        """Switch on one mutant instead of the one before; an empty name: none."""
        self._stream.write(f"{name}\n")
        self._stream.flush()
        if self._stream.readline() != f"{name}\n":
            raise Unsound(f"the node did not switch to {name!r}")


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class Hunter:
    """The pytest plugin of a hunt: every test once, then for each mutant those that may see it, until one does.

    All of it is one session, so that the suites are read once.
    """

    verdicts: Verdicts
    switches: Switches
    mutants: tuple[Mutant, ...]
    watch: Callable[[Hunted], None]
    sound: tuple[Result, ...] = ()
    found: list[Hunted] = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Hunt, unless a test fails without any mutant. True: nobody else need run the tests."""
        self.sound = tuple(self._results(session.items))
        shown = tuple((item, shown_by(item).all) for item in session.items)
        for mutant in () if any(map(_is_unsound, self.sound)) else self.mutants:
            self.switches.put(mutant.name)
            self._begin_anew(session.config)
            self.found.append(_hunted(mutant, tuple(self._results_until_seen(shown, mutant))))
            self.watch(self.found[-1])
        self.switches.put("")
        return True

    def _results_until_seen(self, shown: Shown, mutant: Mutant) -> Iterator[Result]:
        for result in self._results(item for item, assertions in shown if mutant.breaks & assertions):
            yield result
            if _has_failed(result):
                return

    def _results(self, items: Iterable[pytest.Item]) -> Iterator[Result]:
        for item in items:
            self.verdicts.results.clear()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            yield from self.verdicts.results

    def _begin_anew(self, config: pytest.Config) -> None:
        """Patients and ids are those of every other hunt."""
        self.verdicts.harness = config.stash[HARNESS] = Harness(system=self.verdicts.harness.system, seed=SEED)


def hunt(system: System, data: Path, mutants: Iterable[Mutant], watch: Callable[[Hunted], None]) -> tuple[Hunted, ...]:
    """Hunt each mutant with the tests that cover what it breaks. Unsound if one fails without any."""
    verdicts = Verdicts(harness=Harness(system=system, seed=SEED), only=frozenset(), watch=lambda _result, _total: None)
    hunter = Hunter(verdicts=verdicts, switches=Switches(data), mutants=tuple(mutants), watch=watch)
    play(EVERYTHING.files, verdicts, hunter)
    demand_soundness(hunter.sound)
    return tuple(hunter.found)


def _hunted(mutant: Mutant, ran: tuple[Result, ...]) -> Hunted:
    return Hunted(mutant=mutant, tried=len(ran), by=tuple(each.name for each in ran if _has_failed(each)))


def _has_failed(result: Result) -> bool:
    return result.outcome is Outcome.FAILED


def _is_unsound(result: Result) -> bool:
    return result.outcome is not Outcome.PASSED


def demand_soundness(results: Iterable[Result]) -> None:
    """Raises Unsound if a test failed, or could not run."""
    failed = [each for each in results if _is_unsound(each)]
    if failed:
        raise Unsound("; ".join(f"{each.name}: {each.message}" for each in failed))
