"""What a check finds: good or not, in which words, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    state: State
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(check=check, state=State.OK, detail=detail)


def warning(check: str, detail: str, remedy: str) -> Finding:
    """It works, but not for long, or not for everybody."""
    return Finding(check=check, state=State.WARNING, detail=detail, remedy=remedy)


def failed(check: str, detail: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check=check, state=State.FAILED, detail=detail, remedy=remedy)


def skipped(check: str, detail: str) -> Finding:
    """There was nothing to look at."""
    return Finding(check=check, state=State.SKIPPED, detail=detail)
