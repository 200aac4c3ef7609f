"""What waits for a person to decide, in values."""

from dataclasses import dataclass
from enum import StrEnum

from pix.decisions import Pair


class Kind(StrEnum):
    """Why a task was opened."""

    POTENTIAL_DUPLICATE = "potential duplicate"
    """Two records resemble each other, not enough to be joined by a machine."""
    LOW_MARGIN = "low margin"
    """A record resembles two people nearly as much."""
    VETO = "veto"
    """Two records would be joined, but something speaks against it that a machine must not overrule."""
    OVERLAY = "overlay"
    """One id, and clearly two people under it."""
    COLLISION = "collision"
    """One message named ids of two people."""
    DISPUTE = "dispute"
    """A source says the opposite of what a steward decided."""
    CROWD = "crowd"
    """More records are connected than linking looks at."""

    @property
    def settles_itself(self) -> bool:
        """Claim that the task goes away when what raised it does."""
        return self in (Kind.POTENTIAL_DUPLICATE, Kind.LOW_MARGIN, Kind.VETO, Kind.OVERLAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A new task about two records, or about one that stands twice; ``number`` is that of its event."""

    number: int
    kind: str
    pair: Pair
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands; ``closed_by`` and ``version`` are events, ``decision`` what a person decided.

    ``version`` is the last event that changed the task, or, as a steward sees it, one of its records since.
    """

    number: int
    kind: Kind
    pair: Pair
    reason: str
    closed_by: int | None
    decision: str | None
    owner: str | None
    version: int

    @property
    def waits(self) -> bool:
        """Claim that it is open."""
        return self.closed_by is None
