"""Logging: events, not prose, and never patient data (structlog)."""

import logging
import re
import sys

import structlog

_ROWS = re.compile(r"\n(?:DETAIL|CONTEXT): .*")
"""Where PostgreSQL's errors quote the row that they are about."""


def configure(*, as_json: bool, level: str) -> None:
    """Send events to standard error, as JSON lines or for people."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _without_rows, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Spyne logs whole message bodies when they do not parse; nothing of it may reach a log.
    logging.getLogger("spyne").setLevel(logging.CRITICAL)


def _without_rows(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if "exception" in event:
        event["exception"] = _ROWS.sub("", event["exception"])
    return event


def tell(failure: ExcInfo) -> str:
    """A traceback of types and places; an exception's text only where it cannot hold what a message said."""
    return "\n".join(_chain(failure[1]))


def _chain(error: BaseException | None) -> Iterator[str]:
    if error is not None:
        yield from _chain(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
        said = f": {error}" if isinstance(error, HARMLESS) else ""
        yield "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__ + said
