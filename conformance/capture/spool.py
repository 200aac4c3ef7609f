"""Where captured bytes wait: one file without a name, which is gone with the process, however that ends."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from functools import partial

from conformance.capture.recorded import CHUNK, Blob


class Spool:
    """Keeps bytes on the disk; threads may share it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the spool)
        self._end = 0
        self._lock = threading.Lock()

    def keep(self, chunks: Iterable[bytes]) -> Blob:
        """Write bytes down; what comes back reads them."""
        digest, size = hashlib.sha256(), 0
        with self._lock:
            start = self._end
            for chunk in chunks:
                digest.update(chunk)
                size += os.pwrite(self._file.fileno(), chunk, start + size)
            self._end = start + size
        return Blob(sha256=digest.hexdigest(), size=size, read=partial(self._read, start, size))

    def close(self) -> None:
        """Throw everything away."""
        self._file.close()

    def _read(self, start: int, size: int) -> Iterator[bytes]:
        for at in range(start, start + size, CHUNK):
            yield os.pread(self._file.fileno(), min(CHUNK, start + size - at), at)
