"""Bytes that no row refers to: what a crash or a store that did not answer left behind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from affinity.database import Database
from xds import repository_store
from xds.documents import DocumentStore, Stored


def orphans(database: Database, store: DocumentStore, before: datetime) -> Iterator[Stored]:
    """Yield what is stored since before ``before`` and wanted by no row.

    Younger bytes may be those of a submission that is going on: its rows are committed after its bytes are stored.
    """
    old = (each for each in store.stored() if each.stored_at < before)
    while batch := list(islice(old, repository_store.BATCH)):
        yield from _unwanted(database, batch)


@dataclass(frozen=True, slots=True)
class Swept:
    """How many were deleted, and how many were left."""

    removed: int
    left: int = 0


def remove_orphans(database: Database, store: DocumentStore, before: datetime, since: datetime | None = None) -> Swept:
    """Delete them, each asked for once more under the locks of its store, and leave those stored before ``since``.

    Not those of documents that were removed: their bytes shall go, and stayed while the store did not answer.
    So goes what was spooled before then: a worker that was killed leaves it, and its node does not start anew.
    """

    def referenced(name: str) -> bool:
        return database.read(lambda connection: repository_store.is_referenced(connection, name))

    removed, left = store.sweep(referenced, before.timestamp()), 0
    for each in orphans(database, store, before):
        if since is None or each.stored_at >= since or _was_removed(database, each):
            removed += store.discard(each.name, referenced)
        else:
            left += 1
    return Swept(removed, left)


def _was_removed(database: Database, orphan: Stored) -> bool:
    return database.read(lambda connection: repository_store.was_removed(connection, orphan.name, orphan.stored_at))


def _unwanted(database: Database, batch: Iterable[Stored]) -> Iterator[Stored]:
    stored = {each.name: each for each in batch}
    wanted = database.read(lambda connection: repository_store.referenced_among(connection, stored))
    yield from (each for name, each in stored.items() if name not in wanted)
