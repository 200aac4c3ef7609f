"""A configuration for a site, from its own records, and what would change with it: the pure part of ``pix tune``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pix.matching import frequencies
from pix.matching.configuration import CAPS, COUNTED, LEVELS, SAME, THRESHOLDS, Configuration, build
from pix.matching.estimation import Estimate, count_candidates, count_strangers, estimate
from pix.matching.scoring import Outcome, compare
from pix.matching.subject import Subject

Pair = tuple[Subject, Subject]
EXAMPLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Decisions under two configurations: how often each became which, and the first pairs (by place) that differ."""

    counts: Mapping[tuple[Outcome, Outcome], int]
    examples: tuple[tuple[int, Outcome, Outcome], ...]

    @property
    def differing(self) -> int:
        """Pairs whose outcome changes."""
        return sum(number for (before, after), number in self.counts.items() if before is not after)


def propose(pairs: Sequence[Pair], current: Configuration, version: str) -> tuple[Configuration, Estimate]:
    """Learn weights and frequencies from pairs that share a blocking key; thresholds and caps stay as they are.

    A few ten thousand pairs are enough. Give a sample of all candidates, not only of those that were linked.
    """
    learnt = estimate(count_candidates(pairs, current), count_strangers(pairs, current), current)
    subjects = {id(each): each for two in pairs for each in two}.values()
    return with_learnt(current, learnt, subjects, version), learnt


def with_learnt(current: Configuration, learnt: Estimate, records: Iterable[Subject], version: str) -> Configuration:
    """The chances that were learnt, and frequencies counted on ``records``, with the thresholds and caps of today."""
    words, saying = frequencies.count(records)
    unlisted = {field: current.levels[field][SAME].u for field in COUNTED}
    return build(
        version=version,
        thresholds={each: getattr(current, each) for each in THRESHOLDS},
        caps=current.caps,
        levels=learnt.levels,
        frequencies=frequencies.shares(words, saying, unlisted),
    )


def changes(pairs: Iterable[Pair], current: Configuration, proposed: Configuration) -> Changes:
    """Decide every pair under both configurations."""
    counts: Counter[tuple[Outcome, Outcome]] = Counter()
    examples: list[tuple[int, Outcome, Outcome]] = []
    for at, (one, other) in enumerate(pairs):
        before, after = compare(one, other, current).outcome, compare(one, other, proposed).outcome
        counts[before, after] += 1
        if before is not after and len(examples) < EXAMPLES:
            examples.append((at, before, after))
    return Changes(counts=counts, examples=tuple(examples))


def to_toml(configuration: Configuration) -> str:
    """The configuration as a file that ``configuration.load`` reads."""
    return "\n".join(_lines(configuration)) + "\n"


def _lines(configuration: Configuration) -> Iterator[str]:
    yield "# Weights of matching, estimated on the records of this site. docs/matching.md says what the numbers mean."
    yield f'version = "{configuration.version}"'
    yield from (f"{each} = {getattr(configuration, each)}" for each in THRESHOLDS)
    yield "\n[caps]"
    yield from (f"{each} = {getattr(configuration.caps, each)}" for each in CAPS)
    for field in LEVELS:
        yield f"\n[levels.{field}]"
        for level, chances in configuration.levels[field].items():
            yield f"{level} = {{ m = {chances.m:.9g}, u = {chances.u:.9g} }}  # {chances.bits:+.2f} bits"
    for field in COUNTED:
        yield f"\n[frequencies.{field}]"
        yield from (f'"{word}" = {share:.6g}' for word, share in configuration.frequencies[field].items())
