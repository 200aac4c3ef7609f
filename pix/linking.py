"""Who is one person after a change: what people and sources declared, shared ids, and likeness, in this order."""

from collections.abc import Collection, Iterable
from functools import partial

from ihe.identifiers import PatientKey
from pix import store_links, store_matches, store_records, store_tasks
from pix.comparing import contradiction, objection, seen_as
from pix.decisions import Basis
from pix.doubts import report_crowd, settle
from pix.events import Linked
from pix.joining import Doubt, Likeness
from pix.journal import Change
from pix.persons import Member, Partition, Person, Reason
from pix.state import linking_ids
from pix.tasks import Kind, Task

LARGEST = 200
"""Most records that linking looks at together; beyond it something is wrong with the data and nothing new is linked."""


def reevaluate(change: Change, changed: Collection[PatientKey]) -> None:
    """Find out anew who the changed records, and all that they are linked with or may be, are."""
    reached = _reach(change, changed)
    crowded = len(reached) > LARGEST
    members = _members(change, _linked(change, changed) if crowded else reached)
    current = store_links.persons_of(change.connection, list(members))
    partition = _declared(change, members)
    tasks = store_tasks.about(change.connection, members)
    doubts = [] if len(members) < 2 else _likeness(change, partition, current, tasks).join(partition)
    for person in partition.persons():
        _become(change, person, current)
    if crowded:
        report_crowd(change, min(changed))
    else:
        settle(change, partition, tasks, [*_contradictions(partition), *doubts])


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


def _declared(change: Change, members: dict[PatientKey, Member]) -> Partition:
    """What people and sources say, the weightiest first, and then the national ids."""
    decisions = store_links.decisions(change.connection, members) if len(members) > 1 else ()
    partition = Partition(members, frozenset(each.pair for each in decisions if not each.same), contradiction)
    same = {basis: [each.pair for each in decisions if each.same and each.basis is basis] for basis in Basis}
    partition.join_linked(same[Basis.STEWARD], Reason.STEWARD)
    # A deliberate link wins over two ids in one message.
    partition.join_linked(same[Basis.SOURCE], Reason.SOURCE)
    partition.join_listed(same[Basis.LISTED])
    partition.join_by_national_id()
    return partition


def _likeness(
    change: Change, partition: Partition, current: dict[PatientKey, PatientKey], tasks: Iterable[Task]
) -> Likeness:
    members = partition.members
    # Open, or ignored: as long as nobody says whose the id is now, a machine joins it with nobody.
    overlays = [each for each in tasks if each.kind is Kind.OVERLAY]
    return Likeness(
        matches=store_matches.matches(change.connection, members),
        current=current,
        overlaid={each.pair[0] for each in overlays if each.pair[0] == each.pair[1]},
        link=change.matching.link,
        margin=change.matching.margin,
        objection=partial(objection, configuration=change.matching),
    )


def _members(change: Change, keys: Collection[PatientKey]) -> dict[PatientKey, Member]:
    nationals = store_records.nationals(change.connection, keys)
    return {
        key: Member(key=key, announced=announced, subject=seen_as(text, linking_ids(nationals.get(key, ()))))
        for key, (announced, text) in store_records.unmerged(change.connection, keys).items()
    }


def _contradictions(partition: Partition) -> list[Doubt]:
    vetoes = [Doubt(kind=Kind.VETO, pair=two, reason=reason) for two, reason in partition.contradictions.items()]
    return vetoes + [Doubt(kind=Kind.OVERLAY, pair=two, reason=reason) for two, reason in partition.overlays.items()]


def _become(change: Change, person: Person, current: dict[PatientKey, PatientKey]) -> None:
    identity = person.keys[0]
    for key in person.keys:
        before = current.get(key)
        if before != identity:
            change.note(Linked(record=key, before=before, person=identity, reason=person.reason.value))
