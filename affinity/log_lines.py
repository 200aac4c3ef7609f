"""Lines of the log, on their way to a file that may refuse them: its disk is full, or whoever reads it has gone."""

import threading
from typing import TextIO

import structlog


class LogLines:
    """What ``structlog`` writes to. A line that is refused stops nobody; the next one that is taken tells of it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._refused = 0
        self._guard = threading.Lock()

    def msg(self, line: str) -> None:
        """Write a line. Never raises: who logs has something else to do."""
        with self._guard:
            before = self._refused
            try:
                self._file.write(f"{line}\n")
                self._file.flush()
            except (OSError, ValueError):  # ValueError: it is closed
                self._refused += 1
                return
            self._refused = 0
        if before:
            structlog.get_logger().warning("log lines were refused", count=before)

    log = debug = info = warn = warning = error = err = critical = fatal = exception = failure = msg
    """What structlog asks for, by the level of an event."""
