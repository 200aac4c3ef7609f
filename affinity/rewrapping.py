"""Key rotation: the data keys of old documents are sealed under the new key, document by document."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from affinity.database import Database
from affinity.withheld import given
from ihe.durable import write_whole
from xds import repository_store
from xds.documents import Content, DocumentStore, StoreUnavailable
from xds.encryption import DamagedDocument, UnknownKey

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapped:
    """How far it is: documents looked at, those whose data key was sealed anew, and the SHA-256 of what is not right.

    A document that cannot be opened keeps the header that it has, so it still needs its key.
    """

    seen: int = 0
    rewrapped: int = 0
    failed: tuple[str, ...] = ()


def rewrap_all(
    database: Database, store: DocumentStore, mark: Path, reached: Callable[[Rewrapped], None] = lambda _: None
) -> Rewrapped:
    """Seal what is not sealed under the sealing key; goes on where ``mark`` says that it was stopped.

    Removed documents are not looked at: their bytes are gone. Raises StoreUnavailable.
    """
    done, after = Rewrapped(), mark.read_text() if mark.exists() else ""
    while contents := _next(database, after):
        for content in contents:
            done = _one(store, content, done)
            after = content.name
            reached(done)
        write_whole(mark, after.encode())
    mark.unlink(missing_ok=True)
    return done


def _next(database: Database, after: str) -> list[Content]:
    return database.read(lambda connection: repository_store.contents(connection, after, PAGE))


def _one(store: DocumentStore, content: Content, done: Rewrapped) -> Rewrapped:
    try:
        anew = _rewrapped(store, content)
    except (DamagedDocument, UnknownKey):
        return replace(done, seen=done.seen + 1, failed=(*done.failed, content.sha256))
    return replace(done, seen=done.seen + 1, rewrapped=done.rewrapped + anew)


def _rewrapped(store: DocumentStore, content: Content) -> bool:
    try:
        return store.rewrap(content)
    except StoreUnavailable:
        given(store, lambda: store.check(content))
        raise
