"""Who is one person after a change: what people and sources declared, shared ids, and likeness, in this order."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from ihe.identifiers import PatientKey
from pix.comparing import contradiction, objection
from pix.decisions import Basis
from pix.doubts import report_crowd, settle
from pix.events import Linked
from pix.joining import Doubt, Likeness
from pix.journal import Change
from pix.persons import Member, Partition, Person, Reason
from pix.surroundings import Stored, Surroundings
from pix.tasks import Kind, Task

LARGEST = 200
"""Most records that linking looks at together; beyond it something is wrong with the data and nothing new is linked."""


def reevaluate(change: Change, changed: Collection[PatientKey], around: Surroundings | None = None) -> None:
    """Find out anew who the changed records, and all that they are linked with or may be, are.

    ``around`` is what is known of them; without it the tables are asked.
    """
    around = around or Stored(change.connection)
    reached = _reach(change, changed, around)
    crowded = len(reached) > LARGEST
    members = around.members(_linked(change, changed, around) if crowded else reached)
    current = around.persons_of(members)
    partition = _declared(members, around)
    tasks = around.tasks(members)
    doubts = [] if len(members) < 2 else _likeness(change, partition, current, tasks, around).join(partition)
    for person in partition.persons():
        _become(change, person, current)
    if crowded:
        report_crowd(change, min(changed))
    else:
        settle(change, partition, tasks, [*_contradictions(partition), *doubts])


def _reach(change: Change, keys: Collection[PatientKey], around: Surroundings) -> set[PatientKey]:
    """Everything connected with ``keys``, all of it locked."""
    reached = set(keys)
    frontier = reached
    while frontier and len(reached) <= LARGEST:
        frontier = around.neighbours(frontier) - reached
        reached |= frontier
    # At once: of a long chain, one lock more for each time that the change begins would not do.
    change.locks.require(reached - frontier)
    return reached


def _linked(change: Change, keys: Collection[PatientKey], around: Surroundings) -> set[PatientKey]:
    """What the records are linked with now, all of it locked: in a crowd they may part, but nobody may come in."""
    linked = around.together(keys)
    change.locks.require(linked)
    return linked


def _declared(members: Mapping[PatientKey, Member], around: Surroundings) -> Partition:
    """What people and sources say, the weightiest first, and then the national ids."""
    decisions = around.decisions(members) if len(members) > 1 else ()
    partition = Partition(members, frozenset(each.pair for each in decisions if not each.same), contradiction)
    same = {basis: [each.pair for each in decisions if each.same and each.basis is basis] for basis in Basis}
    partition.join_linked(same[Basis.STEWARD], Reason.STEWARD)
    # A deliberate link wins over two ids in one message.
    partition.join_linked(same[Basis.SOURCE], Reason.SOURCE)
    partition.join_listed(same[Basis.LISTED])
    partition.join_by_national_id()
    return partition


def _likeness(
    change: Change,
    partition: Partition,
    current: Mapping[PatientKey, PatientKey],
    tasks: Iterable[Task],
    around: Surroundings,
) -> Likeness:
    # Open, or ignored: as long as nobody says whose the id is now, a machine joins it with nobody.
    overlays = [each for each in tasks if each.kind is Kind.OVERLAY]
    return Likeness(
        matches=around.matches(partition.members),
        current=current,
        overlaid={each.pair[0] for each in overlays if each.pair[0] == each.pair[1]},
        link=change.matching.link,
        margin=change.matching.margin,
        objection=partial(objection, configuration=change.matching),
    )


def _contradictions(partition: Partition) -> list[Doubt]:
    vetoes = [Doubt(kind=Kind.VETO, pair=two, reason=reason) for two, reason in partition.contradictions.items()]
    return vetoes + [Doubt(kind=Kind.OVERLAY, pair=two, reason=reason) for two, reason in partition.overlays.items()]


def _become(change: Change, person: Person, current: Mapping[PatientKey, PatientKey]) -> None:
    identity = person.keys[0]
    for key in person.keys:
        before = current.get(key)
        if before != identity:
            change.note(Linked(record=key, before=before, person=identity, reason=person.reason.value))
