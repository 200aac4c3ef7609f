"""Add a patient or update it: A01, A04, A05, A08, A28, A31 and their v3 counterparts (ITI TF-2: 3.8.4.1, 3.30.6.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ihe.identifiers import PatientKey
from pix import comparing, declaring, matricule, store_nationals, store_records
from pix.agreement import names_disagree
from pix.claims import claimed, own_identifiers, refuse_subsumed
from pix.doubts import report, report_collision
from pix.events import Announced, Remarked, Updated
from pix.journal import Change, asking_number
from pix.linking import reevaluate
from pix.locks import Met
from pix.matching.blocking import lookup_keys
from pix.matching.dates import Birth, compare, day
from pix.matching.mode import Mode
from pix.model import Feed, Identifier, IdentifierList
from pix.snapshot import to_json
from pix.state import NationalId, State
from pix.store_blocking import asking_sharing, seen, unidentified
from pix.store_records import Record
from pix.tasks import Kind
from pix.wordlists import wordlist
from statements.prepared import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One record as written; ``settled`` if who it is need not be found out anew, nor who those ``alike`` are."""

    key: PatientKey
    settled: bool
    alike: frozenset[PatientKey] = frozenset()


def register(change: Change, feed: Feed) -> None:
    """Store what the feed says with each of its records, and find out anew who they are."""
    own = own_identifiers(feed.identifiers)
    known = store_records.by_identifiers(change.connection, own)
    refuse_subsumed(own, known)
    mine = claimed(change, own, known, feed)
    stored = [_store(change, known.get(each.key), each, feed, alone=len(mine) == 1) for each in mine]
    keys = [each.key for each in stored]
    strangers = [known[each.key].key for each in own if each not in mine]
    declared = declaring.assert_same(change, keys)
    if known and feed.identifier_list is IdentifierList.COMPLETE:
        declared |= declaring.take_back(change, keys, {*keys, *strangers})
    if declared or not all(each.settled for each in stored):
        reevaluate(change, {*keys, *(other for each in stored for other in each.alike)})
    for each in strangers:
        report_collision(change, each, keys[0])


def asking(change: Change, met: Met, feed: Feed) -> Iterator[Question]:
    """What ``register`` will ask first of PostgreSQL, as who was met while locks were taken tells it."""
    own = own_identifiers(feed.identifiers)
    yield from store_records.asking_by_identifiers(own)
    yield asking_number()
    known = {met.known[each.key] for each in own if each.key in met.known}
    if known:
        yield from [(store_nationals.HELD, {"keys": [key]}) for key in known]
        return
    yield store_records.NEXT_KEY["postgresql"], {}
    if change.mode is not Mode.OFF:
        yield from asking_sharing(met.blocking)
        if met.candidates:
            yield store_records.SEEN, {"keys": sorted(met.candidates)}
    yield from store_nationals.asking_carrying(each.key for each in feed.identifiers if each.authority.national)


def foresee(feed: Feed) -> None:
    """Work out what a new record says, before the change begins: while one changes the index, others wait."""
    to_json(feed.demographics)
    wordlist(feed.demographics)
    lookup_keys(unidentified(feed.demographics))


def _store(change: Change, found: Record | None, identifier: Identifier, feed: Feed, *, alone: bool) -> Stored:
    if found is None or not found.announced:
        return _announce(change, found, identifier, feed, alone=alone and found is None)
    return _update(change, found, identifier, feed)


def _announce(change: Change, named: Record | None, identifier: Identifier, feed: Feed, *, alone: bool) -> Stored:
    """Write a new record; one that nothing connects with others is a person by itself at once."""
    state = State(demographics=feed.demographics, nationals=_nationals(change, (), feed))
    key = named.key if named else store_records.next_key(change.connection)
    change.locks.adopt(key)
    verdicts = comparing.verdicts(change, key, state)
    alone = alone and not verdicts and not _shared(change, state.nationals)
    oid, id = identifier.key
    change.note(
        Announced(
            record=key,
            authority=oid,
            id=id,
            type_code=identifier.type_code,
            sent=feed.sent,
            alone=alone,
            state=state,
        )
    )
    comparing.remember(state)
    comparing.note(change, key, verdicts)
    _remark_doubtful(change, key, state.nationals, state.demographics.birth_time)
    return Stored(key=key, settled=alone)


