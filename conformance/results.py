"""What came of a run: a verdict for each test, in the form that reports, evidence and comparisons read."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from conformance.exchanges import Exchange


class Outcome(StrEnum):
    """How a test, or a step that waits for a client, ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CLAIMED = "not claimed"
    """The system does not say that it can do this, so nothing was asked of it."""
    SKIPPED = "skipped"
    """It could not be asked; ``message`` says why."""
    WAITING = "waiting"
    """The client under test has not come to it."""
    BROKEN = "broken"
    """The harness itself failed: no verdict about the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One test of a suite. ``covers`` are ids of assertions, ``exchanges`` numbers of the transcript."""

    suite: str
    module: str
    """Of ``conformance.suites``, where the test is."""
    name: str
    sentence: str
    """What it shows, for people."""
    covers: tuple[str, ...]
    outcome: Outcome
    seconds: float
    message: str = ""
    """Why it did not pass."""
    exchanges: tuple[int, ...] = ()
    broken: tuple[str, ...] = ()
    """Assertions that validators saw broken in what the system sent meanwhile."""
    breaking: tuple[str, ...] = ()
    """Assertions that the harness broke, to see it refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run against one system."""

    system: str
    version: str
    """Of the harness."""
    began: datetime
    seconds: float
    seed: int
    results: tuple[Result, ...]
    exchanges: tuple[Exchange, ...]

    @property
    def counts(self) -> Counter[Outcome]:
        """How many tests ended in which way."""
        return Counter(each.outcome for each in self.results)

    @property
    def passed(self) -> bool:
        """Claim that something was tested and nothing failed."""
        counts = self.counts
        return bool(counts[Outcome.PASSED]) and not (counts[Outcome.FAILED] or counts[Outcome.BROKEN])


def verdicts(results: Iterable[Result]) -> dict[str, Outcome]:
    """The verdict on each assertion: failed where one of its tests failed, passed where all that ran passed."""
    found: dict[str, Outcome] = {}
    for result in results:
        for each in result.covers:
            found[each] = max((result.outcome, found.get(each, result.outcome)), key=GRAVITY.index)
        for each in result.broken:
            found[each] = Outcome.FAILED
    return found


GRAVITY = (
    Outcome.NOT_CLAIMED,
    Outcome.SKIPPED,
    Outcome.WAITING,
    Outcome.PASSED,
    Outcome.BROKEN,
    Outcome.FAILED,
)
"""Which of two outcomes speaks for an assertion: the later one."""
