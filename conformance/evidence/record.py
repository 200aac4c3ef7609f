"""``run.json``: a run as a file that outlives the program; its JSON Schema is published beside it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from conformance.catalogue import catalogue
from conformance.exchanges import Exchange, Payload
from conformance.results import Outcome, Result, Run, verdicts

FORMAT = 1
"""Raised by a change that a reader of the form before would not understand."""


class Written(BaseModel):
    """A part of the file: nothing unknown stands in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WrittenResult(Written):
    """One test."""

    suite: str
    module: str
    name: str
    sentence: str
    covers: tuple[str, ...]
    breaking: tuple[str, ...]
    outcome: Outcome
    seconds: float
    message: str
    exchanges: tuple[int, ...]
    broken: tuple[str, ...]


class WrittenExchange(Written):
    """One request and its answer; ``request_file`` and ``answer_file`` are in the same bundle."""

    number: int
    wire: str
    transaction: str | None
    initiator: str
    responder: str
    began: datetime
    seconds: float
    failure: str
    step: str
    request_file: str
    answer_file: str | None


class WrittenVerdict(Written):
    """One assertion that a test covers, and what came of it."""

    id: str
    level: str
    actor: str
    document: str
    section: str
    text: str
    outcome: Outcome


class RunFile(Written):
    """The whole file."""

    format: int
    system: str
    version: str
    began: datetime
    seconds: float
    seed: int
    passed: bool
    counts: dict[Outcome, int]
    results: tuple[WrittenResult, ...]
    verdicts: tuple[WrittenVerdict, ...]
    exchanges: tuple[WrittenExchange, ...]


def recorded(run: Run) -> RunFile:
    """A run in the form of the file."""
    return RunFile(
        format=FORMAT,
        system=run.system,
        version=run.version,
        began=run.began,
        seconds=run.seconds,
        seed=run.seed,
        passed=run.passed,
        counts=dict(run.counts),
        results=tuple(map(_result, run.results)),
        verdicts=judged(run.results),
        exchanges=tuple(map(_exchange, run.exchanges)),
    )


def judged(results: Iterable[Result]) -> tuple[WrittenVerdict, ...]:
    """The verdict on each assertion that was touched, in the order of the catalogue."""
    found = verdicts(results)
    return tuple(
        WrittenVerdict(
            id=each.id,
            level=each.level,
            actor=each.actor,
            document=each.citation.document,
            section=each.citation.section,
            text=each.text,
            outcome=found[each.id],
        )
        for each in catalogue()
        if each.id in found
    )


def published_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return RunFile.model_json_schema()


def file_of(exchange: Exchange, payload: Payload, side: str) -> str:
    """Where a message is in the bundle: ``messages/0007-request.hl7``."""
    suffix = "http" if payload.start_line else "hl7" if payload.content.startswith(b"MSH") else "txt"
    return f"messages/{exchange.number:04}-{side}.{suffix}"


def _result(result: Result) -> WrittenResult:
    return WrittenResult(**{name: getattr(result, name) for name in WrittenResult.model_fields})


def _exchange(each: Exchange) -> WrittenExchange:
    return WrittenExchange(
        number=each.number,
        wire=each.wire,
        transaction=each.transaction,
        initiator=each.initiator,
        responder=each.responder,
        began=each.began,
        seconds=each.seconds,
        failure=each.failure,
        step=each.step,
        request_file=file_of(each, each.request, "request"),
        answer_file=file_of(each, each.answer, "answer") if each.answer else None,
    )
