"""The right to write to one SQLite file, which processes take in turn.

SQLite itself lets one process write at a time, but lets the others look again and again whether they may: with eight
of them a quarter of the commits is left (``docs/decisions/0010``). Who waits here is woken.
"""

import fcntl
import os
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType


class Turn(AbstractContextManager[None]):
    """A lock between processes that the system gives back when its holder dies. For one thread of each process.

    Who has written stands behind who waits: to ask for the turn one must first be next, and who waits for it is.
    """

    def __init__(self, database: Path) -> None:
        self._files = tuple(database.with_name(f"{database.name}-{each}") for each in ("next", "turn"))
        self._descriptors: tuple[int, ...] = ()

    def __enter__(self) -> None:
        """Wait for it."""
        if not self._descriptors:
            self._descriptors = tuple(os.open(each, os.O_RDWR | os.O_CREAT, 0o600) for each in self._files)
        upcoming, turn = self._descriptors
        fcntl.flock(upcoming, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(upcoming, fcntl.LOCK_UN)

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        """Give it back."""
        fcntl.flock(self._descriptors[-1], fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files."""
        for each in self._descriptors:
            os.close(each)
        self._descriptors = ()
