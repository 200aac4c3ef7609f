"""Take a merge back: the subsumed id is in use again, as before. No message of IHE asks for it; a person does."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import bindparam, select

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import store_links, store_nationals, store_records, store_tasks
from pix.decisions import Decision, pair
from pix.doubts import ask_again
from pix.event_log import LATEST as NOW
from pix.event_log import read
from pix.events import Merged, Unmerged
from pix.journal import Change
from pix.linking import reevaluate
from pix.merging import match_again
from pix.model import Identifier
from pix.state import NationalId
from pix.tables import event
from statements.prepared import Prepared

LATEST = Prepared(
    select(event.c.number)
    .where(event.c.record == bindparam("this"), event.c.type == Merged.type, event.c.number < bindparam("before"))
    .order_by(event.c.number.desc())
    .limit(1)
)


def unmerge(change: Change, subsumed: Identifier) -> None:
    """Restore ids, decisions and earlier merges of the subsumed record, then find out anew who both are."""
    found = store_records.by_identifiers(change.connection, (subsumed,)).get(subsumed.key)
    if found is None or found.survivor is None:
        raise Rejected(_not_merged(subsumed))
    survivor = found.survivor
    change.locks.require(store_links.together(change.connection, (survivor,)) | {found.key, survivor})
    number = _latest_merge(change, found.key)
    compensating = _compensating(change, found.key, survivor, number)
    # Nobody may carry them at this moment, so that no record is held by whose lock others would wait.
    change.locks.require_ids((each.authority, each.id) for each in compensating.restored)
    change.note(compensating)
    _ask_again(change, found.key, number)
    alike = {each for key in (found.key, survivor) for each in match_again(change, key)}
    reevaluate(change, {found.key, survivor, *alike})


def _latest_merge(change: Change, key: PatientKey, before: int = NOW) -> int:
    ((number,),) = LATEST.rows(change.connection, {"this": key, "before": before})
    return int(number)


def _merged(change: Change, number: int) -> Merged:
    merged = read(change.connection, number).event
    assert isinstance(merged, Merged)
    return merged


def _compensating(change: Change, key: PatientKey, survivor: PatientKey, number: int) -> Unmerged:
    """What undoes the merge of that event as far as nothing that came later speaks against it."""
    merged = _merged(change, number)
    redirected = tuple(each for each in merged.redirected if _is_still(change, each, survivor, number))
    left = [_merged(change, _latest_merge(change, each, number)) for each in set(merged.redirected) - set(redirected)]
    held = store_nationals.held(change.connection, (survivor,)).get(survivor, ())
    passed_on = _passed_on(change, merged, survivor)
    came = _came(merged, left, _withdrawn(change, merged, survivor))
    events = {each.event for each in came} & _events(merged.adopted, *(each.displaced for each in left))
    undone = [each for each in store_links.decisions(change.connection, (survivor,)) if each.event in events]
    free = {each.pair for each in undone}
    displaced = _present(change, merged.displaced, merged.other, survivor, survivor)
    return Unmerged(
        record=key,
        other=survivor,
        redirected=redirected,
        restored=_without(merged.held, (one for each in left if each.other == key for one in each.inherited)),
        withdrawn=tuple(each for each in passed_on if each in held),
        decisions=_present(change, came, key, key, survivor),
        undone=tuple(sorted(free)),
        displaced=tuple(each for each in displaced if each.pair in free),
    )


def _came(merged: Merged, left: Iterable[Merged], withdrawn: set[int]) -> tuple[Decision, ...]:
    """What was decided of the record itself: what others had brought into it goes with them where they have left."""
    gone = withdrawn | _events(*(each.decisions for each in left))
    own = (*merged.decisions, *(one for each in left if each.other == merged.record for one in each.displaced))
    return tuple(each for each in own if each.event not in gone)


def _withdrawn(change: Change, merged: Merged, survivor: PatientKey) -> set[int]:
    """The events of decisions that went over to the survivor and were taken back there."""
    held = {each.pair for each in store_links.decisions(change.connection, (survivor,))}
    others = {each.event: next(key for key in each.pair if key != merged.other) for each in merged.adopted}
    now = store_records.survivors(change.connection, others.values())
    return {
        event
        for event, key in others.items()
        if key in now and now[key] != survivor and pair(survivor, now[key]) not in held
    }


def _events(*decisions: tuple[Decision, ...]) -> set[int]:
    return {each.event for some in decisions for each in some}


def _passed_on(change: Change, merged: Merged, survivor: PatientKey) -> tuple[NationalId, ...]:
    """The national ids that came to the survivor by this merge, and by those that followed it."""
    inherited = merged.inherited
    while merged.other != survivor:
        merged = _merged(change, _latest_merge(change, merged.other))
        inherited = tuple(each for each in inherited if each in merged.inherited)
    return inherited


def _without(held: tuple[NationalId, ...], gone: Iterable[NationalId]) -> tuple[NationalId, ...]:
    names = {(each.authority, each.id) for each in gone}
    return tuple(each for each in held if (each.authority, each.id) not in names)


def _present(
    change: Change, decisions: tuple[Decision, ...], former: PatientKey, now: PatientKey, survivor: PatientKey
) -> tuple[Decision, ...]:
    """Decisions about ``former`` as they are about ``now``; the others of them may have been merged meanwhile.

    Left out are those that another record took home, those about a record that is not there any more, and a link to
    what was merged into the ``survivor``: it would undo what is done here.
    """
    others = {key for each in decisions for key in each.pair} - {former}
    survivors = store_records.survivors(change.connection, others)
    about = store_links.decisions(change.connection, set(survivors.values()))
    elsewhere = {each.event for each in about if survivor not in each.pair}
    found: dict[tuple[PatientKey, PatientKey], Decision] = {}
    for each in sorted(decisions, key=lambda one: one.weight):
        (other,) = set(each.pair) - {former}
        if each.event in elsewhere or other not in survivors:
            continue
        present = survivors[other]
        came_along = each.same and present == survivor != other
        if present != now and not came_along:
            found[pair(now, present)] = replace(each, pair=pair(now, present))
    return tuple(found.values())


def _ask_again(change: Change, key: PatientKey, number: int) -> None:
    """Open anew what the merge had closed and only a person answers."""
    closed = store_tasks.closed_by(change.connection, key, number)
    ask_again(change, closed, store_records.survivors(change.connection, {one for each in closed for one in each.pair}))


def _is_still(change: Change, key: PatientKey, survivor: PatientKey, number: int) -> bool:
    """Claim that the merge of a record which came along is neither taken back itself nor followed by another."""
    found = store_records.by_keys(change.connection, (key,)).get(key)
    return found is not None and found.survivor == survivor and _latest_merge(change, key) < number


def _not_merged(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This patient id is not merged into another one, so there is nothing to take back",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
    )