def _update(change: Change, found: Record, identifier: Identifier, feed: Feed) -> Stored:
    key, connection = found.key, change.connection
    held = store_nationals.held(connection, (key,)).get(key, ())
    before = State(demographics=found.demographics, nationals=held)
    after = State(demographics=feed.applied_to(before.demographics), nationals=_nationals(change, held, feed))
    oid, id = identifier.key
    updated = Updated(record=key, authority=oid, id=id, sent=feed.sent, before=before, state=after)
    if before == after:
        change.note(replace(updated, before=None))
        return Stored(key=key, settled=True)
    like = seen(before) != seen(after)
    matches = comparing.held(change, key) if like else ()
    verdicts = comparing.verdicts(change, key, after, matches) if like else ()
    change.note(updated)
    matched = like and comparing.note(change, key, verdicts, matches)
    _remark_doubtful(change, key, set(after.nationals) - set(before.nationals), after.demographics.birth_time)
    _report_overlay(change, key, before, after)
    settled = not matched and after.identity == before.identity
    return Stored(key=key, settled=settled, alike=frozenset(comparing.others(matches, key)))


def _shared(change: Change, nationals: tuple[NationalId, ...]) -> bool:
    """Claim that another record carries one of these national ids."""
    valid = [(each.authority, each.id) for each in nationals if each.valid]
    return any(store_nationals.carrying(change.connection, each) for each in valid)


def _report_overlay(change: Change, key: PatientKey, before: State, after: State) -> None:
    """An id whose patient now has a wholly different name or birth date may have been given to somebody else."""
    if names_disagree(before.demographics, after.demographics):
        report(change, Kind.OVERLAY, key, key, "the name was another before")
    elif _is_of_another_birth(before, after):
        report(change, Kind.OVERLAY, key, key, "the birth date was another before")
    elif before.demographics.names and not after.demographics.names:
        # The next name would have nothing to be compared with.
        report(change, Kind.OVERLAY, key, key, "the name was taken away")


def _is_of_another_birth(before: State, after: State) -> bool:
    """Claim that the two dates are no slip of the keyboard: a namesake's."""
    return compare(day(before.demographics.birth_time), day(after.demographics.birth_time)) is Birth.DIFFERENT


def remarks(nationals: Iterable[NationalId], birth_time: str | None) -> Iterator[tuple[str, NationalId]]:
    """Which national ids deserve a look: wrong check digits (it links nobody), or another birth date in front."""
    for each in sorted(nationals, key=lambda one: (one.authority, one.id)):
        if remark := _doubt(each, birth_time):
            yield remark, each


def _remark_doubtful(change: Change, key: PatientKey, nationals: Iterable[NationalId], birth_time: str | None) -> None:
    for remark, each in remarks(nationals, birth_time):
        change.note(Remarked(record=key, remark=remark, detail={"authority": each.authority, "id": each.id}))


def _doubt(national: NationalId, birth_time: str | None) -> str | None:
    form = matricule.form(national.id)
    if not national.valid:
        # The older form of eleven digits had no check digits that anybody could look at.
        return "national-id-of-old-form" if form is matricule.Form.OLD else "national-id-invalid"
    return "national-id-implausible" if form and not matricule.plausible(national.id, birth_time) else None


def _nationals(change: Change, held: tuple[NationalId, ...], feed: Feed) -> tuple[NationalId, ...]:
    """The record's national ids now. A complete list replaces them all, another one only what it mentions."""
    listed = [each for each in dict.fromkeys(feed.identifiers) if each.authority.national]
    if not listed and not held:
        return ()
    mentioned = {each.authority.oid for each in listed} | {each.oid for each in feed.withdrawn}
    complete = feed.identifier_list is IdentifierList.COMPLETE
    kept = [] if complete else [each for each in held if each.authority not in mentioned]
    return (*kept, *(national_id(change, each) for each in listed))


def national_id(change: Change, identifier: Identifier) -> NationalId:
    """A national id with the verdict on its check digits."""
    valid = change.is_national_id(identifier.id)
    oid = identifier.authority.oid
    return NationalId(authority=oid, id=identifier.id, type_code=identifier.type_code, valid=valid)
