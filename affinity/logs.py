"""Logging: events, not prose, and never patient data (structlog)."""

import logging
import sys
import traceback
from collections.abc import Iterator
from functools import partial

import structlog
from structlog.typing import ExcInfo

from affinity.log_lines import LogLines


def configure(*, as_json: bool, level: str, worker: int | None = None) -> None:
    """Send events to standard error, as JSON lines or for people. ``worker``: which of several processes this is."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if worker is not None:
        shared.append(partial(_name, worker))
    structlog.configure(
        processors=[*shared, structlog.processors.ExceptionRenderer(tell), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=partial(_same, LogLines(sys.stderr)),
        cache_logger_on_first_use=True,
    )
    # Spyne logs whole message bodies when they do not parse; nothing of it may reach a log.
    logging.getLogger("spyne").setLevel(logging.CRITICAL)


def _same(lines: LogLines, *_: object) -> LogLines:
    return lines


def _name(worker: int, _logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["worker"] = worker
    return event


def tell(exc_info: ExcInfo) -> str:
    """A traceback of types and places; an exception's text only where it cannot hold what a message said."""
    return "\n".join(_chain(exc_info[1]))


def _is_harmless(error: BaseException) -> bool:
    """Claim that this is a failure of the machine, whose text names files and hosts; others may quote."""
    from sqlalchemy.exc import OperationalError  # the parent of workers logs as well, and has no database

    from affinity.outages import InDoubt, Unavailable

    return isinstance(error, OSError | OperationalError | Unavailable | InDoubt)


def _chain(error: BaseException | None) -> Iterator[str]:
    if error is not None:
        yield from _chain(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
        said = f": {error}" if _is_harmless(error) else ""
        yield "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__ + said
