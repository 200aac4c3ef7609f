"""What a benchmark finds: named figures, each the median of several runs, some with an aim."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from statistics import median


class Better(Enum):
    """On which side of its aim a figure should be."""

    LOWER = "≤"
    HIGHER = "≥"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should reach."""

    better: Better
    value: float

    def is_met_by(self, value: float) -> bool:
        """Claim that a figure is on the right side."""
        return value <= self.value if self.better is Better.LOWER else value >= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``runs`` are single measurements of ``name`` in ``unit``."""

    benchmark: str
    name: str
    unit: str
    runs: tuple[float, ...]
    aim: Aim | None = None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for each figure: ``runs``, and a factor on the counts of requests and bytes."""

    runs: int
    factor: float

    def count(self, full: int) -> int:
        """A number of requests for one run."""
        return max(int(full * self.factor), 20)


FULL = Effort(5, 1.0)
QUICK = Effort(2, 0.2)

Say = Callable[[str], None]
"""Tells the person who waits what is being done."""
