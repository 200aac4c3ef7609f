"""Up to where a replica must have come before it may answer somebody, shared by the processes of a node.

A file of the data directory holds a position of the primary's log in each of its slots; who asks has the slot of their
name. Two in one slot only wait for each other's changes.
"""

import fcntl
import mmap
import os
import struct
import threading
from hashlib import blake2b
from pathlib import Path

SLOTS = 4096
POSITION = struct.Struct("=Q")


class Floors:
    """Positions by the name of who asks; they only rise."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._descriptor, SLOTS * POSITION.size)
        self._map = mmap.mmap(self._descriptor, SLOTS * POSITION.size)
        self._guard = threading.Lock()

    def of(self, asker: str) -> int:
        """The position that ``asker`` has seen, or has made; 0 for none."""
        return int(POSITION.unpack_from(self._map, _offset(asker))[0])

    def rise(self, asker: str, position: int) -> None:
        """``asker`` shall see nothing older from now on."""
        offset = _offset(asker)
        if self.of(asker) >= position:
            return
        with self._guard:  # a lock of the file keeps out other processes, and not our own threads
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX, POSITION.size, offset)
            try:
                POSITION.pack_into(self._map, offset, max(self.of(asker), position))
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, POSITION.size, offset)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        os.close(self._descriptor)


def _offset(asker: str) -> int:
    digest = blake2b(asker.encode(), digest_size=4).digest()
    return int.from_bytes(digest) % SLOTS * POSITION.size
