"""The matcher at work: a record is compared with those that it may be, and what it found is noted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ihe.identifiers import PatientKey
from pix import store_matches, store_records
from pix.decisions import Match, pair
from pix.events import Matched, Unmatched
from pix.journal import Change
from pix.likeness import Objection
from pix.matching.blocking import lookup_keys
from pix.matching.scoring import Comparison, Outcome, compare, vetoes
from pix.matching.subject import Subject, subject
from pix.persons import Member
from pix.state import State, linking_ids
from pix.store_blocking import seen, sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the matcher says of a record and another one that it does not keep apart."""

    other: PatientKey
    comparison: Comparison


def verdicts(change: Change, key: PatientKey | None, state: State) -> tuple[Verdict, ...]:
    """Compare a record as it will be with all that share a blocking key. ``key`` is None while it has none."""
    mine = seen(state)
    keys = lookup_keys(mine)
    change.locks.require_blocking(keys)
    candidates = [each for each in sharing(change.connection, keys) if each != key]
    change.locks.require(candidates)
    subjects = subjects_of(change, candidates)
    compared = (Verdict(other=each, comparison=compare(mine, subjects[each], change.matching)) for each in candidates)
    return tuple(each for each in compared if each.comparison.outcome is not Outcome.APART)


def note(change: Change, key: PatientKey, found: tuple[Verdict, ...]) -> bool:
    """Note what is new in the verdicts on a record; the answer claims that anything is."""
    held = {each.pair: each for each in store_matches.matches(change.connection, (key,))}
    pairs = {pair(key, each.other): each.comparison for each in found}
    gone = [two for two in held if two not in pairs]
    new = {two: each for two, each in pairs.items() if two not in held or _differs(held[two], each)}
    for low, high in gone:
        change.note(Unmatched(record=low, other=high))
    for (low, high), each in new.items():
        change.note(
            Matched(
                record=low,
                other=high,
                outcome=each.outcome.value,
                weight=each.weight,
                reason=", ".join(each.vetoes),
                version=change.matching.version,
                detail=each.plain,
            )
        )
    return bool(gone or new)


def objection(change: Change, members: Mapping[PatientKey, Member]) -> Objection:
    """What speaks against two members being one person: a veto, or more that differs than agrees."""

    @cache
    def of(key: PatientKey) -> Subject:
        return subject(members[key].demographics, members[key].nationals)

    def against(one: PatientKey, other: PatientKey) -> str | None:
        found = vetoes(of(one), of(other))
        if not found and compare(of(one), of(other), change.matching).weight < 0:
            return "more differs than agrees"
        return ", ".join(found) or None

    return against


def subjects_of(change: Change, keys: list[PatientKey]) -> dict[PatientKey, Subject]:
    """Records as the matcher sees them."""
    nationals = store_records.nationals(change.connection, keys)
    found = store_records.by_keys(change.connection, keys)
    return {key: subject(each.demographics, linking_ids(nationals.get(key, ()))) for key, each in found.items()}


def _differs(held: Match, comparison: Comparison) -> bool:
    return (held.outcome, held.weight, held.reason) != (
        comparison.outcome.value,
        comparison.weight,
        ", ".join(comparison.vetoes),
    )
