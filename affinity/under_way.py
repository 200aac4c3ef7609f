"""Which exchange a thread works for, for those who tell of it: the log of slow statements, traces."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A transaction of IHE, by its id, and the number under which its sender knows the exchange."""

    transaction: str = ""
    correlation: str = ""


NOTHING = UnderWay()
"""What a node does by itself."""
_UNDER_WAY: ContextVar[UnderWay] = ContextVar("affinity_under_way", default=NOTHING)


def under_way() -> UnderWay:
    """What this thread works for; a work in the thread that writes to SQLite belongs to the exchange that asked."""
    return _UNDER_WAY.get()


@contextmanager
def working_for(exchange: UnderWay) -> Iterator[None]:
    """Until the end of the context this thread works for an exchange."""
    token = _UNDER_WAY.set(exchange)
    try:
        yield
    finally:
        _UNDER_WAY.reset(token)
