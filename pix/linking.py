"""Link and unlink: what sources declare (ITI TF-2: 3.30.6.6, 3.30.6.7), and who is one person after every change."""

from collections.abc import Collection, Iterable, Mapping

from ihe.identifiers import PatientKey
from pix import store_links, store_records
from pix.claims import own_identifiers, refuse_subsumed
from pix.journal import Change
from pix.model import NOTHING_KNOWN, Identifier
from pix.persons import Member, Pair, Partition, Person, pair
from pix.store_links import CROWD, DISAGREEMENT, Decision

LARGEST = 200
"""Most records that linking looks at together; beyond it something is wrong with the data and nothing new is linked."""


def reevaluate(change: Change, changed: Collection[PatientKey]) -> None:
    """Find out anew who the changed records, and all that they are linked with or may be, are."""
    reached = _reach(change, changed)
    crowded = len(reached) > LARGEST
    members = _members(change, _linked(change, changed) if crowded else reached)
    partition = _partition(change, members)
    current = store_links.persons_of(change.connection, list(members))
    for person in partition.persons():
        _become(change, person, current)
    if crowded:
        _report_crowd(change, min(changed))
    else:
        _settle_tasks(change, members, partition.vetoes)


def assert_same(change: Change, keys: Collection[PatientKey]) -> bool:
    """One message lists these records' ids for one patient. What a source decided explicitly is left as it is."""
    known = {each.pair for each in store_links.decisions(change.connection, keys)} if len(keys) > 1 else set()
    ordered = sorted(keys)
    new = [(ordered[0], other) for other in ordered[1:] if (ordered[0], other) not in known]
    for two in new:
        _decide(change, two, same=True, explicit=False)
    return bool(new)


def take_back(change: Change, keys: Collection[PatientKey], listed: Collection[PatientKey]) -> bool:
    """Forget which other ids this source listed with one of ``keys``, and no longer lists; not what it linked."""
    declared = store_links.declared_by(change.connection, change.origin.source, keys)
    withdrawn = [two for two in declared if not set(listed).issuperset(two)]
    for two in withdrawn:
        change.note("no-longer-declared", record=two[0], other=two[1])
        store_links.undecide(change.connection, two)
    return bool(withdrawn)


def link(change: Change, first: Iterable[Identifier], second: Iterable[Identifier]) -> None:
    """Both lists are one person; ids that nobody fed yet are remembered, not created (ITI TF-2: 3.30.6.6.4)."""
    keys = [[_known_or_named(change, each) for each in own_identifiers(some)] for some in (first, second)]
    pairs = {pair(one, other) for one in keys[0] for other in keys[1] if one != other}
    for two in sorted(pairs):
        _decide(change, two, same=True, explicit=True)
    reevaluate(change, {key for some in keys for key in some})


def unlink(change: Change, first: Iterable[Identifier], second: Iterable[Identifier]) -> None:
    """The lists are two persons; nothing happens where there is no link (ITI TF-2: 3.30.6.7.4)."""
    keys = [[each.key for each in _known(change, own_identifiers(some))] for some in (first, second)]
    together = _linked_pairs(change, keys[0], keys[1])
    for two in sorted(together):
        _decide(change, two, same=False, explicit=True)
    reevaluate(change, {key for two in together for key in two})


def _reach(change: Change, keys: Collection[PatientKey]) -> set[PatientKey]:
    """Everything connected with ``keys``, all of it locked."""
    reached = set(keys)
    frontier = reached
    while frontier and len(reached) <= LARGEST:
        change.locks.require(frontier)
        frontier = store_links.neighbours(change.connection, frontier) - reached
        reached |= frontier
    return reached


def _linked(change: Change, keys: Collection[PatientKey]) -> set[PatientKey]:
    """What the records are linked with now, all of it locked: in a crowd they may part, but nobody may come in."""
    linked = store_links.together(change.connection, keys)
    change.locks.require(linked)
    return linked


