"""Every record compared anew: after an upgrade, with a new configuration, or when matching was switched on or off.

In three steps, each in pieces of one transaction: what finds records is written anew; then each is compared; then,
when every verdict is new, it is found out anew who is who, so that nobody is linked for a moment by half of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ihe.domain import AssigningAuthority
from ihe.identifiers import PatientKey
from pix import (
    comparing,
    locks,
    store_blocking,
    store_links,
    store_matches,
    store_nationals,
    store_records,
    store_tasks,
)
from pix.decisions import Pair
from pix.journal import Change
from pix.linking import reevaluate
from pix.manager import PatientIndex
from pix.matching.scoring import Outcome, compare
from pix.merging import match_again
from pix.model import Identifier, Origin
from pix.state import State
from pix.store_records import Record

PIECE = 50
"""Most records of one transaction: on PostgreSQL each locks a dozen blocking keys, and feeds wait for them."""
EXAMPLES = 5
"""Most examples of one kind of change."""
TRANSACTION = "rematch"
"""What the log says of where the events come from."""


class Step(StrEnum):
    """What is done with all records before the next step begins."""

    KEYS = "keys"
    VERDICTS = "verdicts"
    PERSONS = "persons"
    DONE = "done"


NO_RECORD = PatientKey(0)
FOLLOWING = {Step.KEYS: Step.VERDICTS, Step.VERDICTS: Step.PERSONS, Step.PERSONS: Step.DONE}
Transition = tuple[str, str]
"""An outcome, and what it became: ``apart`` and ``link``, for example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far it got: the step, its last record, and how many it had; and the last event before it all began."""

    began: int
    step: Step = Step.KEYS
    last: PatientKey = NO_RECORD
    done: int = 0
    verdicts: Mapping[Transition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Two records whose outcome changed; ``comparison`` explains the new one."""

    pair: Pair
    before: str
    comparison: Mapping[str, Any]

    @property
    def transition(self) -> Transition:
        """The kind of change."""
        return (self.before, self.comparison["outcome"])


Tell = Callable[[Reached], None]
Show = Callable[[Example], None]


def rematch(index: PatientIndex, origin: Origin, reached: Reached, tell: Tell, show: Show) -> Reached:
    """Go on from ``reached`` to the end. ``tell`` hears of each piece that is stored, ``show`` of each changed pair."""
    while reached.step is not Step.DONE:
        keys = _following(index, reached.last)
        if keys:
            changed = _PIECES[reached.step](index, origin, keys)
            for each in changed:
                show(each)
            total = Counter(reached.verdicts) + Counter(each.transition for each in changed)
            done = reached.done + len(keys)
            reached = replace(reached, last=keys[-1], done=done, verdicts=dict(total))
        else:
            reached = replace(reached, step=FOLLOWING[reached.step], last=NO_RECORD, done=0)
        tell(reached)
    return reached


def _following(index: PatientIndex, last: PatientKey) -> list[PatientKey]:
    return index.database.read(lambda connection: store_records.current_after(connection, last, PIECE))


def _rewrite_keys(index: PatientIndex, origin: Origin, keys: list[PatientKey]) -> tuple[Example, ...]:
    """What finds a record follows from what is known of it, so this is no event."""

    def work(change: Change) -> None:
        change.locks.require(keys)
        for key, state in _states(change, keys).items():
            store_blocking.rewrite_keys(change.connection, key, state)

    index.transact(origin, (), work, lambda: frozenset(map(str, keys)))
    return ()


def _renew_verdicts(index: PatientIndex, origin: Origin, keys: list[PatientKey]) -> tuple[Example, ...]:
    def work(change: Change) -> tuple[Example, ...]:
        change.locks.require(keys)
        return tuple(each for key in _states(change, keys) for each in _renew(change, key))

    names = index.database.read(lambda connection: locks.names_to_compare(connection, keys))
    return index.transact(origin, (), work, lambda: names)


def _renew(change: Change, key: PatientKey) -> Iterator[Example]:
    before = {each.pair: each.outcome for each in comparing.held(change, key)}
    match_again(change, key)
    after = {each.pair: each.outcome for each in comparing.held(change, key)}
    for two in dict.fromkeys((*before, *after)):
        if before.get(two) != after.get(two):
            yield _example(change, two, before.get(two, Outcome.APART.value))


def _example(change: Change, two: Pair, before: str) -> Example:
    one, other = comparing.subjects_of(change.connection, two).values()
    found = compare(one, other, change.matching)
    # Where matching is off, two records are apart whatever they weigh.
    match = store_matches.between(change.connection, two)
    outcome = Outcome.APART.value if match is None else match.outcome
    return Example(pair=two, before=before, comparison={**found.plain, "outcome": outcome})


def _renew_persons(index: PatientIndex, origin: Origin, keys: list[PatientKey]) -> tuple[Example, ...]:
    records = index.database.read(lambda connection: store_records.by_keys(connection, keys))

    def work(change: Change) -> None:
        for key in _states(change, keys):
            if _is_connected(change, key):
                reevaluate(change, (key,))

    index.transact(origin, tuple(map(_identifier, records.values())), work, lambda: frozenset(map(str, keys)))
    return ()


def _is_connected(change: Change, key: PatientKey) -> bool:
    """Claim that a record has to do with another one: linked, matched, or both before a human."""
    this = (key,)
    return bool(
        store_links.together(change.connection, this) - {key}
        or store_matches.matches(change.connection, this)
        or store_tasks.about(change.connection, this)
    )


def _identifier(found: Record) -> Identifier:
    return Identifier(authority=AssigningAuthority(namespace_id="", oid=found.authority), id=found.id)


def _states(change: Change, keys: list[PatientKey]) -> dict[PatientKey, State]:
    """The records that are still in use when the transaction begins."""
    nationals = store_nationals.held(change.connection, keys)
    return {
        key: State(demographics=found.demographics, nationals=nationals.get(key, ()))
        for key, found in store_records.by_keys(change.connection, keys).items()
        if found.is_current
    }


_PIECES: Mapping[Step, Callable[[PatientIndex, Origin, list[PatientKey]], tuple[Example, ...]]] = {
    Step.KEYS: _rewrite_keys,
    Step.VERDICTS: _renew_verdicts,
    Step.PERSONS: _renew_persons,
}
