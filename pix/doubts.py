"""Tasks for people: opened for what a machine must not decide, withdrawn when it no longer is in doubt."""

from collections.abc import Collection, Iterable, Mapping

from ihe.identifiers import PatientKey
from pix import store_links, store_tasks
from pix.decisions import Basis, Pair, pair
from pix.events import TaskOpened, TasksClosed
from pix.joining import Doubt
from pix.journal import Change
from pix.persons import Partition
from pix.tasks import Kind, Task

Sides = frozenset[PatientKey]
"""Two groups of records, each by its lowest key; one key where they are one person."""


def settle(change: Change, partition: Partition, known: Iterable[Task], doubts: Iterable[Doubt]) -> None:
    """Put each doubt between two persons before a human once, and withdraw what is in doubt no more.

    ``known`` are the tasks about the members of the partition (``store_tasks.about``).
    """
    mine = [each for each in known if each.kind.settles_itself and each.pair[0] != each.pair[1]]
    standing = _by_sides(partition, doubts)
    waiting = {_sides(partition, each.pair): each for each in mine if each.waits}
    for sides, doubt in standing.items():
        task = waiting.get(sides)
        if task is not None and task.kind is doubt.kind:
            del waiting[sides]
        elif not any(_ignores(change, each, doubt) for each in mine if _sides(partition, each.pair) == sides):
            open_task(change, doubt)
    if waiting:
        change.locks.require(key for each in waiting.values() for key in each.pair)
        change.note(TasksClosed(tasks=tuple(each.number for each in waiting.values())))


def open_task(change: Change, doubt: Doubt) -> None:
    """Put two records, or one that stands twice, before a human."""
    low, high = doubt.pair
    change.note(TaskOpened(record=low, other=high, kind=doubt.kind.value, reason=doubt.reason))


def report(change: Change, kind: Kind, key: PatientKey, other: PatientKey, reason: str) -> None:
    """Open a task that only a human closes, unless the same waits, or is ignored and neither record changed since."""
    two = pair(key, other)
    same = [each for each in store_tasks.about(change.connection, two) if each.kind is kind and each.pair == two]
    answered = (each.waits or not store_tasks.changed_since(change.connection, two, each.version) for each in same)
    if not any(answered):
        open_task(change, Doubt(kind=kind, pair=two, reason=reason))


def report_collision(change: Change, key: PatientKey, other: PatientKey) -> None:
    """One message named both records, who clearly are two people; unless a steward said so already."""
    held = store_links.decisions(change.connection, (key, other))
    if not any(each.pair == pair(key, other) and each.basis is Basis.STEWARD and not each.same for each in held):
        report(change, Kind.COLLISION, key, other, "two people in one message")


def questions(change: Change, key: PatientKey) -> list[Task]:
    """What is open about a record: what waits, and whose the id is, though somebody ignored that."""
    tasks = store_tasks.about(change.connection, (key,))
    return [each for each in tasks if each.waits or each.kind is Kind.OVERLAY]


def ask_again(change: Change, asked: Iterable[Task], now: Mapping[PatientKey, PatientKey]) -> None:
    """Open anew what does not come back by itself; ``now`` tells which record answers for each."""
    for each in asked:
        low, high = (now.get(key, key) for key in each.pair)
        overlaid = each.kind is Kind.OVERLAY and each.pair[0] == each.pair[1]
        if each.kind is Kind.COLLISION and low != high:
            report_collision(change, low, high)
        elif overlaid or (each.kind is Kind.DISPUTE and low != high):
            report(change, each.kind, low, high, each.reason)


def close_answered(change: Change, pairs: Collection[Pair]) -> None:
    """Withdraw what still waits about these very records: a steward has just answered it."""
    waiting = store_tasks.about(change.connection, {key for two in pairs for key in two})
    numbers = tuple(each.number for each in waiting if each.waits and each.pair in pairs)
    if numbers:
        change.note(TasksClosed(tasks=numbers))


def report_crowd(change: Change, key: PatientKey) -> None:
    """More records are connected with this one than linking looks at."""
    report(change, Kind.CROWD, key, key, "more records are connected than linking looks at")


def _by_sides(partition: Partition, doubts: Iterable[Doubt]) -> dict[Sides, Doubt]:
    """The first doubt about each two persons; what was joined after all is in doubt no more."""
    found: dict[Sides, Doubt] = {}
    for doubt in doubts:
        sides = _sides(partition, doubt.pair)
        if len(sides) == 2 and not partition.kept_apart(doubt.pair):
            found.setdefault(sides, doubt)
    return found


def _sides(partition: Partition, two: Pair) -> Sides:
    """What is not looked at has no connection with the rest, so that no doubt about it can stand."""
    return frozenset(min(partition.group(key)) if key in partition.members else key for key in two)


def _ignores(change: Change, task: Task, doubt: Doubt) -> bool:
    """Claim that somebody chose to ignore just this, and that neither record changed since, nor the verdict on them."""
    if task.closed_by is None or task.kind is not doubt.kind:
        return False
    if 0 < doubt.since < task.closed_by:
        return True
    records = {*task.pair, *doubt.pair}
    return task.reason == doubt.reason and not store_tasks.changed_since(change.connection, records, task.closed_by)
