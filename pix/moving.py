"""Move an id from one person to another: ADT^A43 of XAD-PID Change Management (ITI TF-2: 3.64)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from ihe.patients import LinkChange, Patient
from pix import linking, merging, store_links, store_records
from pix.claims import refuse_subsumed
from pix.decisions import Basis, pair
from pix.declaring import declare, known_or_named, report_prevented
from pix.events import Remarked, Undeclared
from pix.journal import Change
from pix.model import Identifier, Merge
from pix.store_records import Record
from pix.tenures import tenures

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
        _relink(change, known_or_named(change, asked.local), previous.key, new.key, asked.local)


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
        earlier=tuple(each.cx for each in _earlier(connection, asked.local)),
    )


def _earlier(connection: Connection, local: Identifier) -> Iterator[Identifier]:
    """The ids that the local patient had before, or that were merged into it, unless they are somebody else's now."""
    found = store_records.by_identifiers(connection, (local,)).get(local.key)
    if found is None:
        return
    keys = (found.key, *store_records.subsumed_by(connection, found.key))
    had = {(each.authority, each.id) for each in tenures(connection, keys)} - {local.key}
    own = [Identifier(authority=local.authority, id=id) for oid, id in sorted(had) if oid == local.authority.oid]
    holders = store_records.by_identifiers(connection, own)
    yield from (each for each in own if each.key not in holders or holders[each.key].key in keys)


def _xad_pids(change: Change, asked: Move) -> tuple[Record, Record]:
    known = store_records.by_identifiers(change.connection, (asked.previous, asked.new))
    refuse_subsumed((asked.previous, asked.new), known)
    unknown = [each for each in dict.fromkeys((asked.new, asked.previous)) if not _is_announced(known.get(each.key))]
    if unknown:
        raise Rejected(*map(_unknown, unknown))
    return known[asked.previous.key], known[asked.new.key]


def _is_announced(found: Record | None) -> bool:
    return found is not None and found.announced


def _relink(change: Change, moved: PatientKey, previous: PatientKey, new: PatientKey, local: Identifier) -> None:
    """Declare anew between the record and all of both persons, so that nothing older brings it back."""
    joined = store_links.together(change.connection, (new,)) - {moved, previous}
    left = store_links.together(change.connection, (previous,)) - {moved} - joined
    change.locks.require({moved, *left, *joined})
    decisions = store_links.decisions(change.connection, (moved,))
    if any(
        each.basis is Basis.STEWARD and (left if each.same else joined).intersection(each.pair) for each in decisions
    ):
        raise Rejected(_decided_otherwise(local))
    change.note(Remarked(record=moved, other=new, remark="identifier-moved", detail={"apart": sorted(left)}))
    for each in decisions:
        # An earlier move, or ADT^A37, kept it apart from those with whom it is from now on.
        if not each.same and each.basis is not Basis.STEWARD and joined.intersection(each.pair):
            change.note(Undeclared(record=each.pair[0], other=each.pair[1]))
    declare(change, {pair(moved, each) for each in left}, same=False, basis=Basis.SOURCE)
    declare(change, {pair(moved, new)}, same=True, basis=Basis.SOURCE)
    linking.reevaluate(change, {moved, *left, *joined})
    report_prevented(change, (pair(moved, new),))


def _unknown(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="No feed announced this XAD-PID, so nothing can be linked with it",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.64.4.1.2.3"),
        remedy="Send ADT^A01, A04 or A28 for the patient first",
    )


def _decided_otherwise(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text="A person who looks after identities here decided that this id belongs where it is",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.64.4.1.3"),
        remedy="Ask the identity cell of this domain to take its decision back",
    )
