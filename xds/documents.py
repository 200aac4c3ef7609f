"""The document store as a repository sees it: bytes by their SHA-256, durable before they are registered.

(ITI TF-2: 3.41.4.1.3.2.) ``xds.file_store`` keeps them in files, ``xds.object_store`` in an S3-compatible store.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ihe.exchange import Part, Sink
from xds.encryption import CHUNK, DamagedDocument, Readable

Referenced = Callable[[str], bool]
"""Claims that some retrievable document consists of the bytes of this name (``Content.name``)."""


class StoreUnavailable(Exception):
    """The store cannot be reached, or did not take or give what it was asked for; asking again later is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Stored bytes: their SHA-256 in lower-case hexadecimal, and how many they are.

    ``place`` tells apart what different submissions of the same bytes stored, where a store keeps each of them.
    """

    sha256: str
    size: int
    place: str | None = None

    @property
    def name(self) -> str:
        """Under which name a store has them."""
        return self.sha256 if self.place is None else f"{self.sha256}.{self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a store has under a name: how many bytes there, and since when."""

    name: str
    size: int
    stored_at: datetime


class DocumentStore(Protocol):
    """Where a repository keeps bytes. Locks are held while a context is open, so enter none inside a transaction.

    Each function raises ``StoreUnavailable`` where the store does not answer.
    """

    def create(self) -> Sink:
        """Make a place for one arriving part."""

    def content(self, part: Part) -> Content:
        """What a finished part will be once it is adopted: this is to be registered."""

    def adopting(self, parts: Iterable[Part], referenced: Referenced) -> AbstractContextManager[None]:
        """Keep the bytes of ``parts`` durably while their metadata is written; on failure only what is referenced."""

    def removing(self, names: Iterable[str], referenced: Referenced) -> AbstractContextManager[None]:
        """Delete, after the metadata was changed, the bytes that nothing refers to any more."""

    def check(self, content: Content) -> None:
        """Raise ``DamagedDocument`` if the bytes are absent, or cut, or under another document's name."""

    def read(self, content: Content) -> bytes:
        """All the bytes at once, for what is small; ``DamagedDocument`` rather than wrong bytes."""

    def open(self, content: Content) -> Iterator[bytes]:
        """Yield the bytes in bounded pieces; ``DamagedDocument`` rather than wrong bytes."""

    def sweep(self, referenced: Referenced, before: float) -> int:
        """Clear up after a crash: what was spooled before ``before`` (epoch seconds) and never registered."""

    def stored(self) -> Iterator[Stored]:
        """Yield everything that is in the store, in the order of the names."""

    def discard(self, name: str, referenced: Referenced) -> bool:
        """Delete what is stored under a name unless it is referenced; claim that it was deleted."""

    def keep(self, part: Part, content: Content) -> None:
        """Store a finished part durably under the name that its row has already: for documents of another store."""

    def rewrap(self, content: Content) -> bool:
        """Seal the data key of a document under the sealing key; False if it is already, or nothing is sealed."""


def verified(file: Readable, content: Content) -> Iterator[bytes]:
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
