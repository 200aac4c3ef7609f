"""The repository's table of documents, on both engines."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from affinity.database import Database
from ihe.errors import ErrorCode, Rejected
from ihe.identifiers import UniqueId
from xds.documents import Content
from xds.repository_store import (
    Document,
    contents,
    count_retrievable,
    documents,
    ids_of,
    is_referenced,
    record,
    referenced_among,
    remove,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE, THERE = "2.25.1", "2.25.2"
REPORT = Document(
    repository_unique_id=HERE,
    unique_id=UniqueId("1.2.3"),
    content=Content(sha256="ab" * 32, size=5),
    sha1="cd" * 20,
    mime_type="application/pdf",
)
CHANGED = replace(REPORT, content=Content(sha256="ef" * 32, size=5), sha1="ef" * 20)


def store(database: Database, *recorded: Document) -> None:
    database.write(lambda connection: record(connection, recorded, NOW))


def retrieve(database: Database, *ids: str, repository: str = HERE) -> list[Document]:
    found = database.read(lambda connection: documents(connection, repository, map(UniqueId, ids)))
    return [found[UniqueId(each)] for each in ids if each in found]


def discard(database: Database, document: Document) -> bool:
    return database.write(lambda connection: remove(connection, document.repository_unique_id, document.unique_id, NOW))


def referenced(database: Database, document: Document) -> bool:
    return database.read(lambda connection: is_referenced(connection, document.content.sha256))


def test_a_recorded_document_is_found_in_its_repository_alone(database: Database) -> None:
    store(database, REPORT)
    assert retrieve(database, "1.2.3", "unknown") == [REPORT]
    assert retrieve(database, "1.2.3", repository=THERE) == []


def test_two_documents_of_one_id_at_once_must_have_the_same_bytes(database: Database) -> None:
    store(database, REPORT, REPORT)
    other = replace(REPORT, unique_id=UniqueId("1.2.4"))
    with pytest.raises(Rejected) as refused:
        store(database, other, replace(CHANGED, unique_id=other.unique_id))
    assert refused.value.codes == {ErrorCode.NON_IDENTICAL_HASH}
    assert retrieve(database, "1.2.3", "1.2.4") == [REPORT]


def test_more_documents_than_a_statement_takes(database: Database) -> None:
    ids = [f"1.2.{number}" for number in range(1_201)]
    store(database, *(replace(REPORT, unique_id=UniqueId(each)) for each in ids))
    assert [each.unique_id for each in retrieve(database, *ids)] == ids


def test_the_same_bytes_again_are_legal_and_keep_the_first_media_type(database: Database) -> None:
    store(database, REPORT)
    store(database, replace(REPORT, mime_type="text/plain"))
    assert retrieve(database, "1.2.3") == [REPORT]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (CHANGED, ErrorCode.NON_IDENTICAL_HASH),
        (replace(CHANGED, content=Content(sha256="ef" * 32, size=6)), ErrorCode.NON_IDENTICAL_SIZE),
    ],
)
def test_other_bytes_under_a_known_id_are_refused(database: Database, other: Document, code: ErrorCode) -> None:
    store(database, REPORT)
    with pytest.raises(Rejected) as caught:
        store(database, replace(REPORT, unique_id=UniqueId("1.2.4")), other)
    assert caught.value.codes == {code}
    assert retrieve(database, "1.2.3", "1.2.4") == [REPORT]


def test_every_known_id_with_other_bytes_is_told(database: Database) -> None:
    second = replace(REPORT, unique_id=UniqueId("1.2.4"))
    store(database, REPORT, second)
    with pytest.raises(Rejected) as caught:
        store(database, CHANGED, replace(CHANGED, unique_id=UniqueId("1.2.4")))
    assert [breach.location for breach in caught.value.breaches] == ["1.2.3", "1.2.4"]


def test_bytes_are_gone_through_once_in_the_order_of_their_names(database: Database) -> None:
    copies = [replace(REPORT, unique_id=UniqueId(f"1.2.{n}")) for n in range(3)]
    placed = [
        replace(CHANGED, unique_id=UniqueId(f"1.3.{place}"), content=replace(CHANGED.content, place=place))
        for place in ("b" * 16, "a" * 16)
    ]
    store(database, *copies, *placed)
    names, after = [], ""
    while page := database.read(lambda connection, after=after: contents(connection, after, 1)):  # type: ignore[misc]
        names.append(after := page[0].name)
    assert names == [REPORT.content.name, placed[1].content.name, placed[0].content.name]
    assert database.read(lambda connection: ids_of(connection, REPORT.content)) == ["1.2.0", "1.2.1", "1.2.2"]
    assert database.read(lambda connection: referenced_among(connection, [*names, "0" * 64])) == set(names)
    assert database.read(count_retrievable) == (5, 25)


class TestRemoval:
    def test_a_removed_document_is_not_found_and_removed_once(self, database: Database) -> None:
        store(database, REPORT)
        assert [discard(database, REPORT), discard(database, REPORT)] == [True, False]
        assert retrieve(database, "1.2.3") == []

    def test_bytes_are_referenced_until_the_last_document_goes(self, database: Database) -> None:
        copy = replace(REPORT, unique_id=UniqueId("1.2.4"))
        store(database, REPORT, copy)
        seen = [referenced(database, REPORT)]
        for each in (REPORT, copy):
            discard(database, each)
            seen.append(referenced(database, REPORT))
        assert seen == [True, True, False]

    def test_bytes_of_one_place_are_not_those_of_another(self, database: Database) -> None:
        placed = replace(REPORT, content=replace(REPORT.content, place="a" * 16))
        names = (placed.content.name, replace(placed.content, place="b" * 16).name)
        store(database, placed)
        assert [database.read(lambda c, name=name: is_referenced(c, name)) for name in names] == [True, False]  # type: ignore[misc]
        discard(database, placed)
        assert not database.read(lambda connection: is_referenced(connection, names[0]))

    def test_a_removed_document_may_come_back_with_the_same_bytes_only(self, database: Database) -> None:
        store(database, REPORT)
        discard(database, REPORT)
        with pytest.raises(Rejected):
            store(database, CHANGED)
        store(database, replace(REPORT, mime_type="text/plain"))
        assert retrieve(database, "1.2.3") == [replace(REPORT, mime_type="text/plain")]
