"""Logging: events, not prose, and never patient data (structlog)."""

import logging
import sys

import structlog


def configure(*, as_json: bool, level: str) -> None:
    """Send events to standard error, as JSON lines or for people."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Spyne logs whole message bodies when they do not parse; nothing of it may reach a log.
    logging.getLogger("spyne").setLevel(logging.CRITICAL)
