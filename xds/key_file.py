"""The file of key-encryption keys: one key a line as 64 hexadecimal digits, the sealing key first."""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ihe.durable import create_whole, write_whole
from xds.encryption import KEY, Cipher, KeyRing


def load_keys(path: Path) -> KeyRing:
    """Read a key file. ValueError if a line is no key."""
    return KeyRing(tuple(bytes.fromhex(line) for line in path.read_text("ascii").split()))


def create_keys(path: Path) -> KeyRing:
    """Write a new key file that only its owner can read; FileExistsError rather than replace one."""
    create_whole(path, _text((secrets.token_bytes(KEY),)))
    return load_keys(path)


def add_key(path: Path) -> KeyRing:
    """Put a new sealing key before the others, durably, before anything can be sealed under it."""
    with _alone(path):
        return _replace(path, (secrets.token_bytes(KEY), *load_keys(path).keys))


def add_keys_of(source: Path, target: Path) -> None:
    """Put the keys of one file into another, durably; keys that only the other has stay behind them.

    ValueError if either is there and holds no keys.
    """
    with _alone(source):
        keys = load_keys(source).keys
        others = load_keys(target).keys if target.exists() else ()
        _replace(target, (*keys, *(each for each in others if each not in keys)))


def keep_keys(path: Path, ids: Iterable[str]) -> KeyRing:
    """Forget every key but those of these ids and the sealing key: what it sealed can never be read again."""
    with _alone(path):
        ring, kept = load_keys(path), set(ids)
        others = (key for key, id in zip(ring.keys[1:], ring.ids()[1:], strict=True) if id in kept)
        return _replace(path, (ring.keys[0], *others))


class KeyFile:
    """The keys of a file that may be changed while servers run: a new key is used from its next document on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = str(path)
        self._stamp = self._now()
        self._ring = load_keys(path)

    def ring(self) -> KeyRing:
        """The keys that stand in the file now. A file that is away or half written changes nothing."""
        try:
            stamp = self._now()
            if stamp != self._stamp:
                self._ring, self._stamp = load_keys(self._path), stamp
        except (OSError, ValueError):
            return self._ring
        return self._ring

    def wrap(self, data_key: bytes, digest: str, size: int) -> bytes:
        """Make the header of a document sealed under ``data_key``."""
        return self.ring().wrap(data_key, digest, size)

    def unwrap(self, header: bytes, digest: str, size: int) -> tuple[Cipher, int]:
        """Open a header; return the cipher of the chunks and how many plain bytes a chunk holds."""
        return self.ring().unwrap(header, digest, size)

    def rewrap(self, header: bytes, digest: str, size: int) -> bytes | None:
        """The same header under the sealing key; None if it is already."""
        return self.ring().rewrap(header, digest, size)

    def _now(self) -> tuple[int, int, int]:
        found = os.stat(self._name)
        return found.st_mtime_ns, found.st_ino, found.st_size


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Change a file by what it says while nobody else does: a key that two wrote at once would be gone."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            yield
            return
    with _alone(path):  # it was replaced meanwhile
        yield


def _replace(path: Path, keys: tuple[bytes, ...]) -> KeyRing:
    write_whole(path, _text(keys))
    return KeyRing(keys)


def _text(keys: tuple[bytes, ...]) -> bytes:
    return "".join(f"{key.hex()}\n" for key in keys).encode("ascii")
