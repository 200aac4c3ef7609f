"""What each event does to the tables: the only writer of records, links, decisions, matches and tasks.

A change and ``pix.replay`` come through here alike, so that the tables can be made from the log at any time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import (
    store_blocking,
    store_cards,
    store_encounters,
    store_links,
    store_matches,
    store_nationals,
    store_records,
    store_tasks,
    store_tokens,
)
from pix.decisions import Decision, Match, pair
from pix.events import (
    Announced,
    Declared,
    EncounterChanged,
    Event,
    IdentifierChanged,
    Linked,
    Matched,
    Merged,
    Named,
    NationalIdsChanged,
    TaskAssigned,
    TaskDecided,
    TaskOpened,
    TasksClosed,
    Undeclared,
    Unmatched,
    Unmerged,
    Updated,
)
from pix.state import NOTHING, NationalId, State, linking_ids
from pix.tasks import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log: the number and time of an event, and the source or person it came from."""

    number: int
    at: str
    actor: str


def project(connection: Connection, entry: Entry, event: Event) -> None:
    """Let an event that was just written to the log take effect."""
    effect = EFFECTS.get(type(event))
    if effect is not None:
        effect(connection, entry, event)


def _named(connection: Connection, entry: Entry, event: Named) -> None:
    identifier = (event.authority, event.id, event.type_code)
    store_records.add(connection, event.record, identifier, entry.actor, entry.at)


def _announced(connection: Connection, entry: Entry, event: Announced) -> None:
    identifier = (event.authority, event.id, event.type_code)
    store_records.announce(connection, event.record, identifier, event.state.demographics, entry.actor, entry.at)
    _describe(connection, event.record, NOTHING, event.state)
    if event.alone:
        _begin(connection, event.record, event.record, "alone", entry.number)
    else:
        # It may have been named and linked before.
        store_cards.describe(connection, event.record, event.state.demographics, entry.at)


def _updated(connection: Connection, entry: Entry, event: Updated) -> None:
    if event.before is None:
        store_records.confirm(connection, event.record, entry.actor, entry.at)
        store_cards.confirm(connection, event.record, entry.at)
        return
    store_records.describe(connection, event.record, event.state.demographics, entry.actor, entry.at)
    store_cards.describe(connection, event.record, event.state.demographics, entry.at)
    _describe(connection, event.record, event.before, event.state)


def _national_ids_changed(connection: Connection, entry: Entry, event: NationalIdsChanged) -> None:
    _carry(connection, event.record, event.before, event.nationals)


def _describe(connection: Connection, key: PatientKey, before: State, after: State) -> None:
    store_nationals.replace(connection, key, before.nationals, after.nationals)
    store_tokens.replace_tokens(connection, key, before.demographics, after.demographics)
    store_blocking.replace_keys(connection, key, before, after)


def _declared(connection: Connection, entry: Entry, event: Declared) -> None:
    two = pair(event.record, event.other)
    store_links.decide(connection, Decision(pair=two, same=event.same, basis=event.basis, event=entry.number))


def _undeclared(connection: Connection, entry: Entry, event: Undeclared) -> None:
    store_links.undecide(connection, pair(event.record, event.other))


def _matched(connection: Connection, entry: Entry, event: Matched) -> None:
    match = Match(
        pair=pair(event.record, event.other),
        outcome=event.outcome,
        weight=event.weight,
        reason=event.reason,
        event=entry.number,
    )
    store_matches.put(connection, match)


def _unmatched(connection: Connection, entry: Entry, event: Unmatched) -> None:
    store_matches.remove(connection, pair(event.record, event.other))


def _linked(connection: Connection, entry: Entry, event: Linked) -> None:
    if event.before is not None:
        _end(connection, event.record, entry.number)
    _begin(connection, event.record, event.person, event.reason, entry.number)


def _begin(connection: Connection, key: PatientKey, person: PatientKey, reason: str, number: int) -> None:
    store_links.begin(connection, key, person, reason, number)
    store_cards.put(connection, key)


def _end(connection: Connection, key: PatientKey, number: int) -> None:
    store_links.end(connection, key, number)
    store_cards.remove(connection, (key,))


