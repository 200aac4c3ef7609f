"""Who is told that a person's list of ids changed, what, and in which order (ITI TF-2: 3.10.4.1, 3.46.4.1).

A list is frozen in the transaction that changes it. Made at the time of sending it would tell what came later twice and
what came between never; and two lists that one change made of one would not be told together.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix import candidates, store_links, store_records
from pix import store_notifications as store
from pix.events import (
    Announced,
    Event,
    IdentifierChanged,
    Linked,
    Merged,
    NationalIdsChanged,
    Unmerged,
    Updated,
)
from pix.journal import Change
from pix.model import Identifier, PersonName
from pix.update_notifications import Key, Notification, Posted, State, Subscription, keys_of

Identifiers = tuple[Identifier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """Where a change leaves what it has to tell. ``wake`` is called once that is committed."""

    subscriptions: tuple[Subscription, ...] = ()
    wake: Callable[[], None] = field(default=lambda: None)

    def post(self, change: Change) -> bool:
        """Add what each subscriber is to be told of ``change``; say whether there is anything."""
        changing = [(number, event) for number, event in change.noted if _changes_ids(event)]
        if not self.subscriptions or not changing:
            return False
        connection, records = change.connection, {key for _, event in changing for key in _records(event)}
        persons = store.persons_concerned(connection, records, [number for number, _ in changing])
        before = store.listed(connection, persons)
        after = candidates.identifiers_of(connection, change.domain, persons)
        if before == {person: keys_of(listed) for person, listed in after.items()}:
            return False
        store.list_anew(connection, persons, {person: keys_of(listed) for person, listed in after.items()})
        posted = tuple(self._posted(change, before, after))
        store.post(connection, posted, change.timestamp)
        return bool(posted)

    def _posted(
        self, change: Change, before: Mapping[PatientKey, frozenset[Key]], after: Mapping[PatientKey, Identifiers]
    ) -> Iterator[Posted]:
        for person, listed in sorted(after.items()):
            told = [(each, each.within(listed)) for each in self.subscriptions if news(each, before.values(), listed)]
            names = _names(change, person) if any(each.with_name for each, _ in told) else ()
            for subscription, identifiers in told:
                yield Posted(
                    subscriber=subscription.name,
                    person=person,
                    identifiers=tuple(each.cx for each in identifiers),
                    names=names if subscription.with_name else (),
                )


def news(subscription: Subscription, before: Iterable[Collection[Key]], listed: Identifiers) -> bool:
    """Claim that a list, as far as it is of interest, is none of those that were before the change.

    An empty list is never told: PID-3 and Patient.id are required. So what becomes of an id that is merged away shows
    only in the lists of those ids that it was listed with.
    """
    seen = subscription.sees(keys_of(listed))
    return bool(seen) and seen not in {subscription.sees(each) for each in before}


def in_turn(pending: Iterable[Notification], now: datetime, longest: timedelta) -> Iterator[Notification]:
    """Those of one subscriber, oldest first, that may be sent now and in any order among themselves.

    A patient's later notification waits for an earlier one; patients are the same if they have a person or an id in
    common. Those of other patients overtake. None waits longer than ``longest``: what is due later than that was
    written down before the clock was set back.
    """
    waiting: set[object] = set()
    for each in pending:
        patient = {each.person, *((cx.authority.universal_id, cx.id) for cx in each.identifiers)}
        if not now < each.due <= now + longest and waiting.isdisjoint(patient):
            yield each
        waiting |= patient


def send_again(
    connection: Connection,
    domain: AffinityDomain,
    subscriptions: Iterable[Subscription],
    dead: Iterable[Notification],
    at: datetime,
) -> dict[int, State]:
    """Let dead letters wait again that still tell the truth; say by number what became of each.

    Another list was told or waits where the ids have changed since, and the older one shall not come after it. What
    went to nobody's subscription any more stays dead.
    """
    known = {each.name: each for each in subscriptions}
    ends: dict[int, State] = {}
    for each in dead:
        subscription = known.get(each.subscriber)
        if subscription is None:
            ends[each.number] = State.DEAD
        elif _still_true(connection, domain, subscription, each):
            store.send_again(connection, each.number, at)
            ends[each.number] = State.PENDING
        else:
            store.set_aside(connection, each.number)
            ends[each.number] = State.OUTDATED
    return ends


def _changes_ids(event: Event) -> bool:
    """Claim that an event may change a person's list of ids; an update of demographics alone changes nobody's."""
    if isinstance(event, Updated):
        return event.before is not None and set(event.before.nationals) != set(event.state.nationals)
    return isinstance(event, Announced | IdentifierChanged | Linked | Merged | NationalIdsChanged | Unmerged)


def _records(event: Event) -> Iterator[PatientKey]:
    yield from (key for name in ("record", "other") if (key := getattr(event, name, None)) is not None)


def _still_true(connection: Connection, domain: AffinityDomain, subscription: Subscription, dead: Notification) -> bool:
    """Claim that the ids are one list still, whichever record the person goes by now."""
    told = frozenset((each.authority.universal_id, each.id) for each in dead.identifiers)
    first = dead.identifiers[0]
    authority = domain.authority(first.authority)
    if authority is None:
        return False
    now = candidates.identifiers_beside(connection, domain, Identifier(authority=authority, id=first.id))
    return told in {subscription.sees(keys_of(each)) for each in now.values()}


def _names(change: Change, person: PatientKey) -> tuple[PersonName, ...]:
    """The names of the person's first record that has any; HL7 v3 wants one (ITI TF-2: Table 3.46.4.1.2.1-1)."""
    members = store_links.members(change.connection, (person,))[person]
    records = store_records.by_keys(change.connection, members)
    return next((records[key].demographics.names for key in members if records[key].demographics.names), ())
