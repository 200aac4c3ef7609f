"""Records fed one after the other, as a domain would: which pairs are looked at, linked, or put before a human."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from benchmarks.matching.datasets import Entry
from pix.matching.blocking import lookup_keys, stored_keys
from pix.matching.configuration import Configuration
from pix.matching.scoring import Comparison, Outcome, compare

CROWDED = 60
"""Records under one key from which it is no help any more."""
Pair = tuple[int, int]


@dataclass(slots=True)
class Fed:
    """What became of a sequence of records."""

    comparisons: dict[Pair, Comparison] = field(default_factory=dict)
    group: list[int] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    rows: int = 0


def candidate_pairs(entries: Sequence[Entry]) -> Iterator[tuple[int, list[int]]]:
    """For each record, those before it that have a key in common."""
    index: dict[int, list[int]] = defaultdict(list)
    for at, entry in enumerate(entries):
        found: set[int] = set()
        for key in lookup_keys(entry.subject):
            before = index.get(key, ())
            if len(before) <= CROWDED:
                found.update(before)
        yield at, sorted(found)
        for key in stored_keys(entry.subject):
            index[key].append(at)


def feed(entries: Sequence[Entry], configuration: Configuration) -> Fed:
    """Compare every record with those before it; link it to the best, ask about the others of other groups."""
    fed = Fed()
    for at, before in candidate_pairs(entries):
        fed.group.append(at)
        found = {other: compare(entries[other].subject, entries[at].subject, configuration) for other in before}
        fed.comparisons.update({(other, at): each for other, each in found.items()})
        linked = [other for other, each in found.items() if each.outcome is Outcome.LINK]
        _join(fed.group, at, linked)
        mine = _home(fed.group, at)
        doubtful = [other for other, each in found.items() if each.outcome is Outcome.REVIEW]
        fed.asked += [(at, other) for other in doubtful if _home(fed.group, other) != mine]
    return fed


def _home(group: list[int], at: int) -> int:
    while group[at] != at:
        group[at] = group[group[at]]
        at = group[at]
    return at


def _join(group: list[int], at: int, linked: Iterable[int]) -> None:
    homes = {_home(group, other) for other in linked} | {at}
    for each in homes:
        group[each] = min(homes)


def true_pairs(entries: Sequence[Entry]) -> set[Pair]:
    """Every two records of one person."""
    persons: dict[str, list[int]] = defaultdict(list)
    for at, entry in enumerate(entries):
        persons[entry.person].append(at)
    return {two for same in persons.values() for two in combinations(same, 2)}


def linked_pairs(fed: Fed) -> set[Pair]:
    """Every two records that ended as one person."""
    groups: dict[int, list[int]] = defaultdict(list)
    for at in range(len(fed.group)):
        groups[_home(fed.group, at)].append(at)
    return {two for same in groups.values() for two in combinations(same, 2)}
