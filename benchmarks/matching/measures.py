"""Precision, recall, F1, false links and tasks of what became of a set of records."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from benchmarks.matching.feeding import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One system on one set. ``tasks`` is of a thousand feeds, None for a system that never asks."""

    system: str
    linked: int
    right: int
    true: int
    compared: int
    tasks: float | None = None

    @property
    def precision(self) -> float:
        """Of the pairs linked, those that are one person."""
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs that are one person, those linked; pairs that blocking missed count as missed."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / (self.linked + self.true) if self.linked + self.true else 1.0

    @property
    def false_per_million(self) -> float:
        """False links per million pairs compared."""
        return 1e6 * (self.linked - self.right) / self.compared if self.compared else 0.0


def of_links(
    system: str, linked: Collection[Pair], truth: Collection[Pair], compared: int, tasks: float | None = None
) -> Quality:
    """Quality of a set of links."""
    right = len(set(linked) & set(truth))
    return Quality(system=system, linked=len(linked), right=right, true=len(truth), compared=compared, tasks=tasks)


def best_threshold(weights: Mapping[Pair, float], truth: Collection[Pair]) -> float:
    """The threshold with the best F1: each system is shown at its best, which no operator could know."""
    known, right = set(truth), 0
    best, threshold = -1.0, float("inf")
    ordered = sorted(weights.items(), key=lambda each: -each[1])
    for number, (two, weight) in enumerate(ordered, 1):
        right += two in known
        following = ordered[number][1] if number < len(ordered) else None
        f1 = 2 * right / (number + len(known))
        if weight != following and f1 > best:
            best, threshold = f1, weight
    return threshold


def at_threshold(system: str, weights: Mapping[Pair, float], truth: Collection[Pair], threshold: float) -> Quality:
    """Quality of linking from a weight on."""
    return of_links(system, {two for two, weight in weights.items() if weight >= threshold}, truth, len(weights))
