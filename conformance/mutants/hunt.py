"""The suites hunt mutants: one is caught if a test that covers what it breaks fails, where none failed before."""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from conformance.mutants.mutant import Mutant
from conformance.mutants.node import PORT_FILE
from conformance.results import Outcome, Result, Run
from conformance.running import Choice, run
from conformance.system import System

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


def hunt(system: System, data: Path, mutants: Iterable[Mutant], watch: Callable[[Hunted], None]) -> tuple[Hunted, ...]:
    """Hunt each mutant with the tests that cover what it breaks. Unsound if one fails without any."""
    switches = Switches(data)
    sound = run(system, seed=SEED, tidies=False)
    demand_soundness(sound)
    found = []
    for mutant in mutants:
        switches.put(mutant.name)
        found.append(_hunted(mutant, _tried(system, mutant, sound)))
        watch(found[-1])
    switches.put("")
    return tuple(found)


def _tried(system: System, mutant: Mutant, sound: Run) -> tuple[Result, ...]:
    """The tests that cover what the mutant breaks, run again; only their modules are read."""
    covering = [each for each in sound.results if mutant.breaks & {*each.covers, *each.breaking}]
    modules = dict.fromkeys(each.module for each in covering if each.outcome is not Outcome.NOT_CLAIMED)
    if not modules:
        return ()
    choice = Choice(only=mutant.breaks, modules=tuple(modules), first_failure=True)
    return run(system, seed=SEED, choice=choice, tidies=False).results


def _hunted(mutant: Mutant, tried: tuple[Result, ...]) -> Hunted:
    ran = [each for each in tried if each.outcome is not Outcome.NOT_CLAIMED]
    return Hunted(mutant=mutant, tried=len(ran), by=tuple(each.name for each in ran if _has_failed(each)))


def _has_failed(result: Result) -> bool:
    return result.outcome is Outcome.FAILED


def demand_soundness(ran: Run) -> None:
    """Raises Unsound if a test failed, or could not run."""
    failed = [each for each in ran.results if each.outcome not in (Outcome.PASSED, Outcome.NOT_CLAIMED)]
    if failed:
        raise Unsound("; ".join(f"{each.name}: {each.message}" for each in failed))
