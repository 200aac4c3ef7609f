"""What the people do who look after identities: they take tasks, decide them, and take merges back.

Their decisions are events like any other. They hold between source records, survive merges, and outweigh what sources
say (``pix.decisions.Basis``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ihe.identifiers import PatientKey
from pix import declaring, merging, store_links, store_records, store_tasks, unmerging
from pix.decisions import Basis, Pair, pair
from pix.events import TaskAssigned, TaskDecided
from pix.journal import Change
from pix.linking import reevaluate
from pix.manager import PatientIndex
from pix.model import Identifier, Origin
from pix.tasks import Task


class Choice(StrEnum):
    """How a task ends."""

    LINK = "link"
    """They are one person. Of one record: its id still means the same person."""
    NEVER_LINK = "never-link"
    """They are two people, whatever anybody says. Of one record: it is none of those that it is linked with."""
    MERGE = "merge"
    """They are one person under two ids of one authority: the second is merged into the first."""
    IGNORE = "ignore"
    """Nothing is decided; the same question is not asked again until one of them changes."""


class UnknownTask(LookupError):
    """There is no task with this number."""


class Stale(Exception):
    """Somebody else changed the task since it was read; the text says what it is now."""


class NotPossible(ValueError):
    """The choice does not fit the task; the text says why and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stewardship:
    """The patient index as a steward sees it. ``origin.source`` names the steward, ``origin.reason`` says why."""

    index: PatientIndex

    def assign(self, number: int, version: int, owner: str | None, origin: Origin) -> None:
        """Give a task an owner, or none. Raises UnknownTask, Stale."""
        self._with_task(number, version, origin, lambda change, task: _assign(change, task, owner))

    def decide(self, number: int, version: int, choice: Choice, origin: Origin) -> None:
        """End a task; ``version`` is the one that the steward saw. Raises UnknownTask, Stale, NotPossible, Rejected."""
        self._with_task(number, version, origin, lambda change, task: _decide(change, task, choice))

    def declare(self, one: Identifier, other: Identifier, origin: Origin, *, same: bool) -> None:
        """Say that two ids are one person, or two, without a task. Rejected: one of them is unknown."""

        def work(change: Change) -> None:
            keys = [declaring.known_key(change, each) for each in (one, other)]
            declaring.declare(change, {pair(*keys)}, same=same, basis=Basis.STEWARD)
            reevaluate(change, keys)

        self.index.apply(origin, (one, other), work)

    def unmerge(self, subsumed: Identifier, origin: Origin) -> None:
        """Take back the merge of an id. Rejected: it is not merged."""
        self.index.apply(origin, (subsumed,), lambda change: unmerging.unmerge(change, subsumed))

    def _with_task(self, number: int, version: int, origin: Origin, work: Callable[[Change, Task], None]) -> None:
        def change_task(change: Change) -> None:
            task = store_tasks.by_number(change.connection, number)
            if task is None:
                raise UnknownTask(f"There is no task {number}")
            if task.version != version or not task.waits:
                raise Stale(_now(task))
            change.locks.require(store_links.together(change.connection, task.pair))
            work(change, task)

        self.index.apply(origin, (), change_task)


def _assign(change: Change, task: Task, owner: str | None) -> None:
    low, high = task.pair
    change.note(TaskAssigned(record=low, other=high, task=task.number, before=task.owner, owner=owner))


def _decide(change: Change, task: Task, choice: Choice) -> None:
    low, high = task.pair
    change.note(TaskDecided(record=low, other=high, task=task.number, decision=choice.value))
    if choice is Choice.MERGE:
        _merge(change, task.pair)
    elif choice is not Choice.IGNORE and low == high:
        _settle_overlay(change, low, choice)
    elif choice is not Choice.IGNORE:
        declaring.declare(change, {task.pair}, same=choice is Choice.LINK, basis=Basis.STEWARD)
        reevaluate(change, task.pair)


def _settle_overlay(change: Change, key: PatientKey, choice: Choice) -> None:
    """A record whose id may have been given to somebody else: it stays, or leaves those it is linked with."""
    if choice is Choice.NEVER_LINK:
        others = store_links.together(change.connection, (key,)) - {key}
        declaring.declare(change, {pair(key, other) for other in others}, same=False, basis=Basis.STEWARD)
    reevaluate(change, (key,))


def _merge(change: Change, two: Pair) -> None:
    """The older record survives: documents and letters bear its id for longer."""
    records = store_records.by_keys(change.connection, two)
    survivor, subsumed = records[two[0]], records[two[1]]
    if two[0] == two[1]:
        raise NotPossible("The task is about one record; a merge needs two")
    if survivor.authority != subsumed.authority:
        raise NotPossible("Ids of two authorities are linked, not merged: choose link")
    merging.merge_records(change, survivor=survivor.key, subsumed=subsumed.key)


def _now(task: Task) -> str:
    if task.waits:
        owner = f"owned by {task.owner}" if task.owner else "owned by nobody"
        return f"Task {task.number} was changed meanwhile: it is {owner}, version {task.version}"
    return f"Task {task.number} is closed" + (f": {task.decision}" if task.decision else ", it settled itself")
