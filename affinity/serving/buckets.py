"""The allowances of partners, shared by all workers: what is agreed with a partner is agreed with the node."""

import fcntl
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from affinity.allowances import Bucket

DIRECTORY = "allowances"
"""Where in the data directory they stand; the parent makes it anew when it starts."""
FORM = struct.Struct("=dd")


class BucketsOfNode:
    """A file for each partner, locked while a request is taken out. The monotonic clock is that of the machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._files: dict[str, int] = {}

    @contextmanager
    def held(self, partner: str, full: Bucket) -> Iterator[Bucket]:
        """The bucket of a partner, for one thread of one process."""
        with self._lock:
            file = self._file(partner)
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                written = os.pread(file, FORM.size, 0)
                bucket = Bucket(*FORM.unpack(written)) if written else full
                yield bucket
                os.pwrite(file, FORM.pack(bucket.left, bucket.filled), 0)
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def _file(self, partner: str) -> int:
        if partner not in self._files:
            name = sha256(partner.encode()).hexdigest()
            self._files[partner] = os.open(self._directory / name, os.O_RDWR | os.O_CREAT, 0o600)
        return self._files[partner]
