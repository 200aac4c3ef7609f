"""Which documents a backup must have is asked of both engines, page by page."""

from datetime import UTC, datetime

from affinity.backup import registered
from affinity.database import Database
from ihe.identifiers import UniqueId
from xds import repository_store
from xds.documents import Content
from xds.repository_store import BATCH, Document

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def document(number: int, content: int) -> Document:
    return Document(
        repository_unique_id="2.25.1",
        unique_id=UniqueId(f"2.25.9{number}"),
        content=Content(sha256=f"{content:064x}", size=content),
        sha1="0" * 40,
        mime_type="text/plain",
    )


def test_each_content_is_named_once_over_all_pages_and_none_that_was_removed(database: Database) -> None:
    stored = [document(number, number // 2) for number in range(2 * BATCH + 4)]
    database.write(lambda connection: repository_store.record(connection, stored, NOW))
    gone = stored[0].unique_id, stored[1].unique_id
    for each in gone:
        database.write(lambda connection, each=each: repository_store.remove(connection, "2.25.1", each, NOW))  # type: ignore[misc]
    found = database.read(lambda connection: list(registered(connection)))
    assert found == [(f"{number:064x}", number) for number in range(1, BATCH + 2)]
