"""The matcher at work: a record is compared with those that it may be, and what it found is noted."""

from dataclasses import dataclass

from ihe.identifiers import PatientKey
from pix import store_matches, store_records
from pix.decisions import Match, pair
from pix.events import Matched, Unmatched
from pix.journal import Change
from pix.matching.blocking import lookup_keys
from pix.matching.configuration import Configuration
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


def contradiction(one: Member, other: Member) -> str | None:
    """Why no machine may join two records, whatever id they share."""
    return ", ".join(vetoes(one.subject, other.subject)) or None


def objection(one: Member, other: Member, configuration: Configuration) -> str | None:
    """Why likeness does not join two records, not even that of others: a veto, or more differs than agrees."""
    found = contradiction(one, other)
    if found is None and compare(one.subject, other.subject, configuration).weight < 0:
        return "more differs than agrees"
    return found


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