def _partition(change: Change, members: dict[PatientKey, Member]) -> Partition:
    decisions = store_links.decisions(change.connection, members) if len(members) > 1 else ()
    partition = Partition(members, frozenset(each.pair for each in decisions if not each.same))
    # A deliberate link wins over two ids in one message.
    partition.join_linked(each.pair for each in decisions if each.same and each.explicit)
    partition.join_listed(each.pair for each in decisions if each.same and not each.explicit)
    partition.join_by_national_id()
    return partition


def _members(change: Change, keys: Collection[PatientKey]) -> dict[PatientKey, Member]:
    nationals = store_records.nationals(change.connection, keys)
    return {
        key: Member(
            key=key,
            announced=found.announced,
            demographics=found.demographics,
            nationals=_linking(nationals.get(key, ())),
        )
        for key, found in store_records.by_keys(change.connection, keys).items()
        if found.survivor is None
    }


def _linking(nationals: Iterable[store_records.NationalId]) -> frozenset[tuple[str, str]]:
    """The ids that may link: valid ones, of authorities that gave the record no second valid one."""
    valid = [each for each in nationals if each.valid]
    authorities = [each.authority for each in valid]
    return frozenset((each.authority, each.id) for each in valid if authorities.count(each.authority) == 1)


def _become(change: Change, person: Person, current: dict[PatientKey, PatientKey]) -> None:
    identity = person.keys[0]
    for key in person.keys:
        before = current.get(key)
        if before == identity:
            continue
        after = {"person": identity, "reason": person.reason}
        event = change.note("linked", record=key, before=None if before is None else {"person": before}, after=after)
        if before is not None:
            store_links.end(change.connection, key, event)
        store_links.begin(change.connection, key, identity, person.reason, event)


def _settle_tasks(change: Change, members: Collection[PatientKey], vetoes: Mapping[Pair, str]) -> None:
    """Put each new contradiction before a human, and withdraw those that are none any more."""
    waiting = store_links.open_tasks(change.connection, members, DISAGREEMENT)
    for two, reason in vetoes.items():
        if two not in waiting:
            event = change.note("link-vetoed", record=two[0], other=two[1], after={"reason": reason})
            store_links.open_task(change.connection, DISAGREEMENT, two, reason, event)
    solved = waiting - vetoes.keys()
    if solved:
        event = change.note("veto-lifted", after={"pairs": sorted(solved)})
        store_links.close_tasks(change.connection, DISAGREEMENT, solved, event)


def _report_crowd(change: Change, key: PatientKey) -> None:
    two = (key, key)
    if two not in store_links.open_tasks(change.connection, two, CROWD):
        event = change.note("crowd", record=key)
        store_links.open_task(change.connection, CROWD, two, "more records are connected than linking looks at", event)


def _decide(change: Change, two: Pair, *, same: bool, explicit: bool) -> None:
    kind = "declared-same" if same else "declared-different"
    event = change.note(kind, record=two[0], other=two[1], after={"explicit": explicit})
    store_links.decide(change.connection, Decision(pair=two, same=same, explicit=explicit, event=event))


def _known(change: Change, identifiers: tuple[Identifier, ...]) -> list[store_records.Record]:
    known = store_records.by_identifiers(change.connection, identifiers)
    refuse_subsumed(identifiers, known)
    return list(known.values())


def _known_or_named(change: Change, identifier: Identifier) -> PatientKey:
    for found in _known(change, (identifier,)):
        return found.key
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


def _linked_pairs(change: Change, first: list[PatientKey], second: list[PatientKey]) -> set[Pair]:
    """The pairs that are one person now, or were declared to be."""
    persons = store_links.persons_of(change.connection, [*first, *second])
    declared = {each.pair for each in store_links.decisions(change.connection, [*first, *second]) if each.same}
    pairs = {pair(one, other) for one in first for other in second if one != other}
    return {two for two in pairs if two in declared or (persons.get(two[0]) or -1) == persons.get(two[1])}
