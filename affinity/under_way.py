"""Which exchange a thread works for, for those who tell of it: the log of slow statements, traces."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A transaction of IHE, by its id, and the number under which its sender knows the exchange."""

    transaction: str = ""
    correlation: str = ""


NOTHING = UnderWay()
"""What a node does by itself."""
UNDER_WAY: ContextVar[UnderWay] = ContextVar("affinity_under_way", default=NOTHING)
"""What this thread works for: set by who begins it, and set back at its end."""


def under_way() -> UnderWay:
    """What this thread works for; a work in the thread that writes to SQLite belongs to the exchange that asked."""
    return UNDER_WAY.get()
