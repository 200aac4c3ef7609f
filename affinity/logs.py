"""Logging: events, not prose, and never patient data (structlog)."""

import logging
import sys
import traceback
from collections.abc import Iterator

import structlog
from sqlalchemy.exc import OperationalError
from structlog.typing import ExcInfo

from affinity.outages import InDoubt, Unavailable

HARMLESS = (OSError, OperationalError, Unavailable, InDoubt)
"""Failures of the machine, whose texts name files and hosts. What others say may quote a row or what was received."""


def configure(*, as_json: bool, level: str) -> None:
    """Send events to standard error, as JSON lines or for people."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.ExceptionRenderer(tell), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Spyne logs whole message bodies when they do not parse; nothing of it may reach a log.
    logging.getLogger("spyne").setLevel(logging.CRITICAL)


def tell(exc_info: ExcInfo) -> str:
    """A traceback of types and places; an exception's text only where it cannot hold what a message said."""
    return "\n".join(_chain(exc_info[1]))


def _chain(error: BaseException | None) -> Iterator[str]:
    if error is not None:
        yield from _chain(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
        said = f": {error}" if isinstance(error, HARMLESS) else ""
        yield "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__ + said
