"""The data directory of a node: one process, or one parent with its workers, holds it."""

import fcntl
import os
from pathlib import Path


class UnusableData(ValueError):
    """The node must not start on this data directory; the text says what to mend."""


def lock_data(data: Path) -> int:
    """Make sure that no other process works in the data directory. Returns the descriptor that holds the lock."""
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        # Two processes would each believe that they alone write to it.
        raise UnusableData(f"{data} is in use by another affinity process; stop it or choose --data") from None
    return descriptor
