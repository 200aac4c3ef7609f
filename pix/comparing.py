"""The matcher at work: a record is compared with those that it may be, and what it found is noted."""

from collections.abc import Collection, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_matches, store_nationals, store_records
from pix.decisions import Match, pair
from pix.events import Matched, Unmatched
from pix.journal import Change
from pix.matching import dates
from pix.matching.blocking import lookup_keys
from pix.matching.configuration import Configuration
from pix.matching.findings import are_of_other_births, are_of_other_names
from pix.matching.mode import Mode
from pix.matching.scoring import Comparison, Outcome, compare, vetoes
from pix.matching.subject import Subject, subject
from pix.persons import Member
from pix.shadowing import try_out
from pix.snapshot import demographics_of, from_json, to_json
from pix.state import State, linking_ids
from pix.store_blocking import seen, sharing

REMEMBERED = 4096
"""Records whose parts are kept in memory; the oldest go first."""
_SEEN: dict[tuple[str, frozenset[tuple[str, str]]], Subject] = {}
NAMES = ("names", "aliases")
SSN = '"ssn":'
"""Stands in the JSON of demographics that have an identifier without an authority."""
DOUBTS = 5
"""Most new pairs with one record that are put before people: a hundred namesakes are no work that anybody can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the matcher says of a record and another one that it does not keep apart."""

    other: PatientKey
    comparison: Comparison


class Look(NamedTuple):
    """A record: its demographics as they are stored, its national ids that may link, and how the matcher sees it."""

    text: str
    nationals: frozenset[tuple[str, str]]
    subject: Subject


def held(change: Change, key: PatientKey) -> tuple[Match, ...]:
    """The verdicts on a record until now."""
    return store_matches.matches(change.connection, (key,))


def others(matches: tuple[Match, ...], key: PatientKey) -> set[PatientKey]:
    """The records that matched this one: who was kept from a third by likeness to it may be joined now."""
    return {other for two in matches for other in two.pair} - {key}


def verdicts(change: Change, key: PatientKey, state: State, before: tuple[Match, ...] = ()) -> tuple[Verdict, ...]:
    """Compare a record as it will be with all that share a blocking key, and all that it matched ``before``."""
    if change.mode is Mode.OFF:
        return ()
    mine = seen(state)
    keys = lookup_keys(mine)
    change.locks.require_blocking(keys)
    # Who was found from the other side is not lost only because this record shares keys with many.
    candidates = dict.fromkeys((*sharing(change.connection, keys), *(other for two in before for other in two.pair)))
    candidates.pop(key, None)
    change.locks.require(candidates)
    if not candidates and change.shadow is None:
        return ()
    subjects = comparable(change.connection, mine, candidates)
    compared = {each: (theirs, compare(mine, theirs, change.matching)) for each, theirs in subjects.items()}
    if change.shadow is not None:
        try_out(change, key, mine, compared, change.shadow)
    found = [Verdict(other=each, comparison=comparison) for each, (_, comparison) in compared.items()]
    return worth_keeping(found, others(before, key))


def worth_keeping(found: list[Verdict], known: Set[PatientKey]) -> tuple[Verdict, ...]:
    """All links; and of those that a person should look at, the likeliest, and those that were kept before."""
    links = [each for each in found if each.comparison.outcome is Outcome.LINK]
    reviews = [each for each in found if each.comparison.outcome is Outcome.REVIEW]
    reviews.sort(key=lambda each: (each.other not in known, -each.comparison.weight, each.other))
    kept = sum(each.other in known for each in reviews)
    return (*links, *reviews[: max(DOUBTS, kept)])


def note(change: Change, key: PatientKey, found: tuple[Verdict, ...], before: tuple[Match, ...] = ()) -> bool:
    """Note what is new in the verdicts on a record, of which ``before`` are held; claim that anything is."""
    if not found and not before:
        return False
    known = {each.pair: each for each in before}
    pairs = {pair(key, each.other): each.comparison for each in found}
    gone = [two for two in known if two not in pairs]
    new = {two: each for two, each in pairs.items() if two not in known or _differs(known[two], each)}
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


def subjects_of(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, Subject]:
    """Records as the matcher sees them."""
    return {key: each.subject for key, each in looks_at(connection, keys).items()}


def looks_at(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, Look]:
    """Records as they are stored, and as the matcher sees them."""
    return looks(connection, told(connection, keys))


def told(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, str]:
    """The demographics of records as they are stored."""
    found = store_records.described(connection, keys) if keys else {}
    return {key: text for key, (_, text) in found.items()}


def comparable(connection: Connection, mine: Subject, keys: Collection[PatientKey]) -> dict[PatientKey, Subject]:
    """Those of the records that neither a birth on another day nor another given name tells from this one by itself.

    Most of whom shares a key is a relative, a neighbour or a namesake: one column or the names tell them apart, and
    nothing else of them is read.
    """
    found = store_records.described(connection, keys) if keys else {}
    like = {key: text for key, (birth, text) in found.items() if mine.nationals or not _is_apart(mine, birth, text)}
    return {key: each.subject for key, each in looks(connection, like).items()}


def is_named_apart(mine: Subject, demographics: str) -> bool:
    """Claim that the names of a record, of which this is stored, tell it from one with which it shares no national id.

    Reading and comparing names takes two fifths of the time that all of it takes.
    """
    if mine.identifiers and SSN in demographics:
        return False
    names = {name: said for name, said in orjson.loads(demographics).items() if name in NAMES}
    return are_of_other_names(mine, subject(demographics_of(names)))


def _is_apart(mine: Subject, birth: str, demographics: str) -> bool:
    is_born_apart = are_of_other_births(mine, dates.day(birth), identified=SSN in demographics)
    return is_born_apart or is_named_apart(mine, demographics)


def looks(connection: Connection, texts: Mapping[PatientKey, str]) -> dict[PatientKey, Look]:
    """The same of records of which this is stored."""
    held = store_nationals.held(connection, texts) if texts else {}
    linking = {key: linking_ids(held.get(key, ())) for key in texts}
    return {key: Look(text, linking[key], seen_as(text, linking[key])) for key, text in texts.items()}


def seen_as(demographics: str, nationals: frozenset[tuple[str, str]]) -> Subject:
    """A record from what is stored: compared again and again while its family, its house and its namesakes are fed."""
    stored = demographics, nationals
    found = _SEEN.get(stored)
    if found is None:
        found = subject(from_json(demographics), nationals)
        remember_seen(demographics, nationals, found)
    return found


def remember(state: State) -> None:
    """A record that was just written will soon be compared with its family: how it is seen is known already."""
    remember_seen(to_json(state.demographics), linking_ids(state.nationals), seen(state))


def remember_seen(demographics: str, nationals: frozenset[tuple[str, str]], found: Subject) -> None:
    """How a record is seen of which this is stored."""
    _SEEN[demographics, nationals] = found
    while len(_SEEN) > REMEMBERED:
        with suppress(KeyError, StopIteration, RuntimeError):  # another thread was here at the same moment
            del _SEEN[next(iter(_SEEN))]


def _differs(held: Match, comparison: Comparison) -> bool:
    return (held.outcome, held.weight, held.reason) != (
        comparison.outcome.value,
        comparison.weight,
        ", ".join(comparison.vetoes),
    )
