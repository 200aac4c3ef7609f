"""Merge ids and change them: A40, A47 and Duplicates Resolved (ITI TF-2: 3.8.4.2, 3.30.6.4, 3.30.6.5)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import linking, store_links, store_records
from pix.claims import refuse_subsumed
from pix.journal import Change
from pix.model import Identifier, Merge
from pix.persons import pair
from pix.registration import national_id, report_collision
from pix.store_links import COLLISION, DISAGREEMENT, Decision
from pix.store_records import Record
from pix.store_tokens import remove_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A merge and the records that its ids name; a record that no feed announced counts as none."""

    merge: Merge
    surviving: Record | None
    subsumed: Record | None


def merge(change: Change, merges: Iterable[Merge]) -> None:
    """Merge ids that are both known and in use, as the Document Registry wants it (ITI TF-2: 3.8.4.2.4)."""
    for each in _of_records(change, merges):
        found = _find(change, each)
        unknown = [
            identifier
            for identifier, record in ((each.subsumed, found.subsumed), (each.surviving, found.surviving))
            if record is None
        ]
        if unknown:
            raise Rejected(*map(_unknown, unknown))
        _merge(change, found)


def merge_or_change(change: Change, merges: Iterable[Merge]) -> None:
    """Merge. An unknown survivor: change the id. An unknown subsumed id: nothing (ITI TF-2: 3.30.6.4.4)."""
    for each in _of_records(change, merges):
        if _is_done(change, each):
            continue
        found = _find(change, each)
        if found.subsumed is None:
            change.note("merge-without-subject", after={"subsumed": each.subsumed.id, "surviving": each.surviving.id})
        elif found.surviving is None:
            _rename(change, found)
        else:
            _merge(change, found)


def change_identifiers(change: Change, changes: Iterable[Merge]) -> None:
    """Change ids. One that another patient has is an error, an unknown old one is not (ITI TF-2: 3.30.6.5.4)."""
    for each in _of_records(change, changes):
        found = _find(change, each)
        if found.surviving is not None:
            raise Rejected(_taken(each.surviving))
        if found.subsumed is None:
            change.note("change-without-subject", after={"old": each.subsumed.id, "new": each.surviving.id})
        else:
            _rename(change, found)


def _of_records(change: Change, merges: Iterable[Merge]) -> list[Merge]:
    """Refuse an id given twice; exchange national ids where sources carry them; leave the ids that are records."""
    merges = tuple(merges)
    same = [_same(each.subsumed) for each in merges if each.subsumed == each.surviving]
    if same:
        raise Rejected(*same)
    national = [each for each in merges if each.subsumed.authority.national]
    for each in national:
        _exchange_national(change, each)
    attached = {each.subsumed for each in national if not each.subsumed.authority.issues_xds_ids}
    records = store_records.by_identifiers(change.connection, attached)
    return [each for each in merges if each.subsumed not in attached or each.subsumed.key in records]


def _is_done(change: Change, each: Merge) -> bool:
    """Claim that an earlier message merged the one into the other; into a third one is another matter."""
    known = store_records.by_identifiers(change.connection, (each.surviving, each.subsumed))
    surviving, subsumed = known.get(each.surviving.key), known.get(each.subsumed.key)
    return surviving is not None and subsumed is not None and subsumed.survivor == surviving.key


def _find(change: Change, each: Merge) -> Found:
    known = store_records.by_identifiers(change.connection, (each.surviving, each.subsumed))
    refuse_subsumed((each.surviving, each.subsumed), known)
    announced = {key: found for key, found in known.items() if found.announced}
    return Found(merge=each, surviving=announced.get(each.surviving.key), subsumed=announced.get(each.subsumed.key))


def _merge(change: Change, found: Found) -> None:
    """Replace every reference to the subsumed id, then find out anew who is who (ITI TF-2: 3.8.4.2.3)."""
    assert found.surviving is not None
    assert found.subsumed is not None
    survivor, subsumed = found.surviving.key, found.subsumed.key
    touched = store_links.together(change.connection, (survivor, subsumed)) - {subsumed}
    change.locks.require((survivor, subsumed))
    inherited = _inherit_nationals(change, survivor, subsumed)
    decisions = _inherit_decisions(change, survivor, subsumed)
    event = change.note(
        "merged", record=subsumed, other=survivor, after={"inherited": inherited, "decisions": decisions}
    )
    store_records.subsume(change.connection, subsumed, survivor)
    store_links.end(change.connection, subsumed, event)
    remove_tokens(change.connection, subsumed)
    _inherit_tasks(change, survivor, subsumed, event)
    linking.reevaluate(change, touched)


