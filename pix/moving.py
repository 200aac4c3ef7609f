"""Move an id from one person to another: ADT^A43 of XAD-PID Change Management (ITI TF-2: 3.64)."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from ihe.patients import LinkChange, Patient
from pix import linking, merging, store_links, store_records
from pix.claims import refuse_subsumed
from pix.journal import Change
from pix.model import NOTHING_KNOWN, Identifier, Merge
from pix.persons import Pair, pair
from pix.store_links import Decision
from pix.store_records import Record

Resolve = Callable[[Connection, CX], Patient | None]
Follow = Callable[[Connection, LinkChange], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """``local`` leaves the person of ``previous`` for the person of ``new``; ``subsumed`` is merged into it.

    ``previous`` and ``new`` are XAD-PIDs, and the same one if there is only a merge to report.
    """

    local: Identifier
    previous: Identifier
    new: Identifier
    subsumed: Identifier | None = None


def move(change: Change, asked: Move) -> None:
    """Take the id out of its person and put it into the other; its record keeps its key and its documents."""
    previous, new = _xad_pids(change, asked)
    if asked.subsumed is not None:
        merging.merge_or_change(change, (Merge(surviving=asked.local, subsumed=asked.subsumed),))
    if previous.key != new.key:
        _relink(change, _known_or_named(change, asked.local), previous.key, new.key)


def link_change(connection: Connection, asked: Move, source_id: str | None, resolve: Resolve) -> LinkChange:
    """The move as the registry sees it; Rejected if an XAD-PID is none of its patients."""
    previous, new = resolve(connection, asked.previous.cx), resolve(connection, asked.new.cx)
    if previous is None or new is None:
        raise Rejected(*(_unknown(each) for each, found in ((asked.new, new), (asked.previous, previous)) if not found))
    return LinkChange(
        local=asked.local.cx,
        previous=previous,
        new=new,
        subsumed=asked.subsumed.cx if asked.subsumed else None,
        source_id=source_id,
    )


def _xad_pids(change: Change, asked: Move) -> tuple[Record, Record]:
    known = store_records.by_identifiers(change.connection, (asked.previous, asked.new))
    refuse_subsumed((asked.previous, asked.new), known)
    unknown = [each for each in dict.fromkeys((asked.new, asked.previous)) if not _is_announced(known.get(each.key))]
    if unknown:
        raise Rejected(*map(_unknown, unknown))
    return known[asked.previous.key], known[asked.new.key]


def _is_announced(found: Record | None) -> bool:
    return found is not None and found.announced


def _relink(change: Change, moved: PatientKey, previous: PatientKey, new: PatientKey) -> None:
    """Decide anew between the record and all of both persons, so that nothing older brings it back."""
    joined = store_links.together(change.connection, (new,)) - {moved, previous}
    left = store_links.together(change.connection, (previous,)) - {moved} - joined
    change.locks.require({moved, *left, *joined})
    outdated = [
        each for each in store_links.decisions(change.connection, (moved,)) if _other(each, moved) in joined | left
    ]
    event = change.note(
        "identifier-moved",
        record=moved,
        other=new,
        before={"decisions": [{"pair": each.pair, "same": each.same, "explicit": each.explicit} for each in outdated]},
        after={"apart": sorted(left), "with": new},
    )
    for each in outdated:
        store_links.undecide(change.connection, each.pair)
    for key in sorted(left):
        _decide(change, pair(moved, key), event, same=False)
    _decide(change, pair(moved, new), event, same=True)
    linking.reevaluate(change, {moved, *left, *joined})


def _other(decision: Decision, key: PatientKey) -> PatientKey:
    return next(each for each in decision.pair if each != key)


def _decide(change: Change, two: Pair, event: int, *, same: bool) -> None:
    store_links.decide(change.connection, Decision(pair=two, same=same, explicit=True, event=event))


def _known_or_named(change: Change, identifier: Identifier) -> PatientKey:
    """The record of the id; one that no feed announced yet is remembered, as links do (ITI TF-2: 3.30.6.6.4)."""
    known = store_records.by_identifiers(change.connection, (identifier,)).get(identifier.key)
    refuse_subsumed((identifier,), {identifier.key: known} if known else {})
    if known is not None:
        return known.key
    key = store_records.add(
        change.connection,
        identifier,
        source=change.origin.source,
        announced=False,
        demographics=NOTHING_KNOWN,
        at=change.timestamp,
    )
    change.locks.adopt(key)
    change.note("named", record=key, after={"authority": identifier.authority.oid, "id": identifier.id})
    return key


def _unknown(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="No feed announced this XAD-PID, so nothing can be linked with it",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.64.4.1.2.3"),
        remedy="Send ADT^A01, A04 or A28 for the patient first",
    )
