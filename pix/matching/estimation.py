"""m and u from records whose truth nobody knows: expectation maximization (Winkler 1988; Jaro 1989)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pix.matching.configuration import COUNTED, DIFFERENT, LEVELS, SAME, Chances, Configuration
from pix.matching.scoring import compare_fully
from pix.matching.subject import Subject

FIELDS = tuple(LEVELS)
Vector = tuple[str, ...]
"""The level of each of ``FIELDS``; empty where a record says nothing."""
Levels = dict[str, dict[str, float]]

ROUNDS = 60
SETTLED = 1e-5
"""Change of the share of matches from which on another round teaches nothing."""
TRUST_M, TRUST_U = 20.0, 200.0
"""Pairs that the configured chances count for, so that a level never seen keeps a chance."""
LEAST_CHANCE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What was learnt: chances per field and level, the share of matches, and of how many pairs."""

    levels: Mapping[str, Mapping[str, Chances]]
    matches: float
    pairs: int


def vector(one: Subject, other: Subject, configuration: Configuration) -> Vector:
    """How two records agree, in the order of ``FIELDS``."""
    found = {each.field: each.level for each in compare_fully(one, other, configuration).evidence}
    return tuple(found.get(field, "") for field in FIELDS)


def count_candidates(pairs: Iterable[tuple[Subject, Subject]], configuration: Configuration) -> Counter[Vector]:
    """How often each vector occurs among pairs that share a blocking key."""
    return Counter(vector(one, other, configuration) for one, other in pairs)


def count_strangers(pairs: Sequence[tuple[Subject, Subject]], configuration: Configuration) -> Counter[Vector]:
    """The same for pairs that share nothing but chance: the first of each pair with the second of one far away."""
    far = len(pairs) // 2
    return Counter(vector(one, pairs[at - far][1], configuration) for at, (one, _) in enumerate(pairs))


def estimate(
    candidates: Mapping[Vector, int], strangers: Mapping[Vector, int], configuration: Configuration
) -> Estimate:
    """m by expectation maximization over candidates, u by counting strangers. Nothing to learn from: as configured."""
    known_m = {field: {level: each.m for level, each in configuration.levels[field].items()} for field in FIELDS}
    known_u = {field: {level: each.u for level, each in configuration.levels[field].items()} for field in FIELDS}
    learnt, matches = _maximized(candidates, known_m, known_u)
    counted = _shares({each: float(number) for each, number in strangers.items()}, known_u, TRUST_U)
    levels = {
        field: {level: _chances(field, level, learnt, counted, configuration) for level in known}
        for field, known in LEVELS.items()
    }
    return Estimate(levels=levels, matches=matches, pairs=sum(candidates.values()))


def _maximized(candidates: Mapping[Vector, int], known_m: Levels, known_u: Levels) -> tuple[Levels, float]:
    # Candidates that are no matches agree more than strangers do; so their chances are learnt, too, and thrown away.
    m, u, matches = known_m, known_u, 0.1
    for _ in range(ROUNDS):
        beliefs = {each: _belief(each, m, u, matches) for each in candidates}
        m = _shares({each: number * beliefs[each] for each, number in candidates.items()}, known_m, TRUST_M)
        u = _shares({each: number * (1 - beliefs[each]) for each, number in candidates.items()}, known_u, TRUST_M)
        before, total = matches, sum(candidates.values())
        matches = sum(number * beliefs[each] for each, number in candidates.items()) / total if total else before
        if abs(matches - before) < SETTLED:
            break
    return m, matches


def _belief(seen: Vector, m: Levels, u: Levels, matches: float) -> float:
    """The chance that a pair with this vector is one person."""
    one, two = matches, 1 - matches
    for field, level in zip(FIELDS, seen, strict=True):
        if level:
            one *= m[field][level]
            two *= u[field][level]
    return one / (one + two) if one + two else 0.0


def _shares(weighted: Mapping[Vector, float], known: Levels, trust: float) -> Levels:
    """The share of each level where the field is known, mixed with what was known before."""
    sums: Levels = {field: dict.fromkeys(LEVELS[field], 0.0) for field in FIELDS}
    for seen, weight in weighted.items():
        for field, level in zip(FIELDS, seen, strict=True):
            if level:
                sums[field][level] += weight
    return {
        field: {
            level: max(LEAST_CHANCE, (number + trust * known[field][level]) / (sum(sums[field].values()) + trust))
            for level, number in sums[field].items()
        }
        for field in FIELDS
    }


def _chances(field: str, level: str, m: Levels, u: Levels, configuration: Configuration) -> Chances:
    """What was learnt, unless agreement would count against, or disagreement in favour: then as configured.

    The u of a shared word is the share of one that is not listed; how frequent the others are is counted elsewhere.
    """
    before = configuration.levels[field][level]
    counted = before.u if field in COUNTED and level == SAME else u[field][level]
    learnt = Chances(m=min(1.0, m[field][level]), u=min(1.0, counted))
    absurd = (level == SAME and learnt.bits < 0) or (level == DIFFERENT and learnt.bits > 0)
    return before if absurd else learnt