def _merged(connection: Connection, entry: Entry, event: Merged) -> None:
    subsumed, survivor = event.record, event.other
    own = store_nationals.held(connection, (survivor,)).get(survivor, ())
    _carry(connection, survivor, own, (*own, *event.inherited))
    store_nationals.replace(connection, subsumed, event.held, ())
    store_links.forget_decisions(connection, subsumed)
    _decide_all(connection, event.adopted)
    store_records.subsume(connection, subsumed, survivor)
    _end(connection, subsumed, entry.number)
    store_tokens.remove_tokens(connection, subsumed)
    store_blocking.remove_keys(connection, subsumed)
    store_matches.forget(connection, subsumed)
    store_tasks.close_of(connection, subsumed, entry.number)


def _unmerged(connection: Connection, entry: Entry, event: Unmerged) -> None:
    key, survivor = event.record, event.other
    store_records.restore(connection, key, event.redirected)
    held = store_nationals.held(connection, (survivor,)).get(survivor, ())
    gone = {(each.authority, each.id) for each in event.withdrawn}
    _carry(connection, survivor, held, tuple(each for each in held if (each.authority, each.id) not in gone))
    found = store_records.by_keys(connection, (key,))[key]
    _describe(connection, key, NOTHING, State(demographics=found.demographics, nationals=event.restored))
    for two in event.undone:
        store_links.undecide(connection, two)
    _decide_all(connection, (*event.displaced, *event.decisions))


def _carry(
    connection: Connection, key: PatientKey, before: tuple[NationalId, ...], after: tuple[NationalId, ...]
) -> None:
    """Change the national ids of a record, and by what it is found."""
    store_nationals.replace(connection, key, before, after)
    if linking_ids(before) != linking_ids(after):
        known = store_records.by_keys(connection, (key,))[key].demographics
        store_blocking.replace_keys(
            connection, key, State(demographics=known, nationals=before), State(demographics=known, nationals=after)
        )


def _decide_all(connection: Connection, decisions: tuple[Decision, ...]) -> None:
    for each in decisions:
        store_links.decide(connection, each)


def _identifier_changed(connection: Connection, entry: Entry, event: IdentifierChanged) -> None:
    if event.replaced is not None:
        store_links.forget_decisions(connection, event.replaced)
        store_records.remove(connection, event.replaced)
    _decide_all(connection, event.adopted)
    store_records.rename(connection, event.record, (event.authority, event.id))


def _task_opened(connection: Connection, entry: Entry, event: TaskOpened) -> None:
    task = Opened(number=entry.number, kind=event.kind, pair=(event.record, event.other), reason=event.reason)
    store_tasks.open_task(connection, task)


def _tasks_closed(connection: Connection, entry: Entry, event: TasksClosed) -> None:
    store_tasks.close(connection, event.tasks, entry.number)


def _task_assigned(connection: Connection, entry: Entry, event: TaskAssigned) -> None:
    store_tasks.assign(connection, event.task, event.owner, entry.number)


def _task_decided(connection: Connection, entry: Entry, event: TaskDecided) -> None:
    store_tasks.decide(connection, event.task, event.decision, entry.number)


def _encounter_changed(connection: Connection, entry: Entry, event: EncounterChanged) -> None:
    store_encounters.put(connection, event.encounter, entry.number, event.record, event.state)
    store_encounters.cancel(connection, event.cancelled)
    if event.movement is not None and event.updated is not None:
        store_encounters.correct(connection, event.updated, event.movement)
    elif event.movement is not None:
        store_encounters.append(connection, event.encounter or entry.number, entry.number, event.movement)


EFFECTS: Mapping[type, Callable[[Connection, Entry, Any], None]] = {
    Named: _named,
    Announced: _announced,
    Updated: _updated,
    NationalIdsChanged: _national_ids_changed,
    Declared: _declared,
    Undeclared: _undeclared,
    Matched: _matched,
    Unmatched: _unmatched,
    Linked: _linked,
    Merged: _merged,
    Unmerged: _unmerged,
    IdentifierChanged: _identifier_changed,
    TaskOpened: _task_opened,
    TasksClosed: _tasks_closed,
    TaskAssigned: _task_assigned,
    TaskDecided: _task_decided,
    EncounterChanged: _encounter_changed,
}
"""Remarks have no effect."""
