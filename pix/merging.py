"""Merge ids and change them: A40, A47 and Duplicates Resolved (ITI TF-2: 3.8.4.2, 3.30.6.4, 3.30.6.5)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ihe.errors import Rejected
from ihe.identifiers import PatientKey
from pix import comparing, store_links, store_nationals, store_records
from pix.claims import refuse_kept_apart, refuse_subsumed
from pix.decisions import Decision, pair
from pix.doubts import ask_again, questions
from pix.events import IdentifierChanged, Merged, NationalIdsChanged, Remarked
from pix.journal import Change
from pix.linking import reevaluate
from pix.merge_refusals import is_changed_too, is_taken, is_the_same, is_unknown
from pix.model import Merge
from pix.registration import national_id
from pix.state import NationalId, State
from pix.store_records import Record

Nationals = tuple[NationalId, ...]
Decisions = tuple[Decision, ...]


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
            raise Rejected(*map(is_unknown, unknown))
        _merge(change, found)


def merge_or_change(change: Change, merges: Iterable[Merge]) -> None:
    """Merge. An unknown survivor: change the id. An unknown subsumed id: nothing (ITI TF-2: 3.30.6.4.4)."""
    for each in _of_records(change, merges):
        if _is_done(change, each):
            continue
        found = _find(change, each)
        if found.subsumed is None:
            change.note(_without_subject(each))
        elif found.surviving is None:
            _rename(change, found)
        else:
            _merge(change, found)


def change_identifiers(change: Change, changes: Iterable[Merge]) -> None:
    """Change ids. One that another patient has is an error, an unknown old one is not (ITI TF-2: 3.30.6.5.4)."""
    changes = tuple(changes)
    _refuse_two_for_one(changes)
    for each in _of_records(change, changes):
        found = _find(change, each)
        if found.surviving is not None:
            raise Rejected(is_taken(each.surviving))
        if found.subsumed is None:
            change.note(_without_subject(each))
        else:
            _rename(change, found)


def _refuse_two_for_one(changes: Iterable[Merge]) -> None:
    """Refuse to give two ids the same new one: "a single ... value has been found to be incorrect" (3.30.6.5.1)."""
    given: dict[tuple[str, str], Merge] = {}
    again = [each for each in changes if given.setdefault(each.surviving.key, each) is not each]
    if again:
        raise Rejected(*(is_changed_too(each.subsumed) for each in again))


def _of_records(change: Change, merges: Iterable[Merge]) -> list[Merge]:
    """Refuse an id given twice; exchange national ids where sources carry them; leave the ids that are records."""
    merges = tuple(merges)
    same = [is_the_same(each.subsumed) for each in merges if each.subsumed == each.surviving]
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
    assert found.surviving is not None
    assert found.subsumed is not None
    refuse_kept_apart(change, found.merge, found.surviving, found.subsumed)
    merge_records(change, survivor=found.surviving.key, subsumed=found.subsumed.key)


def merge_records(change: Change, *, survivor: PatientKey, subsumed: PatientKey) -> None:
    """Replace every reference to the subsumed id, then find out anew who is who (ITI TF-2: 3.8.4.2.3)."""
    alike = comparing.others(comparing.held(change, subsumed), subsumed)
    touched = (store_links.together(change.connection, (survivor, subsumed)) | alike) - {subsumed}
    open_questions = questions(change, subsumed)
    held, inherited = _inherited(change, survivor, subsumed)
    decisions, adopted, displaced = inherited_decisions(change, survivor, subsumed)
    redirected = store_records.subsumed_by(change.connection, subsumed)
    change.note(
        Merged(
            record=subsumed,
            other=survivor,
            redirected=redirected,
            held=held,
            inherited=inherited,
            decisions=decisions,
            adopted=adopted,
            displaced=displaced,
        )
    )
    ask_again(change, open_questions, {subsumed: survivor})
    reevaluate(change, {*touched, *match_again(change, survivor)})


def _inherited(change: Change, survivor: PatientKey, subsumed: PatientKey) -> tuple[Nationals, Nationals]:
    """The national ids of the subsumed, and those that the survivor has none of the same authority of."""
    held = store_nationals.held(change.connection, (survivor, subsumed))
    own, others = held.get(survivor, ()), held.get(subsumed, ())
    known = {mine.authority for mine in own}
    return others, tuple(each for each in others if each.authority not in known)


def inherited_decisions(
    change: Change, survivor: PatientKey, gone: PatientKey
) -> tuple[Decisions, Decisions, Decisions]:
    """What was decided about the record that goes, what of it is about the survivor now, and what gives way to it."""
    decisions = store_links.decisions(change.connection, (survivor, gone))
    mine = {each.pair: each for each in decisions if survivor in each.pair and gone not in each.pair}
    theirs = tuple(each for each in decisions if gone in each.pair)
    adopted, displaced = dict(mine), {}
    for each in theirs:
        two = pair(survivor, next(key for key in each.pair if key != gone))
        if two[0] != two[1] and (two not in adopted or each.weight > adopted[two].weight):
            if two in mine:
                displaced[two] = mine[two]
            adopted[two] = replace(each, pair=two)
    return theirs, tuple(each for two, each in adopted.items() if mine.get(two) != each), tuple(displaced.values())


def match_again(change: Change, key: PatientKey) -> set[PatientKey]:
    """Compare a record anew, of which other ids are known now, or which is in use again; those that it was like."""
    found = store_records.by_keys(change.connection, (key,))[key]
    nationals = store_nationals.held(change.connection, (key,)).get(key, ())
    before = comparing.held(change, key)
    state = State(demographics=found.demographics, nationals=nationals)
    comparing.note(change, key, comparing.verdicts(change, key, state, before), before)
    return comparing.others(before, key)


def _rename(change: Change, found: Found) -> None:
    """The record keeps its key, its links and its documents under the new id."""
    assert found.subsumed is not None
    key, new = found.subsumed.key, found.merge.surviving
    named = store_records.by_identifiers(change.connection, (new,)).get(new.key)
    adopted = inherited_decisions(change, key, named.key)[1] if named else ()
    oid, id = new.key
    change.note(
        IdentifierChanged(
            record=key,
            before=found.subsumed.identifier,
            authority=oid,
            id=id,
            replaced=named.key if named else None,
            adopted=adopted,
        )
    )
    reevaluate(change, (key,))


def _exchange_national(change: Change, each: Merge) -> None:
    """Change a national id on the records that this source feeds and that carry the old one."""
    carrying = store_nationals.carrying(change.connection, each.subsumed.key)
    records = store_records.by_keys(change.connection, carrying)
    own = [key for key, record in records.items() if record.source == change.origin.source]
    held = store_nationals.held(change.connection, own)
    for key in own:
        rest = tuple(one for one in held[key] if (one.authority, one.id) != each.subsumed.key)
        after = (*rest, national_id(change, each.surviving))
        change.note(NationalIdsChanged(record=key, before=held[key], nationals=after))
    alike = {each for key in own for each in match_again(change, key)}
    reevaluate(change, {*own, *alike})


def _without_subject(each: Merge) -> Remarked:
    """Nobody knows the id that was to go: no error, and nothing to do (ITI TF-2: 3.30.6.4.4, 3.30.6.5.4)."""
    detail = {"authority": each.subsumed.authority.oid, "old": each.subsumed.id, "new": each.surviving.id}
    return Remarked(remark="without-subject", detail=detail)
