"""What works that share a commit have in common: they tell it, and it is done for all of them at once.

Each alone would ask and write by a dozen small statements; for twenty of them the same statements take half of the
time. Who commits works together does this first (``affinity.group_writer``); where nobody does, each work does all of
it by itself.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import Context, ContextVar
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")


class Part(Protocol):
    """What one work has in common with others."""

    def prepare(self) -> None:
        """Work out what can be before the others' turn, in the thread that will wait for it."""


SomePart = TypeVar("SomePart", bound=Part)
Together = Callable[[Connection, list[SomePart]], AbstractContextManager[Collection[SomePart]]]
"""Does parts of several works, and tells which; their works rely on it while the context lasts.

It does so in the works' own transaction: when that has ended, in whatever way, nothing of it is said to be done.
"""
_PART: ContextVar[tuple[Together[Any], Part] | None] = ContextVar("what this work has in common", default=None)


def with_others(together: Together[SomePart], part: SomePart, write: Callable[[], Result]) -> Result:
    """Write in this thread; ``together`` may do ``part`` of it along with others'."""
    before = _PART.set((together, part))
    try:
        return write()
    finally:
        _PART.reset(before)


def has_part() -> bool:
    """Whether the work of this thread has anything in common with others."""
    return _PART.get() is not None


def prepare_part() -> None:
    """Make ready what the work of this thread has in common with others, if anything: it is about to wait."""
    if told := _PART.get():
        told[1].prepare()


@contextmanager
def done_together(connection: Connection, works: Iterable[Context]) -> Iterator[set[int]]:
    """Do what several of these works have in common; the places of those for which it is done."""
    parts: dict[Together[Any], dict[int, Part]] = {}
    for place, each in enumerate(works):
        if told := each.get(_PART):
            parts.setdefault(told[0], {})[place] = told[1]
    with ExitStack() as stack:
        done: set[int] = set()
        for together, some in parts.items():
            if len(some) > 1:
                did = {id(each) for each in stack.enter_context(together(connection, list(some.values())))}
                done.update(place for place, part in some.items() if id(part) in did)
        yield done
