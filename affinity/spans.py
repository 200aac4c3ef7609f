"""Where an exchange spends its time, for who traces it (``affinity.tracing``). Without a tracer nothing happens."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")
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


tracer: Tracer | None = None
"""Who traces in this process. What each request passes asks for it before it makes a part: mostly nobody does."""


def trace_with(by: Tracer | None) -> None:
    """Begin to trace, or end it, in this process."""
    global tracer
    tracer = by


def end_tracing() -> None:
    """Send what waits, then trace no more."""
    if tracer is not None:
        tracer.end()
    trace_with(None)


def in_request(traceparent: str | None, work: Callable[..., Any], *arguments: Any) -> Any:
    """Do all the work of one request."""
    if tracer is None:
        return work(*arguments)
    with tracer.request(traceparent):
        return work(*arguments)


def in_part(name: str, work: Callable[..., Result], *arguments: Any) -> Result:
    """Do a part of what this thread does."""
    if tracer is None:
        return work(*arguments)
    with tracer.part(name):
        return work(*arguments)


def span(name: str) -> AbstractContextManager[object]:
    """A part of what this thread does: ``parse``, ``check``, ``handle``, ``database``, ``store``, ``audit``."""
    return NOTHING if tracer is None else tracer.part(name)


def describe(transaction: str, outcome: str, correlation: str) -> None:
    """Say what the request of this thread was, and how it ended."""
    if tracer is not None:
        tracer.describe(transaction, outcome, correlation)
