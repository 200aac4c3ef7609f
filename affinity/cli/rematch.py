"""``affinity pix rematch``: every record compared anew, or what that would change."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import Output, verb, wrong_use

if TYPE_CHECKING:
    from affinity.database import Database
    from affinity.rematches import Summary
    from affinity.settings import Settings
    from pix.manager import PatientIndex

EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix rematch --dry-run --configuration proposed.toml
      what would these weights change? nothing is written

  affinity pix rematch --data /var/lib/affinity --domain my-domain/
      compare all records with the configuration in force: after an upgrade, with a new matching.toml, and after
      matching was switched on or off; stopped, it goes on where it was

On SQLite the server must not run; on PostgreSQL it may."""
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]
ConfigurationFile = Annotated[
    Path | None,
    typer.Option(
        "--configuration",
        metavar="FILE",
        help="With --dry-run: weights to try, instead of those in force.",
        exists=True,
        dir_okay=False,
    ),
]


@verb
def rematch(place: Place, output: Output, dry_run: DryRun = False, configuration: ConfigurationFile = None) -> None:
    """Compare every record anew with the weights in force; link, part and open tasks accordingly."""
    from affinity import rematches
    from affinity.cli.show import counted
    from affinity.console import account
    from affinity.offline import beside

    if configuration is not None and not dry_run:
        raise wrong_use("--configuration is for --dry-run; to use it, put it into the domain as matching.toml")
    settings = place.settings()
    with beside(settings) as database:
        index = opened(settings, database, configuration)
        with counted("records", rematches.length(database)) as reach:
            if dry_run:
                summary = rematches.dry_run(index, reach)
            else:
                summary = rematches.run(index, settings.data, account(), reach)
    show_summary(summary, output, heading="Nothing was written. It would be" if dry_run else "Done")


def opened(settings: "Settings", database: "Database", configuration: Path | None) -> "PatientIndex":
    """The index with what is in force, or with the weights of a file."""
    from affinity.domain import load
    from affinity.matching_files import read_file
    from affinity.node import open_index
    from pix.matching.mode import Mode

    index = open_index(settings, load(settings.domain), database)
    return replace(index, matching=read_file(configuration), mode=Mode.ON) if configuration else index


def show_summary(summary: "Summary", output: Output, heading: str) -> None:
    """What changed, or would."""
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json(plain(summary))
        return
    effects = summary.effects
    print_line(f"{heading}, with configuration {summary.version}, matching {summary.mode}:")
    print_line(f"{effects.joined} records joined to another person, {effects.parted} parted from one;")
    opened = ", ".join(f"{count} {kind}" for kind, count in effects.opened.items()) or "none"
    print_line(f"tasks opened: {opened}; tasks closed: {effects.closed}.")
    if summary.verdicts:
        rows = ((before, after, str(count)) for (before, after), count in summary.verdicts.items())
        print_table(("outcome", "becomes", "pairs"), rows)
        print_table(("record", "record", "outcome", "becomes", "bits", "because"), _examples(summary))


def _examples(summary: "Summary") -> Iterator[tuple[str, ...]]:
    for one, other, each in summary.examples:
        before, after = each.transition
        yield one, other, before, after, f"{each.comparison['weight']:.1f}", because(each.comparison)


def because(comparison: Any) -> str:
    """A comparison in one line: what agrees and how much it weighs, what was taken off, what speaks against."""
    fields = [f"{each['field']} {each['level']} {each['bits']:+.1f}" for each in comparison["fields"]]
    caps = [f"{each['cap']} cap {-each['bits']:+.1f}" for each in comparison["caps"]]
    return ", ".join((*fields, *caps, *comparison["vetoes"]))


def plain(summary: "Summary") -> dict[str, Any]:
    """The summary as JSON has it."""
    effects = summary.effects
    return {
        "configuration": summary.version,
        "matching": summary.mode,
        "joined": effects.joined,
        "parted": effects.parted,
        "tasks": {"opened": effects.opened, "closed": effects.closed},
        "verdicts": [{"before": one, "after": two, "pairs": n} for (one, two), n in summary.verdicts.items()],
        "examples": [
            {"one": one, "other": other, "before": each.before, "comparison": each.comparison}
            for one, other, each in summary.examples
        ],
    }
