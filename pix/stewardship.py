"""What the people do who look after identities: they take tasks, decide them, and take merges back.

Their decisions are events like any other. They hold between source records, survive merges, and outweigh what sources
say (``pix.decisions.Basis``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from pix import declaring, rulings, store_links, store_tasks, unmerging
from pix.choices import NotPossible, Ruling
from pix.decisions import pair
from pix.events import TaskAssigned
from pix.journal import Change
from pix.manager import PatientIndex
from pix.model import Identifier, Origin
from pix.tasks import Task


class UnknownTask(LookupError):
    """There is no task with this number."""


class Stale(Exception):
    """The task, or one of its records, was changed since it was read; the text says what it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stewardship:
    """The patient index as a steward sees it. ``origin.source`` names the steward, ``origin.reason`` says why.

    What cannot be done raises NotPossible, an id that is not in use Rejected; then nothing is stored.
    """

    index: PatientIndex

    def assign(self, number: int, version: int, owner: str | None, origin: Origin) -> None:
        """Give a task an owner, or none. Raises UnknownTask, Stale."""
        self._with_task(number, version, origin, (), lambda change, task: _assign(change, task, owner))

    def decide(self, number: int, version: int, ruling: Ruling, origin: Origin) -> None:
        """End a task; ``version`` is the one that the steward saw. Raises UnknownTask, Stale, NotPossible, Rejected."""
        chosen = () if ruling.chosen is None else (ruling.chosen,)
        self._with_task(number, version, origin, chosen, lambda change, task: rulings.decide(change, task, ruling))

    def declare(self, one: Identifier, other: Identifier, origin: Origin, *, same: bool) -> None:
        """Say that two ids are one person, or two, without a task. Rejected: one of them is unknown."""
        if one == other:
            raise NotPossible("Both ids are the same one; a decision is about two")

        def work(change: Change) -> None:
            keys = [declaring.known_key(change, each) for each in (one, other)]
            rulings.declare(change, {pair(*keys)}, same=same)

        self.index.apply(origin, (one, other), work)

    def withdraw(self, one: Identifier, other: Identifier, origin: Origin) -> None:
        """Take back what a steward decided of two ids: ids, sources and likeness count again."""

        def work(change: Change) -> None:
            rulings.withdraw(change, pair(*(declaring.known_key(change, each) for each in (one, other))))

        self.index.apply(origin, (one, other), work)

    def split(self, leaving: Identifier, origin: Origin) -> None:
        """Let a record leave all that it is linked with, for good."""
        self.index.apply(origin, (leaving,), lambda change: rulings.split(change, declaring.known_key(change, leaving)))

    def unmerge(self, subsumed: Identifier, origin: Origin) -> None:
        """Take back the merge of an id. Rejected: it is not merged."""
        self.index.apply(origin, (subsumed,), lambda change: unmerging.unmerge(change, subsumed))

    def _with_task(
        self,
        number: int,
        version: int,
        origin: Origin,
        named: tuple[Identifier, ...],
        work: Callable[[Change, Task], None],
    ) -> None:
        def change_task(change: Change) -> None:
            task = store_tasks.by_number(change.connection, number)
            if task is None:
                raise UnknownTask(f"There is no task {number}")
            # On PostgreSQL this begins anew if a lock is missing, so that what follows sees the task as it is now.
            change.locks.require(store_links.together(change.connection, task.pair))
            if task.version != version or not task.waits:
                raise Stale(_now(task))
            work(change, task)

        self.index.apply(origin, named, change_task)


def _assign(change: Change, task: Task, owner: str | None) -> None:
    low, high = task.pair
    change.note(TaskAssigned(record=low, other=high, task=task.number, before=task.owner, owner=owner))


def _now(task: Task) -> str:
    if task.waits:
        owner = f"owned by {task.owner}" if task.owner else "owned by nobody"
        return f"Task {task.number} or one of its records was changed meanwhile: it is {owner}, version {task.version}"
    return f"Task {task.number} is closed" + (f": {task.decision}" if task.decision else ", it settled itself")
