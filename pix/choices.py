"""How a task can end, and which endings fit which task."""

from dataclasses import dataclass
from enum import StrEnum

from pix.model import Identifier
from pix.tasks import Kind, Task


class Choice(StrEnum):
    """How a task ends."""

    LINK = "link"
    """They are one person. Of one record: its id still means the same person."""
    NEVER_LINK = "never-link"
    """They are two people, whatever anybody says."""
    MERGE = "merge"
    """They are one person under two ids of one authority: one of them is merged into the other."""
    SPLIT = "split"
    """One record is none of those that it is linked with today: it leaves them all, for good."""
    IGNORE = "ignore"
    """Nothing is decided; the same question is not asked again until one of them changes."""


class NotPossible(ValueError):
    """The choice does not fit; the text says why and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a steward decided. ``chosen`` is the id that survives a merge, or that leaves in a split.

    Without it the older record survives, for documents and letters bear its id for longer; in a split it may be absent
    only where it does not matter.
    """

    choice: Choice
    chosen: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the choices of a task depend on: its records are one person today, and their ids are of one authority."""

    together: bool
    one_authority: bool


def fitting(task: Task, situation: Situation) -> tuple[Choice, ...]:
    """The choices that end this task today, the usual one first."""
    if task.kind is Kind.CROWD:
        return (Choice.IGNORE, Choice.SPLIT)
    if task.pair[0] == task.pair[1]:
        return (Choice.LINK, Choice.SPLIT, Choice.IGNORE)
    merge = (Choice.MERGE,) if situation.one_authority else ()
    split = (Choice.SPLIT,) if situation.together else ()
    return (Choice.LINK, *merge, Choice.NEVER_LINK, *split, Choice.IGNORE)


def check_fit(task: Task, situation: Situation, choice: Choice) -> None:
    """Raise NotPossible where the choice would not mean anything."""
    choices = fitting(task, situation)
    if choice in choices:
        return
    reason = "it does not fit this task"
    if choice is Choice.MERGE:
        reason = "ids of two authorities are linked, not merged; and a merge needs two records"
    elif choice is Choice.SPLIT:
        reason = "the two are not one person today; never-link keeps it so"
    elif choice is Choice.NEVER_LINK:
        reason = "the task is about one record; split lets it leave those that it is linked with"
    raise NotPossible(f"{choice.value} is not possible: {reason}. Possible are: {', '.join(choices)}")
