"""Provide and Register: documents and metadata together or not at all, and every fault in one answer."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from lxml.etree import _Element

from affinity.database import Database
from ihe.datatypes import CX
from ihe.errors import Rejected
from ihe.exchange import Exchange, Part, SOAPReply, SOAPRequest
from ihe.identifiers import UniqueId
from soap.xml import parse
from tests.buckets import BucketServer, Fault, FaultyWay, faulty_way
from xds.ebrim_writing import encode
from xds.encryption import KeyRing
from xds.iti41 import ITI_41
from xds.model import Association, AssociationType, ObjectType, Submission
from xds.object_store import ObjectStore
from xds.repository import DocumentRepository
from xds.tables import document_entry

NS = {"rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"}
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
REPORT = b"%PDF-1.7 potassium 4.1 mmol/L " + bytes(range(256)) * 1000
OTHER_REPORT = REPORT.replace(b"4.1", b"4.2")

Reports = Callable[..., Submission]
Relate = Callable[..., Association]


@pytest.fixture
def report(another_report: Reports) -> Callable[..., Submission]:
    """Makes a submission as a Document Source sends it: without what the repository computes."""

    def make(n: int, *more: Association, **changes: object) -> Submission:
        sent = another_report(n, *more)
        unknown = {"hash": None, "size": None, "repository_unique_id": None}
        entry = replace(sent.document_entries[0], **unknown | changes)  # type: ignore[arg-type]
        submission_set = replace(sent.submission_set, patient_id=entry.patient_id)
        return replace(sent, submission_set=submission_set, document_entries=(entry,))

    return make


def inline(document_id: str, data: bytes) -> str:
    return f'<Document id="{document_id}">{base64.b64encode(data).decode()}</Document>'


def included(document_id: str, part: Part) -> str:
    include = f'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{part.content_id}"/>'
    return f'<Document id="{document_id}">{include}</Document>'


def receive(repository: DocumentRepository, data: bytes) -> Part:
    sink = repository.store.create()
    sink.write(data)
    return sink.finish("1@source", "application/pdf")


def message(submission: Submission, documents: str, *parts: Part) -> SOAPRequest:
    start, end = (f"<{each}ProvideAndRegisterDocumentSetRequest" for each in ("", "/"))
    text = f'{start} xmlns="urn:ihe:iti:xds-b:2007">{encode(submission).decode()}{documents}{end}>'
    return SOAPRequest(parse(text.encode()), {part.content_id: part for part in parts})


def send(wire: SOAPRequest, repository: DocumentRepository, exchange: Exchange) -> SOAPReply:
    try:
        return ITI_41.encode(wire, ITI_41.handle(ITI_41.decode(wire), repository, exchange), exchange)
    except Rejected as rejected:
        return ITI_41.refuse(wire, rejected, exchange)


def answer(reply: SOAPReply) -> _Element:
    return parse(b"".join(reply.body))


def errors(reply: SOAPReply) -> list[str | None]:
    root = answer(reply)
    found = [each.get("errorCode") for each in root.iterfind(".//rs:RegistryError", NS)]
    assert root.get("status") == (FAILURE if found else SUCCESS)
    return found


def retrieve(repository: DocumentRepository, n: int) -> bytes | None:
    unique_id = UniqueId(f"2.25.400.{n}")
    document = repository.documents([unique_id]).get(unique_id)
    return b"".join(repository.deliver(document).chunks()) if document else None


def entries(database: Database) -> list[Mapping[str, object]]:
    query = document_entry.select().order_by(document_entry.c.id)
    return [dict(row) for row in database.read(lambda connection: connection.execute(query).mappings().all())]


def files(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.is_file() and path.parent.name != "locks"]


def test_a_document_is_retrievable_and_described_by_what_was_received(
    repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange
) -> None:
    part = receive(repository, REPORT)
    assert errors(send(message(report(1), included("Document1", part), part), repository, exchange)) == []
    assert retrieve(repository, 1) == REPORT
    [entry] = entries(database)
    assert (entry["hash"], entry["size"], entry["repository_unique_id"]) == (
        hashlib.sha1(REPORT, usedforsecurity=False).hexdigest(),
        len(REPORT),
        repository.unique_id,
    )


def test_an_inline_document_leaves_no_spool_file(
    repository: DocumentRepository, report: Reports, exchange: Exchange, document_files: Path
) -> None:
    assert errors(send(message(report(1), inline("Document1", REPORT)), repository, exchange)) == []
    assert retrieve(repository, 1) == REPORT
    assert files(document_files) == [f"{hashlib.sha256(REPORT).hexdigest()}.sealed"]


def test_another_repositorys_id_is_replaced_by_ours(
    repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange
) -> None:
    send(message(report(1, repository_unique_id="2.25.999"), inline("Document1", REPORT)), repository, exchange)
    assert entries(database)[0]["repository_unique_id"] == repository.unique_id


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"hash": hashlib.sha1(REPORT, usedforsecurity=False).hexdigest().upper()}, []),
        ({"size": len(REPORT)}, []),
        ({"hash": hashlib.sha1(OTHER_REPORT, usedforsecurity=False).hexdigest()}, ["XDSRepositoryMetadataError"]),
        ({"size": len(REPORT) + 1}, ["XDSRepositoryMetadataError"]),
        ({"size": 0, "hash": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}, ["XDSRepositoryMetadataError"] * 2),
    ],
)
def test_a_declared_hash_or_size_that_differs_is_refused(
    repository: DocumentRepository,
    report: Reports,
    exchange: Exchange,
    declared: dict[str, object],
    expected: list[str],
) -> None:
    wire = message(report(1, **declared), inline("Document1", REPORT))
    assert errors(send(wire, repository, exchange)) == expected
    assert (retrieve(repository, 1) is None) == bool(expected)


def test_a_refused_submission_leaves_no_document(
    repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange, document_files: Path
) -> None:
    nobody = CX("nobody", report(1).submission_set.patient_id.authority)  # type: ignore[union-attr]
    wire = message(report(1, patient_id=nobody), inline("Document1", REPORT))
    assert errors(send(wire, repository, exchange)) == ["XDSUnknownPatientId"]
    assert (retrieve(repository, 1), entries(database), files(document_files)) == (None, [], [])


def test_a_refused_submission_leaves_the_same_bytes_of_an_accepted_one(
    repository: DocumentRepository, report: Reports, exchange: Exchange
) -> None:
    send(message(report(1), inline("Document1", REPORT)), repository, exchange)
    nobody = CX("nobody", report(1).submission_set.patient_id.authority)  # type: ignore[union-attr]
    send(message(report(2, patient_id=nobody), inline("Document2", REPORT)), repository, exchange)
    assert retrieve(repository, 1) == REPORT


def test_faults_of_both_actors_are_told_at_once(
    repository: DocumentRepository, report: Reports, exchange: Exchange
) -> None:
    nobody = CX("nobody", report(1).submission_set.patient_id.authority)  # type: ignore[union-attr]
    documents = inline("Document1", OTHER_REPORT) + inline("Document9", REPORT)
    wire = message(report(1, patient_id=nobody, size=len(REPORT) + 5, creation_time="now"), documents)
    assert errors(send(wire, repository, exchange)) == [
        "XDSMissingDocumentMetadata",
        "XDSRepositoryMetadataError",
        "XDSRegistryMetadataError",
        "XDSUnknownPatientId",
    ]


def test_an_entry_without_document_and_a_document_without_entry_are_refused(
    repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange
) -> None:
    reply = send(message(report(1), inline("Document2", REPORT)), repository, exchange)
    assert errors(reply) == ["XDSMissingDocument", "XDSMissingDocumentMetadata"]
    assert entries(database) == []


def test_a_missing_document_is_not_also_a_missing_hash(
    repository: DocumentRepository, report: Reports, exchange: Exchange
) -> None:
    assert errors(send(message(report(1), ""), repository, exchange)) == ["XDSMissingDocument"]


def test_a_request_without_metadata_is_refused(repository: DocumentRepository, exchange: Exchange) -> None:
    body = parse(b'<ProvideAndRegisterDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"/>')
    assert errors(send(SOAPRequest(body), repository, exchange)) == ["XDSRegistryMetadataError"]


class TestRepeatedUniqueId:
    def test_with_the_same_bytes_is_legal(
        self, repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange
    ) -> None:
        for n in (1, 2):
            again = report(n, unique_id=UniqueId("2.25.400.1"))
            assert errors(send(message(again, inline(f"Document{n}", REPORT)), repository, exchange)) == []
        assert [entry["unique_id"] for entry in entries(database)] == ["2.25.400.1"] * 2

    @pytest.mark.parametrize(
        ("data", "code"),
        [(OTHER_REPORT, "XDSNonIdenticalHash"), (REPORT + b" ", "XDSNonIdenticalSize")],
    )
    def test_with_other_bytes_is_refused_and_the_first_stays(
        self, repository: DocumentRepository, report: Reports, exchange: Exchange, data: bytes, code: str
    ) -> None:
        send(message(report(1), inline("Document1", REPORT)), repository, exchange)
        again = report(2, unique_id=UniqueId("2.25.400.1"))
        assert code in errors(send(message(again, inline("Document2", data)), repository, exchange))
        assert retrieve(repository, 1) == REPORT

    def test_is_refused_by_the_repository_even_where_the_registry_forgot(
        self,
        repository: DocumentRepository,
        keep: Callable[[str, bytes, str], Path],
        report: Reports,
        exchange: Exchange,
    ) -> None:
        keep("2.25.400.1", REPORT, "application/pdf")
        reply = send(message(report(1), inline("Document1", OTHER_REPORT)), repository, exchange)
        assert errors(reply) == ["XDSNonIdenticalHash"]
        assert retrieve(repository, 1) == REPORT


def test_an_on_demand_entry_is_not_provided(
    repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange
) -> None:
    wire = message(report(1, object_type=ObjectType.ON_DEMAND, creation_time=None), inline("Document1", REPORT))
    assert errors(send(wire, repository, exchange)) != []
    assert entries(database) == []


def test_a_replacement_leaves_the_replaced_document_retrievable(
    repository: DocumentRepository, database: Database, report: Reports, relate: Relate, exchange: Exchange
) -> None:
    send(message(report(1), inline("Document1", REPORT)), repository, exchange)
    replaces = relate("Document2", AssociationType.RPLC, entries(database)[0]["entry_uuid"])
    assert errors(send(message(report(2, replaces), inline("Document2", OTHER_REPORT)), repository, exchange)) == []
    assert [retrieve(repository, n) for n in (1, 2)] == [REPORT, OTHER_REPORT]


def test_an_association_alone_needs_no_document(
    repository: DocumentRepository, report: Reports, submission: Submission, exchange: Exchange
) -> None:
    folders = tuple(each for each in submission.associations if each.entry_uuid == "set-folder")
    only_a_folder = replace(submission, document_entries=(), associations=folders)
    assert errors(send(message(only_a_folder, ""), repository, exchange)) == []


def test_no_room_is_told_as_such(
    repository: DocumentRepository,
    database: Database,
    report: Reports,
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xds.spool.os.fsync", full)
    reply = send(message(report(1), inline("Document1", REPORT)), repository, exchange)
    assert errors(reply) == ["XDSRepositoryOutOfResources"]
    assert entries(database) == []


class TestInABucket:
    """The same actor with its documents in an S3-compatible store, by a way that may fail."""

    @pytest.fixture
    def way(self, s3: BucketServer) -> Iterator[FaultyWay]:
        with faulty_way(s3.url) as made:
            yield made

    @pytest.fixture
    def prefix(self, tmp_path: Path) -> str:
        return tmp_path.name

    @pytest.fixture
    def remote(
        self, repository: DocumentRepository, s3: BucketServer, way: FaultyWay, prefix: str, document_files: Path
    ) -> DocumentRepository:
        bucket = s3.bucket(prefix, url=way.url)
        return replace(repository, store=ObjectStore(bucket, document_files / "spool", KeyRing((b"k" * 32,))))

    def test_a_document_is_retrievable_and_leaves_with_its_removal(
        self, remote: DocumentRepository, report: Reports, exchange: Exchange, s3: BucketServer, prefix: str
    ) -> None:
        wire = message(report(1), inline("Document1", REPORT))
        assert errors(send(wire, remote, exchange)) == []
        assert retrieve(remote, 1) == REPORT
        remote.remove([UniqueId("2.25.400.1")], exchange.received_at)
        assert s3.objects(prefix) == []

    def test_a_submission_sent_again_leaves_one_copy(
        self, remote: DocumentRepository, report: Reports, exchange: Exchange, s3: BucketServer, prefix: str
    ) -> None:
        for n in (1, 2):
            again = report(n, unique_id=UniqueId("2.25.400.1"))
            assert errors(send(message(again, inline(f"Document{n}", REPORT)), remote, exchange)) == []
        assert retrieve(remote, 1) == REPORT
        assert len(s3.objects(prefix)) == 1

    def test_a_removed_document_comes_back_with_the_bytes_of_its_new_submission(
        self, remote: DocumentRepository, report: Reports, exchange: Exchange
    ) -> None:
        send(message(report(1), inline("Document1", REPORT)), remote, exchange)
        remote.remove([UniqueId("2.25.400.1")], exchange.received_at)
        again = report(2, unique_id=UniqueId("2.25.400.1"))
        assert errors(send(message(again, inline("Document2", REPORT)), remote, exchange)) == []
        assert retrieve(remote, 1) == REPORT

    def test_a_store_that_does_not_answer_is_told_as_such_and_nothing_is_registered(
        self,
        remote: DocumentRepository,
        database: Database,
        report: Reports,
        exchange: Exchange,
        way: FaultyWay,
        s3: BucketServer,
        prefix: str,
        document_files: Path,
    ) -> None:
        wire = message(report(1), inline("Document1", REPORT))
        way.fault = Fault.DOWN
        refused = send(wire, remote, exchange)
        assert errors(refused) == ["XDSRepositoryBusy"]
        assert b"again later" in b"".join(refused.body)
        assert entries(database) == []
        way.fault = Fault.NONE
        assert errors(send(wire, remote, exchange)) == []
        way.fault = Fault.DOWN
        connecting_anew = ObjectStore(s3.bucket(prefix, url=way.url), document_files / "spool", None)
        with pytest.raises(Rejected) as caught:
            retrieve(replace(remote, store=connecting_anew), 1)
        assert "again later" in caught.value.breaches[0].remedy


class TestRaces:
    def test_of_different_bytes_under_one_unique_id_one_wins(
        self, repository: DocumentRepository, database: Database, report: Reports, exchange: Exchange
    ) -> None:
        def submit(n: int) -> list[str | None]:
            sent = report(n, unique_id=UniqueId("2.25.400.1"))
            wire = message(sent, inline(f"Document{n}", b"version %d" % n))
            return errors(send(wire, repository, exchange))

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(submit, range(1, 9)))
        [winner] = [n for n, found in enumerate(outcomes, 1) if not found]
        assert retrieve(repository, 1) == b"version %d" % winner
        assert len(entries(database)) == 1

    def test_bytes_survive_the_removal_of_their_copies(
        self, repository: DocumentRepository, report: Reports, exchange: Exchange
    ) -> None:
        def submit(n: int) -> list[str | None]:
            return errors(send(message(report(n), inline(f"Document{n}", REPORT)), repository, exchange))

        def remove(n: int) -> None:
            repository.remove([UniqueId(f"2.25.400.{n}")], exchange.received_at)

        assert submit(1) == []
        for n in range(2, 12):
            with ThreadPoolExecutor(2) as pool:
                removed, submitted = pool.submit(remove, n - 1), pool.submit(submit, n)
            assert (removed.result(), submitted.result()) == (None, [])
            assert retrieve(repository, n) == REPORT


class TestCrash:
    """What is on disk after a crash at each step, and after the next start."""

    def test_between_document_and_metadata_leaves_no_visible_half(
        self,
        repository: DocumentRepository,
        database: Database,
        report: Reports,
        exchange: Exchange,
        document_files: Path,
    ) -> None:
        part = receive(repository, REPORT)
        repository.store.adopt(part)  # type: ignore[attr-defined]
        assert (retrieve(repository, 1), entries(database)) == (None, [])
        repository.store.sweep(repository.is_referenced, before=1e12)  # type: ignore[attr-defined]
        assert files(document_files) == []
        assert errors(send(message(report(1), inline("Document1", REPORT)), repository, exchange)) == []

    def test_between_metadata_and_answer_loses_nothing(
        self, repository: DocumentRepository, report: Reports, exchange: Exchange
    ) -> None:
        part = receive(repository, REPORT)
        send(message(report(1), included("Document1", part), part), repository, exchange)
        repository.store.sweep(repository.is_referenced, before=1e12)  # type: ignore[attr-defined]
        assert retrieve(repository, 1) == REPORT
