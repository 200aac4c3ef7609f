"""Where parts lie while a request goes on: sealed, in files that are gone when it ends."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ihe.exchange import Part
from xds.encryption import HEADER, Keys, Sealer

StrPath = str | os.PathLike[str]


class SpoolSink:
    """One arriving part: hashed, sealed and spooled in constant memory. ``spool`` is a directory."""

    def __init__(self, spool: str, keys: Keys | None) -> None:
        self._sealer = Sealer(keys) if keys else None
        self._sha1, self._sha256, self._size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
        self._spool, self._token = spool, os.urandom(16).hex()
        self._path = ""
        self._file: BinaryIO | None = None

    def write(self, chunk: bytes) -> None:
        self._sha1.update(chunk)
        self._sha256.update(chunk)
        self._size += len(chunk)
        if kept := self._sealer.update(chunk) if self._sealer else chunk:
            file = self._file or self._make()
            file.write(kept)

    def finish(self, content_id: str, media_type: str) -> Part:
        digest = self._sha256.hexdigest()
        last, header = self._sealer.finish(digest, self._size) if self._sealer else (b"", b"")
        finished = f"{self._spool}/{digest}.{self._token}"
        if self._file is None:  # all of it is in the last chunk
            self._path = finished
            _write(finished, header + last)
        else:
            with self._file as file:
                file.write(last)
                file.seek(0)
                file.write(header)
            os.rename(self._path, finished)
            self._path = finished
        return Part(
            content_id=content_id,
            media_type=media_type,
            size=self._size,
            sha1=self._sha1.hexdigest(),
            sha256=digest,
            spooled=finished,
        )

    def discard(self) -> None:
        if not self._path:
            return
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            pass  # a full disk may refuse the last buffered bytes: they are thrown away anyhow
        remove(self._path)

    def _make(self) -> BinaryIO:
        """Make the file, once there is something to be kept in it, with room for a header."""
        self._path = f"{self._spool}/receiving.{self._token}"
        self._file = open(_create(self._path), "wb")  # noqa: SIM115
        self._file.write(bytes(HEADER) if self._sealer else b"")
        return self._file


def left_over(spool: StrPath, before: float) -> list[Path]:
    """What lies there since before ``before`` (epoch seconds). Requests that end meanwhile take theirs away."""
    found = []
    for path in sorted(Path(spool).iterdir()):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                found.append(path)
    return found


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write(path: str, content: bytes) -> None:
    """Make a file. Python's own asks the system three things about each that it opens."""
    descriptor = _create(path)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def remove(path: StrPath) -> None:
    """Remove a file, if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
