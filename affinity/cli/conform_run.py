"""``affinity conform run``: ask a system everything that it claims to do, and say what it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.results import Result, Run
    from conformance.system import System

EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform run sut.toml
      every suite of the actors and options that the file claims

  affinity conform run sut.toml --suite 'document-registry(XDS.b)'
      one suite

  affinity conform run sut.toml --scenario ours/
      scenarios of our own, written in YAML (docs/scenarios.md)

  affinity conform run sut.toml --assertion ITI-42-033
      the tests that cover an assertion

  affinity conform run sut.toml --evidence run.zip
      and keep the proof: report.html, junit.xml, run.json with its schema, every message

  affinity conform run sut.toml --json | jq '.results\[] | select(.outcome == "failed")'
      what failed, for a program

Exit code 1: something failed, or nothing was tested. What the system does not claim is "not claimed", never passed."""

Declaration = Annotated[
    Path, typer.Argument(metavar="SUT.TOML", help="The system under test.", exists=True, dir_okay=False)
]
Evidence = Annotated[
    Path | None, typer.Option("--evidence", help="Write the proof here: one zip with report, verdicts, every message.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which tests run."""

    suite: Annotated[list[str] | None, typer.Option(help="A suite by its name; repeatable; default: all.")] = None
    scenario: Annotated[
        list[Path] | None,
        typer.Option(help="A scenario in YAML, or a folder of them, instead of the suites.", exists=True),
    ] = None
    assertion: Annotated[list[str] | None, typer.Option(help="Only tests that cover this assertion; repeatable.")] = (
        None
    )
    seed: Annotated[
        int | None, typer.Option(help="Invent the same again; default: a new number, which is printed.")
    ] = None


@verb
def run(declaration: Declaration, selection: Selection, output: Output, evidence: Evidence = None) -> ExitCode:
    """Run the suites against a system. It gets new patients and documents, invented ones."""
    from affinity.cli.show import tallied
    from conformance.evidence.bundle import write
    from conformance.running import HarnessFault
    from conformance.scenarios.script import ScenarioFault
    from conformance.system import DeclarationFault, declared

    _check_names(selection.suite or ())
    try:
        with tallied("testing") as tally:
            ran = _run(declared(declaration), selection, _Watch(output, tally))
    except (DeclarationFault, ScenarioFault, HarnessFault) as error:
        raise wrong_use(str(error)) from error
    if evidence is not None:
        write(ran, evidence)
    _tell(ran, output)
    return ExitCode.DONE if ran.passed else ExitCode.REFUSED


def _run(system: "System", selection: Selection, watch: "_Watch") -> "Run":
    from conformance.running import MODULES, Choice
    from conformance.running import run as run_suites

    choice = Choice(
        names=frozenset(selection.suite or ()),
        only=frozenset(selection.assertion or ()),
        modules=() if selection.scenario and not selection.suite else MODULES,
        scenarios=tuple(selection.scenario or ()),
    )
    seed = selection.seed if selection.seed is not None else SystemRandom().randrange(10**9)
    return run_suites(system, seed=seed, choice=choice, watch=watch)


def _check_names(names: Sequence[str]) -> None:
    from conformance.running import suites

    known = [each.name for each in suites()]
    for name in names:
        if name not in known:
            raise wrong_use(f"--suite {name}: there are {', '.join(known)}")


class _Watch:
    """Says how each test ended, as it ends."""

    def __init__(self, output: Output, tally: Callable[[int, int], None]) -> None:
        self._quiet = output.as_json
        self._tally = tally
        self._done = 0
        self._suite = ""

    def __call__(self, result: "Result", total: int) -> None:
        """Print one line, and why it did not pass."""
        from affinity.cli.show import print_line
        from conformance.results import Outcome

        self._done += 1
        self._tally(self._done, total)
        if self._quiet or result.outcome is Outcome.NOT_CLAIMED:
            return
        if result.suite != self._suite:
            self._suite = result.suite
            print_line(result.suite, "bold")
        passed = result.outcome is Outcome.PASSED
        print_line(f"  {result.outcome.value:7} {result.sentence}", "green" if passed else "red")
        for line in result.message.splitlines():
            print_line(f"            {line}", "dim")


def _tell(ran: "Run", output: Output) -> None:
    from affinity.cli.show import print_json, print_line

    if output.as_json:
        from conformance.evidence.record import recorded

        print_json(recorded(ran).model_dump(mode="json"))
        return
    counted = ", ".join(f"{count} {outcome}" for outcome, count in ran.counts.most_common()) or "nothing was tested"
    print_line(f"{ran.system}: {counted}; seed {ran.seed}, {ran.seconds:.1f} s", "green" if ran.passed else "red")
