"""Where parts lie while a request goes on: sealed, in files that are gone when it ends."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from ihe.exchange import Part
from xds.encryption import HEADER, Keys, Sealer


class SpoolSink:
    """One arriving part: hashed, sealed and spooled in constant memory."""

    def __init__(self, spool: Path, keys: Keys | None) -> None:
        self._sealer = Sealer(keys) if keys else None
        self._sha1, self._sha256, self._size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
        self._path = spool / f"receiving.{secrets.token_hex(16)}"
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        if self._sealer:
            self._file.write(bytes(HEADER))

    def write(self, chunk: bytes) -> None:
        self._sha1.update(chunk)
        self._sha256.update(chunk)
        self._size += len(chunk)
        self._file.write(self._sealer.update(chunk) if self._sealer else chunk)

    def finish(self, content_id: str, media_type: str) -> Part:
        digest = self._sha256.hexdigest()
        with self._file as file:
            if self._sealer:
                last, header = self._sealer.finish(digest, self._size)
                file.write(last)
                file.seek(0)
                file.write(header)
        self._path = self._path.rename(self._path.with_name(f"{digest}{self._path.suffix}"))
        return Part(
            content_id=content_id,
            media_type=media_type,
            size=self._size,
            sha1=self._sha1.hexdigest(),
            sha256=digest,
            spooled=str(self._path),
        )

    def discard(self) -> None:
        with suppress(OSError):  # a full disk may refuse the last buffered bytes: they are thrown away anyhow
            self._file.close()
        self._path.unlink(missing_ok=True)


def fsync(path: Path) -> None:
    """Make a file or the entries of a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
