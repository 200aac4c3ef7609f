"""Take a merge back: the subsumed id is in use again, as before. No message of IHE asks for it; a person does."""

from sqlalchemy import bindparam, select

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import store_links, store_records
from pix.event_log import read
from pix.events import Merged, Unmerged
from pix.journal import Change
from pix.linking import reevaluate
from pix.merging import match_again
from pix.model import Identifier
from pix.prepared import Prepared
from pix.tables import event

LATEST = Prepared(
    select(event.c.number)
    .where(event.c.record == bindparam("this"), event.c.type == Merged.type)
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
    change.note(_compensating(change, found.key, survivor, _latest_merge(change, found.key)))
    for key in (found.key, survivor):
        match_again(change, key)
    reevaluate(change, (found.key, survivor))


def _latest_merge(change: Change, key: PatientKey) -> int:
    ((number,),) = LATEST.rows(change.connection, {"this": key})
    return int(number)


def _compensating(change: Change, key: PatientKey, survivor: PatientKey, number: int) -> Unmerged:
    """What undoes the merge of that event as far as nothing that came later speaks against it."""
    merged = read(change.connection, number).event
    assert isinstance(merged, Merged)
    held = store_records.nationals(change.connection, (survivor,)).get(survivor, ())
    current = {each.pair: each for each in store_links.decisions(change.connection, (survivor,))}
    undone = [each for each in merged.adopted if current.get(each.pair) == each]
    replaced = {each.pair for each in undone}
    return Unmerged(
        record=key,
        other=survivor,
        redirected=tuple(each for each in merged.redirected if _is_still(change, each, survivor, number)),
        restored=merged.held,
        withdrawn=tuple(each for each in merged.inherited if each in held),
        decisions=tuple(each for each in merged.decisions if _stands(change, each.pair)),
        undone=tuple(each.pair for each in undone),
        displaced=tuple(each for each in merged.displaced if each.pair in replaced),
    )


def _is_still(change: Change, key: PatientKey, survivor: PatientKey, number: int) -> bool:
    """Claim that the merge of a record which came along is neither taken back itself nor followed by another."""
    found = store_records.by_keys(change.connection, (key,)).get(key)
    return found is not None and found.survivor == survivor and _latest_merge(change, key) < number


def _stands(change: Change, two: tuple[PatientKey, PatientKey]) -> bool:
    """Claim that both records of an earlier decision are still there, or come back now."""
    return len(store_records.by_keys(change.connection, two)) == len(set(two))


def _not_merged(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This patient id is not merged into another one, so there is nothing to take back",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
    )
