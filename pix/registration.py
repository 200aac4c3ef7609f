"""Add a patient or update it: A01, A04, A05, A08, A28, A31 and their v3 counterparts (ITI TF-2: 3.8.4.1, 3.30.6.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ihe.identifiers import PatientKey
from pix import linking, store_links, store_records
from pix.agreement import COMPARED
from pix.claims import claimed, own_identifiers, refuse_subsumed
from pix.journal import Change
from pix.model import NOTHING_KNOWN, Demographics, Feed, Identifier, IdentifierList
from pix.persons import pair
from pix.snapshot import plain
from pix.store_links import COLLISION
from pix.store_records import NationalId, Record
from pix.store_tokens import replace_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of one record."""

    demographics: Demographics
    nationals: tuple[NationalId, ...]

    @property
    def identity(self) -> tuple[object, ...]:
        """What linking looks at."""
        return (set(self.nationals), *(getattr(self.demographics, name) for name in COMPARED))

    @property
    def plain(self) -> Mapping[str, Any]:
        """The state as an event keeps it."""
        carried = [{"authority": each.authority, "id": each.id, "valid": each.valid} for each in self.nationals]
        return {"demographics": plain(self.demographics), "national": carried}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One record as written; ``settled`` if who it is need not be found out anew."""

    key: PatientKey
    settled: bool


def register(change: Change, feed: Feed) -> None:
    """Store what the feed says with each of its records, and find out anew who they are."""
    own = own_identifiers(feed.identifiers)
    known = store_records.by_identifiers(change.connection, own)
    refuse_subsumed(own, known)
    mine = claimed(change, own, known, feed)
    stored = [_store(change, known.get(each.key), each, feed, alone=len(mine) == 1) for each in mine]
    keys = [each.key for each in stored]
    strangers = [known[each.key].key for each in own if each not in mine]
    declared = linking.assert_same(change, keys)
    if known and feed.identifier_list is IdentifierList.COMPLETE:
        declared |= linking.take_back(change, keys, {*keys, *strangers})
    if declared or not all(each.settled for each in stored):
        linking.reevaluate(change, keys)
    for each in strangers:
        report_collision(change, each, keys[0])


def report_collision(change: Change, key: PatientKey, other: PatientKey) -> None:
    """Put before a human that one message named both records, who clearly are two people."""
    two = pair(key, other)
    if two not in store_links.open_tasks(change.connection, two, COLLISION):
        event = change.note("collision", record=key, other=other)
        store_links.open_task(change.connection, COLLISION, two, "two people in one message", event)


def _store(change: Change, found: Record | None, identifier: Identifier, feed: Feed, *, alone: bool) -> Stored:
    """Write one record; a new one that nothing connects with others is linked to itself at once."""
    connection = change.connection
    held = store_records.nationals(connection, (found.key,)).get(found.key, ()) if found else ()
    before = State(demographics=found.demographics if found else NOTHING_KNOWN, nationals=held)
    after = State(demographics=feed.applied_to(before.demographics), nationals=_nationals(change, held, feed))
    key = _write(change, found, identifier, after.demographics)
    store_records.set_nationals(connection, key, before.nationals, after.nationals)
    replace_tokens(connection, key, before.demographics, after.demographics)
    alone = alone and found is None and not store_links.neighbours(connection, (key,)) - {key}
    event = _note(change, found, identifier, key, before, after, {"sent": feed.sent, "alone": alone})
    if alone:
        store_links.begin(connection, key, key, "alone", event)
    _note_invalid(change, key, set(after.nationals) - set(before.nationals))
    new = found is None or not found.announced
    return Stored(key=key, settled=alone or not (new or after.identity != before.identity))


def _note(
    change: Change,
    found: Record | None,
    identifier: Identifier,
    key: PatientKey,
    before: State,
    after: State,
    more: Mapping[str, Any],
) -> int:
    new = found is None or not found.announced
    return change.note(
        "announced" if new else "updated",
        record=key,
        before=None if new or before == after else before.plain,
        after={"authority": identifier.authority.oid, "id": identifier.id, **more, **after.plain},
    )


def _write(change: Change, found: Record | None, identifier: Identifier, demographics: Demographics) -> PatientKey:
    connection, source, at = change.connection, change.origin.source, change.timestamp
    if found is not None:
        store_records.describe(connection, found.key, demographics, source, at)
        return found.key
    key = store_records.add(connection, identifier, source=source, announced=True, demographics=demographics, at=at)
    change.locks.adopt(key)
    return key


def _note_invalid(change: Change, key: PatientKey, nationals: Iterable[NationalId]) -> None:
    """A national id with wrong check digits is kept, but links nobody."""
    for each in sorted(nationals, key=lambda one: (one.authority, one.id)):
        if not each.valid:
            change.note("national-id-invalid", record=key, after={"authority": each.authority, "id": each.id})


def _nationals(change: Change, held: tuple[NationalId, ...], feed: Feed) -> tuple[NationalId, ...]:
    """The record's national ids now. A complete list replaces them all, another one only what it mentions."""
    listed = [each for each in dict.fromkeys(feed.identifiers) if each.authority.national]
    mentioned = {each.authority.oid for each in listed} | {each.oid for each in feed.withdrawn}
    complete = feed.identifier_list is IdentifierList.COMPLETE
    kept = [] if complete else [each for each in held if each.authority not in mentioned]
    return (*kept, *(national_id(change, each) for each in listed))


def national_id(change: Change, identifier: Identifier) -> NationalId:
    """A national id with the verdict on its check digits."""
    valid = change.is_national_id(identifier.id)
    oid = identifier.authority.oid
    return NationalId(authority=oid, id=identifier.id, type_code=identifier.type_code, valid=valid)
