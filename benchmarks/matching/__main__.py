"""``python -m benchmarks.matching``: decisions on FEBRL and invented people, beside splink and recordlinkage."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from benchmarks.matching import rivals
from benchmarks.matching.datasets import FEBRL, SSN, Entry, febrl
from benchmarks.matching.feeding import Fed, Pair, feed, linked_pairs, true_pairs
from benchmarks.matching.invented import population, relatives
from benchmarks.matching.measures import Quality, at_threshold, best_threshold, of_links
from pix.matching import tuning
from pix.matching.configuration import Configuration, default
from pix.matching.scoring import Outcome, compare_fully

TUNING, HELD_OUT = 1, 2
"""Seeds: with the first the rules were looked at while they were written, with the second only results were printed."""
RELATIVES = 2
"""Times as many people are invented to pick households with twins and namesakes from."""
HEADINGS = ("system", "precision", "recall", "F1", "links", "false", "false per million pairs", "tasks per 1000 feeds")


class Sets(StrEnum):
    """What can be measured alone."""

    FEBRL = "febrl"
    POPULATION = "population"


def main(
    persons: Annotated[int, typer.Option(help="People in each invented population.")] = 10000,
    only: Annotated[Sets | None, typer.Option(help="Measure these sets alone.")] = None,
    held_out: Annotated[int, typer.Option(help="Seed of the population that nobody tuned on.")] = HELD_OUT,
) -> None:
    """Print one table per set of records, as Markdown."""
    for name in FEBRL if only in (None, Sets.FEBRL) else ():
        for ssn in SSN:
            _print(f"{name} {ssn.value}", febrl(name, ssn))
    if only is Sets.FEBRL:
        return
    for seed, role in ((TUNING, "tuning seed"), (held_out, "held-out seed")):
        _print(f"Population of {persons}, seed {seed} ({role})", population(persons, seed))
        _print(f"Households with twins or namesakes alone, seed {seed} ({role})", relatives(RELATIVES * persons, seed))


def _print(title: str, entries: Sequence[Entry]) -> None:
    fed, truth = feed(entries, default()), true_pairs(entries)
    found = len(truth & set(fed.comparisons)) / len(truth)
    compared = f"{len(fed.comparisons) / len(entries):.1f} candidates a record, blocking recall {found:.4f}"
    print(f"\n**{title}**: {len(entries):,} records, {compared}\n")
    print(f"| {' | '.join(HEADINGS)} |\n|---{'|--:' * (len(HEADINGS) - 1)}|")
    for quality in _qualities(entries, fed, truth):
        tasks = "" if quality.tasks is None else f"{quality.tasks:.1f}"
        shares = (f"{value:.5f}" for value in (quality.precision, quality.recall, quality.f1))
        wrong = (f"{quality.linked:,}", str(quality.linked - quality.right), f"{quality.false_per_million:.1f}")
        print(f"| {' | '.join((quality.system, *shares, *wrong, tasks))} |", flush=True)


def _qualities(entries: Sequence[Entry], fed: Fed, truth: set[Pair]) -> Iterator[Quality]:
    compared, asked = len(fed.comparisons), fed.asked
    tasks = 1000 * len({feed for feed, _ in asked}) / len(entries)
    yield of_links("linked by the machine", linked_pairs(fed), truth, compared, tasks)
    shown = {two for two, each in fed.comparisons.items() if each.outcome is not Outcome.APART}
    best = linked_pairs(fed) | (shown & truth)
    yield of_links("and with every task decided rightly", best, truth, compared)
    yield _at_best("weights alone, shipped", _weights(entries, fed, default()), truth)
    sample = [(entries[one].subject, entries[other].subject) for one, other in fed.comparisons]
    proposed, _ = tuning.propose(sample, default(), "benchmark")
    yield _at_best("weights alone, estimated", _weights(entries, fed, proposed), truth)
    pairs = sorted(fed.comparisons)
    yield _at_best("splink", rivals.splink_weights(entries, pairs), truth)
    yield _at_best("recordlinkage (ECM)", rivals.recordlinkage_weights(entries, pairs), truth)


def _weights(entries: Sequence[Entry], fed: Fed, configuration: Configuration) -> Mapping[Pair, float]:
    """The bare sum of evidence, without caps and vetoes: what a plain Fellegi-Sunter would go by."""
    return {
        (one, other): sum(
            each.bits for each in compare_fully(entries[one].subject, entries[other].subject, configuration).evidence
        )
        for one, other in fed.comparisons
    }


def _at_best(system: str, weights: Mapping[Pair, float], truth: set[Pair]) -> Quality:
    return at_threshold(f"{system} †", weights, truth, best_threshold(weights, truth))


if __name__ == "__main__":
    typer.run(main)
