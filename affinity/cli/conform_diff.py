"""``affinity conform diff``: what differs between two runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.evidence.comparing import Difference
    from conformance.evidence.record import RunFile

EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform diff before.zip after.zip
      assertions and tests whose outcome is another one

Exit code 1: something passed before and does not any more."""

Before = Annotated[Path, typer.Argument(metavar="BEFORE.ZIP", help="Evidence of a run.", exists=True, dir_okay=False)]
After = Annotated[Path, typer.Argument(metavar="AFTER.ZIP", help="Evidence of another.", exists=True, dir_okay=False)]


@verb
def diff(before: Before, after: After, output: Output) -> ExitCode:
    """Compare two runs: what got better, what got worse, what is new."""
    from conformance.evidence.comparing import differences

    found = differences(_read(before), _read(after))
    _tell(found, output)
    return ExitCode.REFUSED if any(each.is_worse for each in found) else ExitCode.DONE


def _read(file: Path) -> "RunFile":
    from conformance.evidence.bundle import NotEvidence, read

    try:
        return read(file)
    except NotEvidence as error:
        raise wrong_use(str(error)) from error


def _tell(found: "tuple[Difference, ...]", output: Output) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json([_plain(each) for each in found])
        return
    if not found:
        print_line("no difference", "green")
        return
    print_table(("", "before", "after", ""), [(each.what, *_outcomes(each), each.sentence) for each in found])


def _outcomes(each: "Difference") -> tuple[str, str]:
    return (each.before or "absent", each.after or "absent")


def _plain(each: "Difference") -> dict[str, Any]:
    return {
        "what": each.what,
        "sentence": each.sentence,
        "before": each.before,
        "after": each.after,
        "worse": each.is_worse,
    }
