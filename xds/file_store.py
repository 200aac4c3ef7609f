"""Documents as files of one file system: content-addressed, durable, shared by any number of processes.

``content/ab/cd/<sha256>.sealed`` (or ``.plain``) holds a document, ``spool/<sha256>.<n>`` a received part until its
request ends. Both are links to one file: after a crash the spool lists what may not have reached the registry.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from ihe.exchange import Part, Sink
from xds.documents import Content, Referenced, Stored, verified
from xds.encryption import HEADER, DamagedDocument, Keys, UnknownKey, sealed_size, unseal
from xds.spool import SpoolSink, fsync

SEALED, PLAIN = ".sealed", ".plain"


class FileStore:
    """A DocumentStore in a directory of one file system, shared by any number of processes.

    New documents are sealed if ``keys`` are given; what was stored in the other form stays readable.
    """

    def __init__(self, root: Path, keys: Keys | None) -> None:
        self._content, self._spool, self._locks = root / "content", root / "spool", root / "locks"
        self._keys = keys
        for directory in (self._content, self._spool, self._locks):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self) -> Sink:
        return SpoolSink(self._spool, self._keys)

    def content(self, part: Part) -> Content:
        return Content(sha256=part.sha256, size=part.size)

    @contextmanager
    def adopting(self, parts: Iterable[Part], referenced: Referenced) -> Iterator[None]:
        adopted = tuple(parts)
        digests = sorted({part.sha256 for part in adopted})
        try:
            with ExitStack() as locks:
                for digest in digests:
                    locks.enter_context(self._lock(digest, fcntl.LOCK_SH))
                for part in adopted:
                    self.adopt(part)
                yield
        except BaseException:
            with self.removing(digests, referenced):
                raise

    def adopt(self, part: Part) -> None:
        """Make a finished part durable under its SHA-256; harmless when it, or another part of the same bytes, is."""
        path = self._path(part.sha256, SEALED if self._keys else PLAIN)
        _make_directory(path.parent, self._content)
        with suppress(FileExistsError):
            os.link(part.spooled, path)
        fsync(path)
        fsync(path.parent)

    @contextmanager
    def removing(self, names: Iterable[str], referenced: Referenced) -> Iterator[None]:
        marks = {digest: self._spool / f"{digest}.removing" for digest in sorted(set(map(_digest, names)))}
        for mark in marks.values():
            mark.touch(mode=0o600)
        fsync(self._spool)
        try:
            yield
        finally:
            self._remove_unreferenced(marks, referenced)
            for mark in marks.values():
                mark.unlink(missing_ok=True)

    def check(self, content: Content) -> None:
        with self._opened(content) as (file, keys):
            if keys:
                keys.unwrap(file.read(HEADER), content.sha256, content.size)

    def open(self, content: Content) -> Iterator[bytes]:
        with self._opened(content) as (file, keys):
            yield from unseal(file, keys, content.sha256, content.size) if keys else verified(file, content)

    def sweep(self, referenced: Referenced, before: float) -> int:
        """Clear up after a crash: remove what was spooled before ``before`` (epoch seconds) and never registered.

        Returns how many spool files there were. Choose ``before`` so that no request of then can still be going on.
        """
        leftovers = [path for path in sorted(self._spool.iterdir()) if path.stat().st_mtime < before]
        self._remove_unreferenced({path.stem for path in leftovers if len(path.stem) == 64}, referenced)
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def stored(self) -> Iterator[Stored]:
        for directory in sorted(self._content.glob("*/*")):
            for path in sorted(directory.iterdir()):
                with suppress(FileNotFoundError):  # removed meanwhile
                    found = path.stat()
                    at = datetime.fromtimestamp(found.st_mtime, UTC)
                    yield Stored(name=path.stem, size=found.st_size, stored_at=at)

    def discard(self, name: str, referenced: Referenced) -> bool:
        return self._remove_unreferenced([name], referenced) == 1

    def keep(self, part: Part, content: Content) -> None:
        self.adopt(part)

    def rewrap(self, content: Content) -> bool:
        path = self._path(content.sha256, SEALED)
        with self._lock(content.sha256, fcntl.LOCK_EX), ExitStack() as undone:
            if not path.exists():
                self.check(content)
                return False
            with self._opened(content) as (file, keys):
                header = keys.rewrap(file.read(HEADER), content.sha256, content.size) if keys else None
                if header is None:
                    return False
                draft = self._spool / f"rewrapping.{secrets.token_hex(16)}"
                undone.callback(draft.unlink, missing_ok=True)
                _copy(header, file, draft)
            draft.rename(path)
            fsync(path.parent)
        return True

    def _remove_unreferenced(self, digests: Iterable[str], referenced: Referenced) -> int:
        removed = 0
        for digest in digests:
            with self._lock(digest, fcntl.LOCK_EX):
                if not referenced(digest):
                    self._path(digest, SEALED).unlink(missing_ok=True)
                    self._path(digest, PLAIN).unlink(missing_ok=True)
                    removed += 1
        return removed

    @contextmanager
    def _lock(self, digest: str, mode: int) -> Iterator[None]:
        """Adopters of a shard share its lock until their commit, so that a remover sees what they registered."""
        with (self._locks / digest[:2]).open("ab") as file:
            fcntl.flock(file, mode)
            yield

    def _path(self, digest: str, form: str) -> Path:
        return self._content / digest[:2] / digest[2:4] / f"{digest}{form}"

    @contextmanager
    def _opened(self, content: Content) -> Iterator[tuple[BinaryIO, Keys | None]]:
        """Open the file of a document, sealed or not; the key ring comes with it if it is sealed."""
        sealed = self._path(content.sha256, SEALED).exists()
        if sealed and not self._keys:
            raise UnknownKey("the document is sealed and this store has no keys")
        try:
            file = self._path(content.sha256, SEALED if sealed else PLAIN).open("rb")
        except FileNotFoundError:
            raise DamagedDocument("the stored file is missing") from None
        with file:
            if os.fstat(file.fileno()).st_size != (sealed_size(content.size) if sealed else content.size):
                raise DamagedDocument("the stored file was cut or extended")
            yield file, self._keys if sealed else None


def _make_directory(path: Path, root: Path) -> None:
    """Make ``path`` and its parents below ``root``, durably."""
    if path == root or path.is_dir():
        return
    _make_directory(path.parent, root)
    path.mkdir(mode=0o700, exist_ok=True)
    fsync(path.parent)


def _copy(header: bytes, sealed: BinaryIO, draft: Path) -> None:
    """Write a file of ``header`` and what follows in ``sealed``, durably."""
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copied:
        copied.write(header)
        shutil.copyfileobj(sealed, copied, 2**20)
        copied.flush()
        os.fsync(copied.fileno())


def _digest(name: str) -> str:
    return name[:64]
