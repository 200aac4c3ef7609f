"""What exactly one process of a node does: it is on duty who holds a lock; when it ends, another takes over."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from twisted.internet.task import LoopingCall

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How often the others look whether nobody is."""


class Duty:
    """The couriers, the sealer, the forwarder and the chores of a node, which must not run twice.

    The lock is given back by the system when the process has ended, killed or not: what it had begun is over then.
    """

    def __init__(self, reactor: Any, file: Path, take_up: Callable[[], None]) -> None:
        self._loop = LoopingCall(self._look)
        self._loop.clock = reactor
        self._file = file
        self._take_up = take_up
        self._held: int | None = None

    @property
    def is_mine(self) -> bool:
        """Claim that this process is on duty."""
        return self._held is not None

    def start(self) -> None:
        """Take up the duty, now or when whoever has it has ended."""
        self._loop.start(LOOK_SECONDS)

    def stop(self) -> None:
        """Do not take it up any more."""
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        self._held = _take(self._file)
        if self._held is not None:
            self._loop.stop()
            log.info("on duty")
            self._take_up()


def _take(file: Path) -> int | None:
    """The descriptor that holds the lock; None: another process does."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