def _inherit_nationals(change: Change, survivor: PatientKey, subsumed: PatientKey) -> list[str]:
    """The survivor takes over national ids of authorities that gave it none; those of the subsumed go."""
    held = store_records.nationals(change.connection, (survivor, subsumed))
    own, others = held.get(survivor, ()), held.get(subsumed, ())
    missing = tuple(each for each in others if each.authority not in {mine.authority for mine in own})
    store_records.set_nationals(change.connection, survivor, own, (*own, *missing))
    store_records.set_nationals(change.connection, subsumed, others, ())
    return [each.id for each in missing]


def _inherit_decisions(change: Change, survivor: PatientKey, subsumed: PatientKey) -> list[dict[str, object]]:
    """Decisions about the subsumed record are now about the survivor, unless it has one that weighs as much."""
    decisions = store_links.decisions(change.connection, (survivor, subsumed))
    of_survivor = {each.pair: each for each in decisions if survivor in each.pair}
    inherited = [each for each in decisions if subsumed in each.pair]
    store_links.forget_decisions(change.connection, subsumed)
    for each in inherited:
        other = next(key for key in each.pair if key != subsumed)
        two = pair(survivor, other)
        if other != survivor and (two not in of_survivor or _weight(each) > _weight(of_survivor[two])):
            store_links.decide(change.connection, replace(each, pair=two))
    return [{"pair": each.pair, "same": each.same, "explicit": each.explicit} for each in inherited]


def _weight(decision: Decision) -> tuple[bool, bool]:
    """A deliberate decision weighs more than two ids in one message, and to keep apart more than to join."""
    return (decision.explicit, not decision.same)


def _inherit_tasks(change: Change, survivor: PatientKey, subsumed: PatientKey, event: int) -> None:
    """What waits for a human is now about the survivor; contradictions are found anew."""
    for kind in (DISAGREEMENT, COLLISION):
        waiting = store_links.open_tasks(change.connection, (subsumed,), kind)
        store_links.close_tasks(change.connection, kind, waiting, event)
        others = {key for two in waiting for key in two} - {subsumed, survivor}
        for other in sorted(others) if kind == COLLISION else ():
            report_collision(change, survivor, other)


def _rename(change: Change, found: Found) -> None:
    """The record keeps its key, its links and its documents under the new id."""
    assert found.subsumed is not None
    key, new = found.subsumed.key, found.merge.surviving
    named = store_records.by_identifiers(change.connection, (new,)).get(new.key)
    if named is not None:
        _inherit_decisions(change, key, named.key)
        store_records.remove(change.connection, named.key)
    before = {"authority": found.subsumed.authority, "id": found.subsumed.id}
    change.note("identifier-changed", record=key, before=before, after={"authority": new.authority.oid, "id": new.id})
    store_records.rename(change.connection, key, new)
    linking.reevaluate(change, (key,))


def _exchange_national(change: Change, each: Merge) -> None:
    """Change a national id on the records that this source feeds and that carry the old one."""
    carrying = store_records.records_with_national(change.connection, each.subsumed.key)
    records = store_records.by_keys(change.connection, carrying)
    own = [key for key, record in records.items() if record.source == change.origin.source]
    held = store_records.nationals(change.connection, own)
    for key in own:
        rest = tuple(one for one in held[key] if (one.authority, one.id) != each.subsumed.key)
        after = (*rest, national_id(change, each.surviving))
        old, new = each.subsumed.id, each.surviving.id
        change.note("national-id-changed", record=key, before={"national": old}, after={"national": new})
        store_records.set_nationals(change.connection, key, held[key], after)
    linking.reevaluate(change, own)


def _unknown(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="No feed announced this patient id, so it cannot be merged",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
        remedy="Send ADT^A01, A04 or A28 for the patient first",
    )


def _taken(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="The new patient id already belongs to another patient",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.30.6.5.4"),
        remedy="Send ADT^A40 to merge the two patients",
    )


def _same(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="A patient id cannot be merged into itself",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
    )
