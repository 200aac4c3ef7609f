"""What a series of events did to persons and tasks, in numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pix.event_log import Line
from pix.events import Linked, TaskOpened, TasksClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """``joined`` records came to an older person, ``parted`` ones to a younger; tasks by kind, and how many went."""

    joined: int
    parted: int
    opened: Mapping[str, int]
    closed: int


def effects(lines: Iterable[Line]) -> Effects:
    """Count; the lines are looked at one by one."""
    moved: Counter[bool] = Counter()
    opened: Counter[str] = Counter()
    closed = 0
    for line in lines:
        match line.event:
            case Linked(before=int() as before, person=person):
                moved[person < before] += 1
            case TaskOpened(kind=kind):
                opened[kind] += 1
            case TasksClosed(tasks=tasks):
                closed += len(tasks)
    return Effects(joined=moved[True], parted=moved[False], opened=dict(opened), closed=closed)
