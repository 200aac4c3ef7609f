"""Encryption of documents at rest: AES-256-GCM in chunks under one random data key per document.

A stored document is a header and sealed chunks. Every chunk's nonce is its index and whether it is the last, so that
chunks cannot be reordered, dropped or appended. The data key stands in the header, wrapped by a key-encryption key and
bound to the document's SHA-256 and size: bytes under the name of another document do not open at all.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 64 * 1024
"""Plain bytes in every chunk but the last."""
KEY = 32
NONCE = 12
TAG = 16
PREFIX = struct.Struct(">4sBI8s")
"""Magic, version of this format, plain bytes per chunk, id of the key-encryption key."""
MAGIC = b"AFFD"
VERSION = 1
HEADER = PREFIX.size + NONCE + KEY + TAG


Cipher = AESGCM
"""What opens the chunks of a document."""


class DamagedDocument(Exception):
    """Stored bytes are not what was stored: changed, truncated, reordered, or another document's."""


class UnknownKey(Exception):
    """A document is sealed under a key-encryption key that the key file does not hold."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Key-encryption keys of 32 bytes: the first seals, each opens what it sealed. To rotate, put a new one first."""

    keys: tuple[bytes, ...] = field(repr=False)
    _ids: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != KEY for key in self.keys):
            raise ValueError(f"a key ring holds at least one key, each of {KEY} bytes")
        object.__setattr__(self, "_ids", tuple(map(_key_id, self.keys)))

    def wrap(self, data_key: bytes, digest: str, size: int) -> bytes:
        """Make the header of a document sealed under ``data_key``."""
        return self._wrapped(data_key, CHUNK, digest, size)

    def unwrap(self, header: bytes, digest: str, size: int) -> tuple[Cipher, int]:
        """Open a header; return the cipher of the chunks and how many plain bytes a chunk holds."""
        data_key, chunk = self._opened(header, digest, size)
        return AESGCM(data_key), chunk

    def rewrap(self, header: bytes, digest: str, size: int) -> bytes | None:
        """The same header under the sealing key; None if it is already. The chunks behind it stay as they are."""
        data_key, chunk = self._opened(header, digest, size)
        return None if key_id(header) == self.ids()[0] else self._wrapped(data_key, chunk, digest, size)

    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, that of the sealing key first."""
        return tuple(id.hex() for id in self._ids)

    def _wrapped(self, data_key: bytes, chunk: int, digest: str, size: int) -> bytes:
        prefix = PREFIX.pack(MAGIC, VERSION, chunk, self._ids[0])
        nonce = os.urandom(NONCE)
        return prefix + nonce + AESGCM(self.keys[0]).encrypt(nonce, data_key, prefix + _identity(digest, size))

    def _opened(self, header: bytes, digest: str, size: int) -> tuple[bytes, int]:
        if len(header) != HEADER:
            raise DamagedDocument("the stored file is shorter than its header")
        prefix, nonce, wrapped = header[: PREFIX.size], header[PREFIX.size :][:NONCE], header[PREFIX.size + NONCE :]
        magic, version, chunk, key_id = PREFIX.unpack(prefix)
        if (magic, version) != (MAGIC, VERSION):
            raise DamagedDocument("the stored file does not begin with the header of a sealed document")
        try:
            return AESGCM(self._key(key_id)).decrypt(nonce, wrapped, prefix + _identity(digest, size)), chunk
        except InvalidTag:
            raise DamagedDocument("the header was changed or belongs to another document") from None

    def _key(self, key_id: bytes) -> bytes:
        for key, id in zip(self.keys, self._ids, strict=True):
            if id == key_id:
                return key
        raise UnknownKey(f"no key-encryption key has the id {key_id.hex()}")


class Keys(Protocol):
    """What opens and closes headers: a ``KeyRing``, or a file of keys that may change meanwhile."""

    def wrap(self, data_key: bytes, digest: str, size: int) -> bytes:
        """Make the header of a document sealed under ``data_key``."""

    def unwrap(self, header: bytes, digest: str, size: int) -> tuple[Cipher, int]:
        """Open a header; return the cipher of the chunks and how many plain bytes a chunk holds."""

    def rewrap(self, header: bytes, digest: str, size: int) -> bytes | None:
        """The same header under the sealing key; None if it is already."""


class Readable(Protocol):
    """Where stored bytes are read from."""

    def read(self, count: int, /) -> bytes:
        """The next ``count`` bytes, fewer only at the end."""


class Sealer:
    """Seals one document while it arrives; ``HEADER`` bytes are left free before the first chunk."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._data_key = os.urandom(KEY)
        self._cipher = AESGCM(self._data_key)
        self._pending = bytearray()
        self._index = 0

    def update(self, plain: bytes) -> bytes:
        """Take the next bytes; return the chunks that are full and cannot be the last."""
        if len(self._pending) + len(plain) <= CHUNK:
            self._pending += plain
            return b""
        taken = CHUNK - len(self._pending)
        rest = memoryview(plain)
        sealed = [self._seal(self._pending + plain[:taken], last=False)]
        while len(plain) - taken > CHUNK:
            sealed.append(self._seal(rest[taken : taken + CHUNK], last=False))
            taken += CHUNK
        self._pending = bytearray(rest[taken:])
        return b"".join(sealed)

    def finish(self, digest: str, size: int) -> tuple[bytes, bytes]:
        """Return the last chunk, and the header that belongs before the first."""
        return self._seal(bytes(self._pending), last=True), self._keys.wrap(self._data_key, digest, size)

    def _seal(self, plain: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._index, last), plain, None)
        self._index += 1
        return sealed


def unseal(file: Readable, keys: Keys, digest: str, size: int) -> Iterator[bytes]:
    """Yield the plain bytes of the document ``digest`` of ``size`` bytes; nothing is yielded unverified."""
    cipher, chunk = keys.unwrap(file.read(HEADER), digest, size)
    count = max(1, -(-size // chunk))
    for index in range(count):
        try:
            yield cipher.decrypt(_nonce(index, index == count - 1), file.read(chunk + TAG), None)
        except InvalidTag:
            raise DamagedDocument(f"chunk {index} of {count} was changed, moved or cut") from None
    if file.read(1):
        raise DamagedDocument("the stored file goes on after its last chunk")


def sealed_size(size: int) -> int:
    """How many bytes a document of ``size`` bytes takes when sealed."""
    return HEADER + size + TAG * max(1, -(-size // CHUNK))


def _nonce(index: int, last: bool) -> bytes:
    return struct.pack(">3xQ?", index, last)


def key_id(header: bytes) -> str:
    """The id of the key under which a header is sealed."""
    return header[: PREFIX.size][-8:].hex()


def _identity(digest: str, size: int) -> bytes:
    return bytes.fromhex(digest) + size.to_bytes(8, "big")


def _key_id(key: bytes) -> bytes:
    return sha256(b"affinity key id" + key).digest()[:8]
