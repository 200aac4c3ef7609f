"""Where an exchange spends its time, for who traces it (``affinity.tracing``). Without a tracer nothing happens."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

NOTHING: AbstractContextManager[None] = nullcontext()


class Tracer(Protocol):
    """What makes spans. None of them is told anything of a patient."""

    def request(self, traceparent: str | None) -> AbstractContextManager[object]:
        """One request, as part of the trace that its sender named (W3C Trace Context)."""

    def part(self, name: str) -> AbstractContextManager[object]:
        """A part of what this thread does."""

    def describe(self, transaction: str, outcome: str, correlation: str) -> None:
        """Say what the request of this thread was."""

    def end(self) -> None:
        """Let go of what was not sent yet."""


_tracer: Tracer | None = None


def trace_with(tracer: Tracer | None) -> None:
    """Begin to trace, or end it, in this process."""
    global _tracer
    _tracer = tracer


def end_tracing() -> None:
    """Send what waits, then trace no more."""
    if _tracer is not None:
        _tracer.end()
    trace_with(None)


def in_request(traceparent: str | None, work: Callable[..., Any], *arguments: Any) -> Any:
    """Do all the work of one request."""
    with NOTHING if _tracer is None else _tracer.request(traceparent):
        return work(*arguments)


def span(name: str) -> AbstractContextManager[object]:
    """A part of what this thread does: ``parse``, ``check``, ``handle``, ``database``, ``store``, ``audit``."""
    return NOTHING if _tracer is None else _tracer.part(name)


def describe(transaction: str, outcome: str, correlation: str) -> None:
    """Say what the request of this thread was, and how it ended."""
    if _tracer is not None:
        _tracer.describe(transaction, outcome, correlation)
