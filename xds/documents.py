"""The document store: bytes by their SHA-256, durable before they are registered (ITI TF-2: 3.41.4.1.3.2).

``content/ab/cd/<sha256>.sealed`` (or ``.plain``) holds a document, ``spool/<sha256>.<n>`` a received part until its
request ends. Both are links to one file: after a crash the spool lists what may not have reached the registry.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ihe.exchange import Part, Sink
from xds.encryption import CHUNK, HEADER, DamagedDocument, KeyRing, Sealer, UnknownKey, sealed_size, unseal

SEALED, PLAIN = ".sealed", ".plain"

Referenced = Callable[[str], bool]
"""Claims that some retrievable document consists of the bytes with this SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Stored bytes: their SHA-256 in lower-case hexadecimal, and how many they are."""

    sha256: str
    size: int


class DocumentStore(Protocol):
    """Where a repository keeps bytes. Locks are held while a context is open, so enter none inside a transaction."""

    def create(self) -> Sink:
        """Make a place for one arriving part."""

    def adopting(self, parts: Iterable[Part], referenced: Referenced) -> AbstractContextManager[None]:
        """Keep the bytes of ``parts`` durably while their metadata is written; on failure only what is referenced."""

    def removing(self, digests: Iterable[str], referenced: Referenced) -> AbstractContextManager[None]:
        """Delete, after the metadata was changed, the bytes that nothing refers to any more."""

    def check(self, content: Content) -> None:
        """Raise ``DamagedDocument`` if the bytes are absent, or cut, or under another document's name."""

    def open(self, content: Content) -> Iterator[bytes]:
        """Yield the bytes in bounded pieces; ``DamagedDocument`` rather than wrong bytes."""


class FileStore:
    """A DocumentStore in a directory of one file system, shared by any number of processes.

    New documents are sealed if ``keys`` are given; what was stored in the other form stays readable.
    """

    def __init__(self, root: Path, keys: KeyRing | None) -> None:
        self._content, self._spool, self._locks = root / "content", root / "spool", root / "locks"
        self._keys = keys
        for directory in (self._content, self._spool, self._locks):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self) -> Sink:
        return _FileSink(self._spool, self._keys)

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
        _fsync(path)
        _fsync(path.parent)

    @contextmanager
    def removing(self, digests: Iterable[str], referenced: Referenced) -> Iterator[None]:
        marks = {digest: self._spool / f"{digest}.removing" for digest in sorted(digests)}
        for mark in marks.values():
            mark.touch(mode=0o600)
        _fsync(self._spool)
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
            yield from unseal(file, keys, content.sha256, content.size) if keys else _verified(file, content)

    def sweep(self, referenced: Referenced, before: float) -> int:
        """Clear up after a crash: remove what was spooled before ``before`` (epoch seconds) and never registered.

        Returns how many spool files there were. Choose ``before`` so that no request of then can still be going on.
        """
        leftovers = [path for path in sorted(self._spool.iterdir()) if path.stat().st_mtime < before]
        self._remove_unreferenced({path.stem for path in leftovers if len(path.stem) == 64}, referenced)
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def _remove_unreferenced(self, digests: Iterable[str], referenced: Referenced) -> None:
        for digest in digests:
            with self._lock(digest, fcntl.LOCK_EX):
                if not referenced(digest):
                    self._path(digest, SEALED).unlink(missing_ok=True)
                    self._path(digest, PLAIN).unlink(missing_ok=True)

    @contextmanager
    def _lock(self, digest: str, mode: int) -> Iterator[None]:
        """Adopters of a shard share its lock until their commit, so that a remover sees what they registered."""
        with (self._locks / digest[:2]).open("ab") as file:
            fcntl.flock(file, mode)
            yield

    def _path(self, digest: str, form: str) -> Path:
        return self._content / digest[:2] / digest[2:4] / f"{digest}{form}"

    @contextmanager
    def _opened(self, content: Content) -> Iterator[tuple[BinaryIO, KeyRing | None]]:
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


class _FileSink:
    """One arriving part: hashed, sealed and spooled in constant memory."""

    def __init__(self, spool: Path, keys: KeyRing | None) -> None:
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


def _verified(file: BinaryIO, content: Content) -> Iterator[bytes]:
    """Yield an unsealed file; its last piece only if the whole has the SHA-256 under which it is stored."""
    hashed = hashlib.sha256()
    piece = file.read(CHUNK)
    while following := file.read(CHUNK):
        hashed.update(piece)
        yield piece
        piece = following
    hashed.update(piece)
    if hashed.hexdigest() != content.sha256:
        raise DamagedDocument("the stored bytes do not have the SHA-256 under which they are stored")
    yield piece


def _make_directory(path: Path, root: Path) -> None:
    """Make ``path`` and its parents below ``root``, durably."""
    if path == root or path.is_dir():
        return
    _make_directory(path.parent, root)
    path.mkdir(mode=0o700, exist_ok=True)
    _fsync(path.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
