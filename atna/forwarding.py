"""How far the trail came on its way to one Audit Record Repository, as values (ITI TF-2: 3.20.4.1.1)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Reach(StrEnum):
    """Whether the last attempt to reach a repository succeeded."""

    UNTRIED = "untried"
    REACHED = "reached"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Everything up to ``settled`` is believed to be stored there, everything up to ``sent`` was sent."""

    settled: int = 0
    sent: int = 0
    reach: Reach = Reach.UNTRIED
    since: datetime | None = None
    reason: str | None = None
    refused: int = 0
    """How many records the repository will never take."""
    refused_last: int | None = None

    def at(self, settled: int, sent: int) -> "Progress":
        """Further on, or back."""
        return replace(self, settled=settled, sent=sent)

    def now(self, reach: Reach, at: datetime, reason: str | None) -> "Progress":
        """Reached or lost; ``since`` stays while nothing changes."""
        return replace(self, reach=reach, since=self.since if reach is self.reach else at, reason=reason)

    def refused_one(self, number: int) -> "Progress":
        """One more was refused."""
        return replace(self, refused=self.refused + 1, refused_last=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many records wait, and when the oldest of them was made."""

    records: int = 0
    oldest: datetime | None = None
