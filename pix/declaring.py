"""What sources and people say of two records: link, unlink, ids in one message (ITI TF-2: 3.30.6.6, 3.30.6.7)."""

from collections.abc import Collection, Iterable

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix import store_links, store_records
from pix.claims import own_identifiers, refuse_subsumed
from pix.decisions import Basis, Pair, pair
from pix.doubts import report
from pix.events import Declared, Named, Undeclared
from pix.journal import Change
from pix.linking import reevaluate
from pix.model import Identifier
from pix.tasks import Kind


def assert_same(change: Change, keys: Collection[PatientKey]) -> bool:
    """One message lists these records' ids for one patient. What was decided deliberately is left as it is."""
    known = {each.pair for each in store_links.decisions(change.connection, keys)} if len(keys) > 1 else set()
    ordered = sorted(keys)
    new = [(ordered[0], other) for other in ordered[1:] if (ordered[0], other) not in known]
    for low, high in new:
        change.note(Declared(record=low, other=high, same=True, basis=Basis.LISTED))
    return bool(new)


def take_back(change: Change, keys: Collection[PatientKey], listed: Collection[PatientKey]) -> bool:
    """Forget which other ids this source listed with one of ``keys``, and no longer lists; not what it linked."""
    declared = store_links.declared_by(change.connection, change.origin.source, keys)
    withdrawn = [two for two in declared if not set(listed).issuperset(two)]
    for low, high in withdrawn:
        change.note(Undeclared(record=low, other=high))
    return bool(withdrawn)


def link(change: Change, first: Iterable[Identifier], second: Iterable[Identifier]) -> None:
    """Both lists are one person; ids that nobody fed yet are remembered, not created (ITI TF-2: 3.30.6.6.4)."""
    keys = [[known_or_named(change, each) for each in own_identifiers(some)] for some in (first, second)]
    pairs = {pair(one, other) for one in keys[0] for other in keys[1] if one != other}
    declare(change, pairs, same=True, basis=Basis.SOURCE)
    reevaluate(change, {key for some in keys for key in some})
    report_prevented(change, pairs)


def report_prevented(change: Change, pairs: Iterable[Pair]) -> None:
    """A link that a decision about others of their records prevents is kept, and put before a person."""
    for low, high in sorted(pairs):
        persons = store_links.persons_of(change.connection, (low, high))
        if len(persons) == 2 and persons[low] != persons[high]:
            report(change, Kind.DISPUTE, low, high, f"{change.origin.source} says that they are one person")


def unlink(change: Change, first: Iterable[Identifier], second: Iterable[Identifier]) -> None:
    """The lists are two persons; nothing happens where there is no link (ITI TF-2: 3.30.6.7.4)."""
    keys = [[each.key for each in _known(change, own_identifiers(some))] for some in (first, second)]
    together = _linked_pairs(change, keys[0], keys[1])
    declare(change, together, same=False, basis=Basis.SOURCE)
    reevaluate(change, {key for two in together for key in two})


def declare(change: Change, pairs: Iterable[Pair], *, same: bool, basis: Basis) -> None:
    """Keep what is said of each pair; against a weightier decision it only asks a person to look again."""
    ordered = sorted(pairs)
    decisions = store_links.decisions(change.connection, {key for two in ordered for key in two})
    known = {each.pair: each for each in decisions}
    for low, high in ordered:
        held = known.get((low, high))
        if held is None or held.basis.rank <= basis.rank:
            change.note(Declared(record=low, other=high, same=same, basis=basis))
        elif held.same != same:
            said = "one person" if same else "two"
            report(change, Kind.DISPUTE, low, high, f"{change.origin.source} says that they are {said}")


def known_key(change: Change, identifier: Identifier) -> PatientKey:
    """The record with this id. Rejected: nobody announced it, or it was merged away."""
    for found in _known(change, (identifier,)):
        if found.announced:
            return found.key
    raise Rejected(_unknown(identifier))


def _known(change: Change, identifiers: tuple[Identifier, ...]) -> list[store_records.Record]:
    known = store_records.by_identifiers(change.connection, identifiers)
    refuse_subsumed(identifiers, known)
    return list(known.values())


def known_or_named(change: Change, identifier: Identifier) -> PatientKey:
    """The record with this id; one that no feed announced yet is remembered (ITI TF-2: 3.30.6.6.4)."""
    for found in _known(change, (identifier,)):
        return found.key
    key = store_records.next_key(change.connection)
    oid, id = identifier.key
    change.locks.adopt(key)
    change.note(Named(record=key, authority=oid, id=id, type_code=identifier.type_code))
    return key


def _linked_pairs(change: Change, first: list[PatientKey], second: list[PatientKey]) -> set[Pair]:
    """The pairs that are one person now, or were declared to be."""
    persons = store_links.persons_of(change.connection, [*first, *second])
    declared = {each.pair for each in store_links.decisions(change.connection, [*first, *second]) if each.same}
    pairs = {pair(one, other) for one in first for other in second if one != other}
    return {two for two in pairs if two in declared or (persons.get(two[0]) or -1) == persons.get(two[1])}


def _unknown(identifier: Identifier) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="No feed announced this patient id",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.30.6.6.4"),
    )
