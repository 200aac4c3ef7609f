"""Documents as files of one file system: content-addressed, durable, shared by any number of processes.

``content/ab/cd/<sha256>.sealed`` (or ``.plain``) holds a document, ``spool/<sha256>.<n>`` a received part until its
request ends. Both are links to one file: after a crash the spool lists what may not have reached the registry.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO

from ihe.durable import belong_like, fsync, make_directory
from ihe.exchange import Part, Sink
from xds.documents import Content, Referenced, Stored, verified
from xds.encryption import HEADER, DamagedDocument, Keys, UnknownKey, sealed_size, unseal
from xds.spool import SpoolSink, left_over, remove

SEALED, PLAIN = ".sealed", ".plain"
SHARDS, SHARDS_ABOVE = 16**4, 16**2
"""Directories that hold documents, at most, and those that hold these."""

SHORT = 64 * 1024
"""Bytes of a file that is read at once."""


class FileStore:
    """A DocumentStore in a directory of one file system, shared by any number of processes.

    New documents are sealed if ``keys`` are given; what was stored in the other form stays readable.
    """

    def __init__(self, root: Path, keys: Keys | None) -> None:
        self._content, self._spool, self._locks = f"{root}/content", f"{root}/spool", f"{root}/locks"
        self._keys = keys
        # 1 where a directory is known to outlast a power cut: those that hold documents, and those above them
        self._lasting, self._lasting_above = bytearray(SHARDS), bytearray(SHARDS_ABOVE)
        for directory in (self._content, self._spool, self._locks):
            make_directory(Path(directory))
        fsync(root)

    def create(self) -> Sink:
        return SpoolSink(self._spool, self._keys)

    def content(self, part: Part) -> Content:
        return Content(sha256=part.sha256, size=part.size)

    @contextmanager
    def adopting(self, parts: Iterable[Part], referenced: Referenced) -> Iterator[None]:
        adopted = tuple(parts)
        digests = sorted({part.sha256 for part in adopted})
        locks: list[FileIO] = []
        try:
            try:
                for digest in digests:
                    locks.append(self._lock(digest, fcntl.LOCK_SH))
                for part in adopted:
                    self.adopt(part)
                yield
            finally:
                for lock in locks:
                    lock.close()
        except BaseException:
            with self.removing(digests, referenced):
                raise

    def adopt(self, part: Part) -> None:
        """Make a finished part durable under its SHA-256, in the place of another of the same bytes; harmless twice."""
        directory, path = self._place(part.sha256, SEALED if self._keys else PLAIN)
        shard = int(part.sha256[:4], 16)
        self._link(part.spooled, path, directory, shard)
        fsync(path)
        fsync(directory)
        self._keep_directory(directory, shard)

    @contextmanager
    def removing(self, names: Iterable[str], referenced: Referenced) -> Iterator[None]:
        marks = {digest: f"{self._spool}/{digest}.removing" for digest in sorted(set(map(_digest, names)))}
        for mark in marks.values():
            Path(mark).touch(mode=0o600)
        fsync(self._spool)
        try:
            yield
        finally:
            self._remove_unreferenced(marks, referenced)
            for mark in marks.values():
                remove(mark)

    def check(self, content: Content) -> None:
        file, keys = self._opened(content)
        with file:
            if keys:
                keys.unwrap(file.read(HEADER), content.sha256, content.size)

    def read(self, content: Content) -> bytes:
        file, keys = self._opened(content)
        with file:
            return b"".join(_pieces(file, keys, content))

    def open(self, content: Content) -> Iterator[bytes]:
        file, keys = self._opened(content)
        with file:
            yield from _pieces(file, keys, content)

    def sweep(self, referenced: Referenced, before: float) -> int:
        """Clear up after a crash: remove what was spooled before ``before`` (epoch seconds) and never registered.

        Returns how many spool files there were. Choose ``before`` so that no request of then can still be going on.
        """
        leftovers = left_over(self._spool, before)
        self._remove_unreferenced({path.stem for path in leftovers if len(path.stem) == 64}, referenced)
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def stored(self) -> Iterator[Stored]:
        for directory in sorted(Path(self._content).glob("*/*")):
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
        directory, path = self._place(content.sha256, SEALED)
        with self._lock(content.sha256, fcntl.LOCK_EX):
            file, keys = self._opened(content)
            with file:
                header = keys.rewrap(file.read(HEADER), content.sha256, content.size) if keys else None
                if header is None:
                    return False
                draft = f"{self._spool}/rewrapping.{os.urandom(16).hex()}"
                try:
                    _copy(header, file, draft, path)
                    os.rename(draft, path)
                finally:
                    remove(draft)
            fsync(directory)
        return True

    def _link(self, spooled: str, path: str, directory: str, shard: int) -> None:
        """Give a part its lasting name; make a directory that is missing."""
        try:
            _link(spooled, path)
        except FileNotFoundError:
            self._lasting[shard] = 0
            self._make_directory(directory, shard)
            _link(spooled, path)

    def _make_directory(self, directory: str, shard: int) -> None:
        try:
            os.mkdir(directory, mode=0o700)
        except FileNotFoundError:
            self._lasting_above[shard // SHARDS_ABOVE] = 0
            with suppress(FileExistsError):
                os.mkdir(os.path.dirname(directory), mode=0o700)
            self._make_directory(directory, shard)
        except FileExistsError:
            pass

    def _keep_directory(self, directory: str, shard: int) -> None:
        """Sync what it is an entry of, and what that is one of, once each in a process: who made it may not have yet.

        After the file: the journal of most file systems has taken the directories along with it, so this is soon done.
        """
        if self._lasting[shard]:
            return
        fsync(os.path.dirname(directory))
        if not self._lasting_above[shard // SHARDS_ABOVE]:
            fsync(self._content)
            self._lasting_above[shard // SHARDS_ABOVE] = 1
        self._lasting[shard] = 1

    def _remove_unreferenced(self, digests: Iterable[str], referenced: Referenced) -> int:
        removed = 0
        for digest in digests:
            with self._lock(digest, fcntl.LOCK_EX):
                if not referenced(digest):
                    for form in (SEALED, PLAIN):
                        remove(self._place(digest, form)[1])
                    removed += 1
        return removed

    def _lock(self, digest: str, mode: int) -> FileIO:
        """Adopters of a shard share its lock until their commit, so that a remover sees what they registered.

        To close the file is to let go of it.
        """
        file = FileIO(f"{self._locks}/{digest[:2]}", "ab")
        try:
            fcntl.flock(file, mode)
        except BaseException:
            file.close()
            raise
        return file

    def _place(self, digest: str, form: str) -> tuple[str, str]:
        """The directory and the path of a document's file."""
        directory = f"{self._content}/{digest[:2]}/{digest[2:4]}"
        return directory, f"{directory}/{digest}{form}"

    def _opened(self, content: Content) -> tuple[BinaryIO, Keys | None]:
        """Open the file of a document, sealed or not; the key ring comes with it if it is sealed."""
        try:
            file = _open(self._place(content.sha256, SEALED)[1], sealed_size(content.size))
        except FileNotFoundError:
            return self._opened_plain(content), None
        if not self._keys:
            file.close()
            raise UnknownKey("the document is sealed and this store has no keys")
        return file, self._keys

    def _opened_plain(self, content: Content) -> BinaryIO:
        try:
            return _open(self._place(content.sha256, PLAIN)[1], content.size)
        except FileNotFoundError:
            raise DamagedDocument("the stored file is missing") from None


