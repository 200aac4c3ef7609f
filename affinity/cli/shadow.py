"""``affinity pix shadow``: what the configuration on trial would have decided in another way."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import Output, verb

if TYPE_CHECKING:
    from affinity.shadows import Report

EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix shadow
      how often would domains/my-domain/matching.shadow.toml decide in another way than matching.toml, and where?

  affinity pix shadow --clear
      the same, and begin to count anew

The server may run, also on SQLite. What it is given is compared from its next start with the file in place."""
Examples = Annotated[int, typer.Option("--examples", help="Most pairs of each kind to show.", min=0, max=1000)]
Clear = Annotated[bool, typer.Option("--clear", help="Forget them after they were shown.")]


@verb
def shadow(place: Place, output: Output, examples: Examples = 5, clear: Clear = False) -> None:
    """Show where the weights on trial would have decided otherwise, in the feeds since they were put there."""
    from affinity import shadows
    from affinity.cli.show import print_json

    report = shadows.report(place.settings(), examples, shadows.After.CLEAR if clear else shadows.After.KEEP)
    if output.as_json:
        print_json(_plain(report))
    else:
        _show(report)


def _show(report: "Report") -> None:
    from affinity.cli.rematch import because
    from affinity.cli.show import print_line, print_table

    if not report.counts:
        print_line("No pair of records would be decided in another way.")
        return
    print_table(("outcome", "would be", "pairs"), ((*kind, str(number)) for kind, number in report.counts.items()))
    rows = (
        (one, other, each.outcome, each.tried, f"{found['weight']:.1f}", f"{tried['weight']:.1f}", because(tried))
        for one, other, each in report.examples
        for found, tried in [(each.detail["active"], each.detail["shadow"])]
    )
    print_table(("record", "record", "outcome", "would be", "bits", "would be", "because"), rows)


def _plain(report: "Report") -> dict[str, Any]:
    return {
        "differences": [
            {"outcome": one, "tried": two, "pairs": number} for (one, two), number in report.counts.items()
        ],
        "examples": [
            {"one": one, "other": other, "at": each.at, "outcome": each.outcome, "tried": each.tried, **each.detail}
            for one, other, each in report.examples
        ],
        "cleared": report.cleared,
    }
