"""``affinity pix tune``: weights learnt from the records of this site, and what they would change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb

if TYPE_CHECKING:
    from affinity.rematches import Summary
    from affinity.settings import Settings
    from pix.manager import PatientIndex
    from pix.matching.configuration import Configuration
    from pix.tuning import Proposal

EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix tune --data /var/lib/affinity --domain my-domain/
      learn from 20,000 pairs of records, and write the weights to matching.proposed.toml; nothing else changes

  affinity pix tune --all
      also try them on all records, as `affinity pix rematch --dry-run` does

  affinity pix tune --apply
      also put them into the domain as matching.toml; the server uses them from its next start

The server may run; with --all it must not, unless the database is PostgreSQL."""
PANEL = "Sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What is learnt from."""

    pairs: Annotated[int, typer.Option(help="Most pairs of records.", min=500, max=200_000, rich_help_panel=PANEL)] = (
        20_000
    )
    seed: Annotated[int, typer.Option(help="The same seed draws the same records.", rich_help_panel=PANEL)] = 1


OutputFile = Annotated[Path, typer.Option("--output", metavar="FILE", help="Where to write the weights.")]
All = Annotated[bool, typer.Option("--all", help="Also try the weights on all records; nothing is written there.")]
Apply = Annotated[bool, typer.Option("--apply", help="Put the weights into force: the domain's matching.toml.")]


@verb
def tune(
    place: Place,
    drawing: Drawing,
    output: Output,
    file: OutputFile = Path("matching.proposed.toml"),
    every: All = False,
    apply: Apply = False,
) -> None:
    """Learn weights from this site's records, and show what they would change."""
    from affinity.tunings import put_in_force, to_be_replaced

    settings = place.settings()
    in_force = to_be_replaced(settings.domain) if apply else None
    current, proposal, summary = _learn(settings, drawing, every=every)
    _write(file, proposal)
    if in_force is not None:
        put_in_force(file, in_force)
    _tell(current, proposal, summary, file, in_force, output)


def _learn(settings: "Settings", drawing: Drawing, *, every: bool) -> "tuple[Configuration, Proposal, Summary | None]":
    from affinity.cli.rematch import opened
    from affinity.offline import beside, regardless

    with (beside if every else regardless)(settings) as database:
        index = opened(settings, database, None)
        proposal = _proposal(index, drawing)
        return index.matching, proposal, _tried(index, proposal) if every else None


def _proposal(index: "PatientIndex", drawing: Drawing) -> "Proposal":
    from affinity.cli.show import counted
    from pix.tuning import Misled, TooFew, draw, propose

    try:
        with counted("pairs", drawing.pairs) as reach:
            sample = draw(index.database, drawing.pairs, drawing.seed, reach)
        return propose(sample, index.matching, f"site {datetime.now(UTC):%Y-%m-%d %H:%M:%S}")
    except (TooFew, Misled) as error:
        raise Stopped(ExitCode.REFUSED, str(error)) from error


def _tried(index: "PatientIndex", proposal: "Proposal") -> "Summary":
    from dataclasses import replace

    from affinity import rematches
    from affinity.cli.show import counted
    from pix.matching.mode import Mode

    with counted("records", rematches.length(index.database)) as reach:
        return rematches.dry_run(replace(index, matching=proposal.configuration, mode=Mode.ON), reach)


def _write(file: Path, proposal: "Proposal") -> None:
    from affinity.cli.written import written
    from pix.matching.tuning import to_toml

    with written(file, mode=0o644) as text:
        text.write(to_toml(proposal.configuration))


def _tell(
    current: "Configuration",
    proposal: "Proposal",
    summary: "Summary | None",
    file: Path,
    in_force: Path | None,
    output: Output,
) -> None:
    from affinity.cli.rematch import plain
    from affinity.cli.show import print_json

    if output.as_json:
        tried = None if summary is None else plain(summary)
        print_json(_plain(current, proposal) | {"file": file, "in_force": in_force, "all": tried})
        return
    _show(current, proposal, summary, output)
    _conclude(file, in_force)


def _show(current: "Configuration", proposal: "Proposal", summary: "Summary | None", output: Output) -> None:
    from affinity.cli.rematch import show_summary
    from affinity.cli.show import print_line, print_table

    changed = [each for each in _weights(current, proposal.configuration) if abs(each[3] - each[2]) >= 0.05]
    rows = ((field, level, f"{old:+.1f}", f"{new:+.1f}", f"{new - old:+.1f}") for field, level, old, new in changed)
    print_table(("field", "level", "bits", "would be", "change"), rows)
    for field, words in proposal.configuration.frequencies.items():
        print_line(f"{len(words)} frequent words of {field} (before: {len(current.frequencies[field])})")
    pairs = sum(proposal.changes.counts.values())
    print_line(f"{pairs} pairs of the sample, of which {proposal.matches:.1%} seem to be one person:")
    print_table(("outcome", "would be", "pairs"), ((*kind, str(number)) for kind, number in _outcomes(proposal)))
    if summary is not None:
        show_summary(summary, output, heading="All records. Nothing was written. It would be")


def _conclude(file: Path, in_force: Path | None) -> None:
    from affinity.cli.show import print_line

    if in_force is None:
        print_line(f"The weights are in {file}. What they change in all records: `affinity pix rematch --dry-run")
        print_line(f"--configuration {file}`; to put them into force, copy the file to matching.toml of the domain.")
    else:
        print_line(f"{in_force} holds the weights now. Start the server anew, and run `affinity pix rematch`.")


def _weights(current: "Configuration", proposed: "Configuration") -> Iterator[tuple[str, str, float, float]]:
    for field, levels in current.levels.items():
        for level, before in levels.items():
            yield field, level, before.bits, proposed.levels[field][level].bits


def _outcomes(proposal: "Proposal") -> list[tuple[tuple[str, str], int]]:
    counts = proposal.changes.counts.items()
    return sorted(((before.value, after.value), number) for (before, after), number in counts)


def _plain(current: "Configuration", proposal: "Proposal") -> dict[str, Any]:
    proposed = proposal.configuration
    return {
        "version": proposed.version,
        "matches": proposal.matches,
        "weights": [
            {"field": field, "level": level, "bits": round(old, 2), "proposed": round(new, 2)}
            for field, level, old, new in _weights(current, proposed)
        ],
        "words": {field: len(words) for field, words in proposed.frequencies.items()},
        "sample": [{"before": one, "after": two, "pairs": number} for (one, two), number in _outcomes(proposal)],
    }