def _open(path: str, size: int) -> BinaryIO:
    """Open a file of so many bytes; a short one is read at once, so that the system is asked half as often."""
    file = open(path, "rb", buffering=-1 if size > SHORT else 0)  # noqa: SIM115 - the caller's
    if os.fstat(file.fileno()).st_size != size:
        file.close()
        raise DamagedDocument("the stored file was cut or extended")
    if size > SHORT:
        return file
    with file:
        return BytesIO(file.read(size))


def _pieces(file: BinaryIO, keys: Keys | None, content: Content) -> Iterator[bytes]:
    return unseal(file, keys, content.sha256, content.size) if keys else verified(file, content)


def _link(spooled: str, path: str) -> None:
    """Give a part its name, also where another of the same bytes has it: that may be damaged, or its key forgotten."""
    try:
        os.link(spooled, path)
    except FileExistsError:
        _replace(spooled, path)


def _replace(spooled: str, path: str) -> None:
    """Put a part in the place of another, durable before it is there: others may rely on it already."""
    draft = f"{spooled}.again"
    fsync(spooled)
    os.link(spooled, draft)
    try:
        os.rename(draft, path)
    finally:
        remove(draft)  # it stays where both are the same file


def _copy(header: bytes, sealed: BinaryIO, draft: str, path: str) -> None:
    """Write a file of ``header`` and what follows in ``sealed``, durably; it belongs to whom ``path`` belongs."""
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copied:
        belong_like(copied.fileno(), path)
        copied.write(header)
        shutil.copyfileobj(sealed, copied, 2**20)
        copied.flush()
        os.fsync(copied.fileno())


def _digest(name: str) -> str:
    return name[:64]
