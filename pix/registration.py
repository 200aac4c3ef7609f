"""Add a patient or update it: A01, A04, A05, A08, A28, A31 and their v3 counterparts (ITI TF-2: 3.8.4.1, 3.30.6.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import linking, store_links, store_records
from pix.agreement import disagreement
from pix.journal import Change
from pix.model import Demographics, Feed, Identifier, IdentifierList
from pix.persons import pair
from pix.snapshot import plain
from pix.store_records import NationalId, Record
from pix.store_tokens import replace_tokens

COLLISION = "collision"
IDENTITY = ("names", "aliases", "birth_time")
"""The attributes by which linking by national id can be vetoed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of one record."""

    demographics: Demographics
    nationals: tuple[NationalId, ...]

    @property
    def identity(self) -> tuple[object, ...]:
        """What linking looks at."""
        return (set(self.nationals), *(getattr(self.demographics, name) for name in IDENTITY))

    @property
    def plain(self) -> Mapping[str, Any]:
        """The state as an event keeps it."""
        carried = [{"authority": each.authority, "id": each.id, "valid": each.valid} for each in self.nationals]
        return {"demographics": plain(self.demographics), "national": carried}


def register(change: Change, feed: Feed) -> None:
    """Store what the feed says with each of its records, and find out anew who they are."""
    own = own_identifiers(feed.identifiers)
    known = store_records.by_identifiers(change.connection, own)
    refuse_subsumed(own, known)
    claimed = [each for each in own if not _is_another_person(change, known.get(each.key), feed)] or own
    stored = {each: _store(change, known.get(each.key), each, feed) for each in claimed}
    keys = [key for key, _ in stored.values()]
    declared = linking.assert_same(change, keys)
    if declared or any(identity_changed for _, identity_changed in stored.values()):
        linking.reevaluate(change, keys)
    for each in set(own) - set(claimed):
        _report_collision(change, known[each.key].key, keys[0])


def own_identifiers(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """The ids that are records of their own; a national id is one only if it is an XDS id, or if there is no other."""
    unique = tuple(dict.fromkeys(identifiers))
    own = tuple(each for each in unique if not each.authority.national or each.authority.issues_xds_ids)
    return own or unique


def refuse_subsumed(identifiers: Iterable[Identifier], known: dict[tuple[str, str], Record]) -> None:
    """Refuse ids that were merged away: they shall not be referenced any more (ITI TF-2: 3.8.4.2.2.4)."""
    subsumed = [each for each in identifiers if each.key in known and known[each.key].survivor is not None]
    if subsumed:
        raise Rejected(*map(_subsumed_breach, subsumed))


def _subsumed_breach(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This patient id was merged into another one and is no longer in use",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.2.4"),
        remedy="Send the surviving id, which the merge message named in PID-3",
    )


def _is_another_person(change: Change, found: Record | None, feed: Feed) -> bool:
    """An id of somebody else's record among the ids of this patient: a slip, and linking it would join two people."""
    return (
        found is not None
        and found.announced
        and found.source != change.origin.source
        and disagreement(found.demographics, feed.demographics) is not None
    )


def _report_collision(change: Change, key: PatientKey, other: PatientKey) -> None:
    two = pair(key, other)
    if two not in store_links.open_tasks(change.connection, two, COLLISION):
        event = change.note("collision", record=key, other=other)
        store_links.open_task(change.connection, COLLISION, two, "two people in one message", event)


def _store(change: Change, found: Record | None, identifier: Identifier, feed: Feed) -> tuple[PatientKey, bool]:
    """Write one record; tell its key, and whether something changed that decides who it is."""
    held = store_records.nationals(change.connection, (found.key,)).get(found.key, ()) if found else ()
    before = State(demographics=found.demographics if found else Demographics(), nationals=held)
    after = State(demographics=updated(before.demographics, feed), nationals=_nationals(change, held, feed))
    key = _write(change, found, identifier, after.demographics)
    store_records.set_nationals(change.connection, key, before.nationals, after.nationals)
    replace_tokens(change.connection, key, before.demographics, after.demographics)
    new = found is None or not found.announced
    known_as = {"authority": identifier.authority.oid, "id": identifier.id}
    change.note(
        "announced" if new else "updated",
        record=key,
        before=None if new or before == after else before.plain,
        after={**known_as, "sent": feed.sent, **after.plain},
    )
    _note_invalid(change, key, set(after.nationals) - set(before.nationals))
    return key, new or after.identity != before.identity


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


def updated(known: Demographics, feed: Feed) -> Demographics:
    """What is sent replaces, ``""`` deletes, what is absent stays (ITI TF-2: C.2.6)."""
    empty, sent = Demographics(), feed.demographics
    names = [each.name for each in fields(Demographics)]
    changes = {name: getattr(sent, name) for name in names if getattr(sent, name) != getattr(empty, name)}
    return replace(known, **{name: getattr(empty, name) for name in feed.deleted}, **changes)


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
