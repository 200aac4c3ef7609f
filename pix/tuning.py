"""Weights for a site from its own records: pairs that share a blocking key are drawn, and learnt from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from sqlalchemy import Connection

from ihe.exchange import Transactor
from ihe.identifiers import PatientKey
from pix import comparing, store_records
from pix.decisions import Pair, pair
from pix.matching import tuning
from pix.matching.blocking import lookup_keys
from pix.matching.configuration import Configuration
from pix.matching.estimation import Estimate, count_candidates, estimate
from pix.matching.scoring import Outcome, compare
from pix.matching.subject import Subject
from pix.store_blocking import sharing

PIECE = 200
"""Records that are drawn with one snapshot of the database."""
PARTNERS = 10
"""Most candidates of one record that are drawn: a name that thousands bear shall not fill the sample."""
LEAST = 500
"""Pairs below which an estimate would be chance."""
TOGETHER, BY_CHANCE = 2.0, 50
"""How many times the pairs that today's weights link or ask about may seem to be one person; or how many pairs."""
Progress = Callable[[int], None]


class TooFew(ValueError):
    """There is too little to learn from; the text says how much."""


class Misled(ValueError):
    """What was learnt took others for one person, such as homes where hardly anybody stands twice; the text says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Pairs that share a blocking key, with their keys, and records drawn evenly, for how frequent names are."""

    keys: tuple[Pair, ...]
    pairs: tuple[tuple[Subject, Subject], ...]
    records: tuple[Subject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A configuration that was learnt; ``matches`` is the share of one-person pairs among those of the sample."""

    configuration: Configuration
    matches: float
    changes: tuning.Changes


def draw(database: Transactor[Connection], size: int, seed: int, progress: Progress) -> Sample:
    """Draw at most ``size`` pairs; the same seed and database give the same. TooFew: not worth an estimate."""
    chance, pairs, records = Random(seed), dict[Pair, tuple[Subject, Subject]](), dict[PatientKey, Subject]()
    for keys in _pieces(_keys(database, size, chance)):
        for mine, theirs in database.read(lambda connection, keys=keys: list(_found(connection, keys, chance))):  # type: ignore[misc]
            records[mine[0]] = mine[1]
            pairs |= {pair(mine[0], other): (mine[1], subject) for other, subject in theirs.items()}
        progress(min(len(pairs), size))
        if len(pairs) >= size:
            break
    if len(pairs) < LEAST:
        raise TooFew(f"only {len(pairs)} pairs of records share a blocking key; an estimate needs at least {LEAST}")
    chosen = dict(islice(pairs.items(), size))
    return Sample(keys=tuple(chosen), pairs=tuple(chosen.values()), records=tuple(records.values()))


def propose(sample: Sample, current: Configuration, version: str) -> Proposal:
    """Learn, and decide every pair of the sample both ways. Thresholds and caps stay as they are. Misled: in vain."""
    strangers = list(_strangers(sample.records, current))
    learnt = estimate(count_candidates(sample.pairs, current), count_candidates(strangers, current), current)
    # Among candidates frequent names are more frequent still, so those are counted on records drawn evenly.
    proposed = tuning.with_learnt(current, learnt, sample.records, version)
    changes = tuning.changes(sample.pairs, current, proposed)
    _refuse_misled(learnt, changes)
    return Proposal(configuration=proposed, matches=learnt.matches, changes=changes)


def _refuse_misled(learnt: Estimate, changes: tuning.Changes) -> None:
    """Those who agree more than most are one person, for all that an estimate knows; they may be a home as well."""
    together = sum(number for (before, _), number in changes.counts.items() if before is not Outcome.APART)
    seeming = round(learnt.matches * learnt.pairs)
    if seeming > max(TOGETHER * together, BY_CHANCE):
        raise Misled(
            f"{seeming} of {learnt.pairs} pairs would be taken for one person, of which today's weights link or ask "
            f"about {together}: too few patients stand twice to learn from, and homes or namesakes were taken for them"
        )


def _strangers(records: tuple[Subject, ...], current: Configuration) -> Iterator[tuple[Subject, Subject]]:
    """Each record with one drawn long before or after it, unless it is the same person even so: sites can be small."""
    far = len(records) // 2
    for at, one in enumerate(records):
        other = records[at - far]
        if compare(one, other, current).outcome is Outcome.APART:
            yield one, other


def _keys(database: Transactor[Connection], size: int, chance: Random) -> Iterator[PatientKey]:
    """Every record in a random order if they are few, else so many drawn evenly over their keys."""
    last = database.read(store_records.highest)
    if last <= size:
        yield from (PatientKey(key) for key in chance.sample(range(1, last + 1), last))
    else:
        yield from (PatientKey(chance.randint(1, last)) for _ in range(size))


def _pieces(keys: Iterable[PatientKey]) -> Iterator[list[PatientKey]]:
    rest = iter(keys)
    while some := list(islice(rest, PIECE)):
        yield some


Found = tuple[tuple[PatientKey, Subject], dict[PatientKey, Subject]]


def _found(connection: Connection, keys: list[PatientKey], chance: Random) -> Iterator[Found]:
    """Each record that is in use, and some of those that it would be compared with."""
    current = [key for key, found in store_records.by_keys(connection, keys).items() if found.is_current]
    for key, subject in comparing.subjects_of(connection, current).items():
        others = [each for each in sharing(connection, lookup_keys(subject)) if each != key]
        some = chance.sample(others, min(PARTNERS, len(others)))
        yield (key, subject), comparing.subjects_of(connection, some)
