"""On-demand entries: registered without a document, made when they are retrieved, kept as snapshots if so wished."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from affinity.database import Database
from ihe.datatypes import CX, Code
from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import UniqueId
from soap.xml import parse
from xds.ebrim_writing import encode
from xds.iti43 import ITI_43, Retrieval
from xds.iti61 import ITI_61
from xds.model import Association, AssociationType, DocumentEntry, ObjectType, Submission
from xds.on_demand import Made, OnDemandDocumentSource
from xds.patients import Patients
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository
from xds.snapshots import Snapshots
from xds.tables import association, document_entry

Reports = Callable[..., Submission]
Relate = Callable[..., Association]
SUMMARY = UniqueId("2.25.400.1")
FIRST, SECOND = b"<ClinicalDocument>potassium 4.1</ClinicalDocument>", b"<ClinicalDocument>4.2</ClinicalDocument>"


@dataclass
class Laboratory:
    """A content provider whose current content is set by the test."""

    content: bytes | None = FIRST
    asked: list[DocumentEntry] = field(default_factory=list)

    def provide(self, entry: DocumentEntry) -> Made | None:
        self.asked.append(entry)
        pieces = (self.content[:5], self.content[5:]) if self.content is not None else None
        return Made(mime_type="application/pdf", chunks=pieces) if pieces else None


@pytest.fixture
def laboratory() -> Laboratory:
    return Laboratory()


@pytest.fixture
def summary(another_report: Reports) -> Callable[..., Submission]:
    """Makes the submission of an on-demand entry."""

    def make(n: int, *more: Association, **changes: object) -> Submission:
        sent = another_report(n, *more)
        nothing = {"object_type": ObjectType.ON_DEMAND, "hash": None, "size": None, "creation_time": None}
        entry = replace(sent.document_entries[0], **nothing | changes)  # type: ignore[arg-type]
        return replace(sent, document_entries=(entry,))

    return make


@pytest.fixture
def passing_on(repository: DocumentRepository, patients: Patients, laboratory: Laboratory) -> DocumentRepository:
    """A repository whose on-demand documents are delivered and forgotten."""
    return replace(repository, on_demand=OnDemandDocumentSource(provider=laboratory, patients=patients))


@pytest.fixture
def keeping(
    repository: DocumentRepository, patients: Patients, laboratory: Laboratory, codes: dict[str, Code]
) -> DocumentRepository:
    """A repository with the Persistence of Retrieved Documents Option."""
    snapshots = Snapshots(source_id="2.25.9.2", content_type_code=codes["contentTypeCode"])
    source = OnDemandDocumentSource(provider=laboratory, patients=patients, snapshots=snapshots)
    return replace(repository, on_demand=source)


def register(submission: Submission, registry: DocumentRegistry, exchange: Exchange) -> list[str]:
    wire = SOAPRequest(parse(encode(submission)))
    try:
        reply = ITI_61.encode(wire, ITI_61.handle(ITI_61.decode(wire), registry, exchange), exchange)
    except Rejected as rejected:
        reply = ITI_61.refuse(wire, rejected, exchange)
    root = parse(b"".join(reply.body))
    return [error.get("errorCode", "") for error in root.iterfind(".//{*}RegistryError")]


def retrieve(repository: DocumentRepository, exchange: Exchange, *ids: str) -> Retrieval:
    asked = "".join(
        f"<DocumentRequest><RepositoryUniqueId>{repository.unique_id}</RepositoryUniqueId>"
        f"<DocumentUniqueId>{each}</DocumentUniqueId></DocumentRequest>"
        for each in ids
    )
    body = f'<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">{asked}</RetrieveDocumentSetRequest>'
    return ITI_43.handle(ITI_43.decode(SOAPRequest(parse(body.encode()))), repository, exchange)


def contents(retrieval: Retrieval) -> list[bytes]:
    return [b"".join(delivery.chunks()) for _, delivery in retrieval.found]


def new_ids(retrieval: Retrieval) -> list[tuple[str | None, str | None]]:
    return [(each.new_unique_id, each.new_repository_unique_id) for _, each in retrieval.found]


def snapshots(database: Database) -> list[str]:
    stable = select(document_entry.c.unique_id).where(document_entry.c.object_type == ObjectType.STABLE)
    return list(database.read(lambda connection: connection.execute(stable.order_by(document_entry.c.id)).scalars()))


def test_an_entry_is_registered_without_hash_and_size(
    registry: DocumentRegistry, database: Database, summary: Reports, exchange: Exchange
) -> None:
    assert register(summary(1), registry, exchange) == []
    query = select(document_entry.c.object_type, document_entry.c.hash, document_entry.c.size)
    rows = database.read(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in rows] == [(ObjectType.ON_DEMAND, None, None)]


@pytest.mark.parametrize(
    "attribute", [{"hash": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}, {"size": 5}, {"creation_time": "2026"}]
)
def test_what_only_a_document_has_is_refused(
    registry: DocumentRegistry, summary: Reports, exchange: Exchange, attribute: dict[str, object]
) -> None:
    assert register(summary(1, **attribute), registry, exchange) == ["XDSRegistryMetadataError"]


def test_an_unknown_patient_is_told_beside_it(
    registry: DocumentRegistry, summary: Reports, exchange: Exchange, patient: CX
) -> None:
    nobody = summary(1, size=5, patient_id=replace(patient, id="nobody"))
    nobody = replace(nobody, submission_set=replace(nobody.submission_set, patient_id=replace(patient, id="nobody")))
    assert register(nobody, registry, exchange) == ["XDSRegistryMetadataError", "XDSUnknownPatientId"]


def test_a_stable_entry_is_refused(registry: DocumentRegistry, another_report: Reports, exchange: Exchange) -> None:
    assert "XDSRegistryMetadataError" in register(another_report(1), registry, exchange)


def test_the_unique_id_of_a_stable_entry_is_taken(
    repository: DocumentRepository,
    registry: DocumentRegistry,
    keeping: DocumentRepository,
    summary: Reports,
    exchange: Exchange,
) -> None:
    register(summary(1), registry, exchange)
    [(new_id, _)] = new_ids(retrieve(keeping, exchange, SUMMARY))
    assert register(summary(2, unique_id=new_id), registry, exchange) == ["XDSNonIdenticalHash", "XDSNonIdenticalSize"]


def test_the_unique_id_of_an_on_demand_entry_may_be_used_again(
    registry: DocumentRegistry, summary: Reports, exchange: Exchange
) -> None:
    assert register(summary(1), registry, exchange) == []
    assert register(summary(2, unique_id=SUMMARY), registry, exchange) == []


class TestPassingOn:
    def test_the_latest_content_is_delivered_under_a_new_id(
        self,
        passing_on: DocumentRepository,
        registry: DocumentRegistry,
        laboratory: Laboratory,
        summary: Reports,
        exchange: Exchange,
    ) -> None:
        register(summary(1), registry, exchange)
        first = retrieve(passing_on, exchange, SUMMARY)
        laboratory.content = SECOND
        second = retrieve(passing_on, exchange, SUMMARY)
        assert contents(first) + contents(second) == [FIRST, SECOND]
        [(first_id, _)], [(second_id, repository_id)] = new_ids(first), new_ids(second)
        assert len({first_id, second_id, SUMMARY}) == 3
        assert repository_id is None

    def test_the_same_content_has_the_same_id(
        self, passing_on: DocumentRepository, registry: DocumentRegistry, summary: Reports, exchange: Exchange
    ) -> None:
        register(summary(1), registry, exchange)
        twice = retrieve(passing_on, exchange, SUMMARY, SUMMARY)
        assert len(set(new_ids(twice))) == 1

    def test_the_provider_sees_the_entry_with_its_patient(
        self,
        passing_on: DocumentRepository,
        registry: DocumentRegistry,
        laboratory: Laboratory,
        summary: Reports,
        exchange: Exchange,
    ) -> None:
        register(summary(1), registry, exchange)
        retrieve(passing_on, exchange, SUMMARY)
        [entry] = laboratory.asked
        sent = summary(1).document_entries[0]
        assert (entry.patient_id, entry.type_code, entry.title) == (sent.patient_id, sent.type_code, sent.title)

    def test_nothing_is_kept(
        self,
        passing_on: DocumentRepository,
        registry: DocumentRegistry,
        database: Database,
        summary: Reports,
        exchange: Exchange,
        document_files: Path,
    ) -> None:
        register(summary(1), registry, exchange)
        [(new_id, _)] = new_ids(retrieve(passing_on, exchange, SUMMARY))
        assert retrieve(passing_on, exchange, str(new_id)).found == ()
        assert snapshots(database) == []
        assert [path for path in (document_files / "content").rglob("*") if path.is_file()] == []


class TestKeeping:
    def test_a_snapshot_is_registered_and_can_be_retrieved_again(
        self,
        keeping: DocumentRepository,
        registry: DocumentRegistry,
        laboratory: Laboratory,
        database: Database,
        summary: Reports,
        exchange: Exchange,
    ) -> None:
        register(summary(1), registry, exchange)
        [(new_id, repository_id)] = new_ids(retrieve(keeping, exchange, SUMMARY))
        laboratory.content = SECOND
        assert contents(retrieve(keeping, exchange, str(new_id))) == [FIRST]
        assert repository_id == keeping.unique_id
        assert snapshots(database) == [new_id]

    def test_a_snapshot_says_of_what_it_is_one(
        self,
        keeping: DocumentRepository,
        registry: DocumentRegistry,
        database: Database,
        summary: Reports,
        exchange: Exchange,
    ) -> None:
        register(summary(1), registry, exchange)
        retrieve(keeping, exchange, SUMMARY)
        snapshot_of = association.c.association_type == AssociationType.IS_SNAPSHOT_OF
        linked = select(association.c.source_object, association.c.target_object).where(snapshot_of)
        by_type = select(document_entry.c.object_type, document_entry.c.entry_uuid)
        [link] = database.read(lambda connection: connection.execute(linked).all())
        uuids = dict(tuple(row) for row in database.read(lambda connection: connection.execute(by_type).all()))
        assert tuple(link) == (uuids[ObjectType.STABLE], uuids[ObjectType.ON_DEMAND])

    def test_unchanged_content_is_registered_once(
        self,
        keeping: DocumentRepository,
        registry: DocumentRegistry,
        laboratory: Laboratory,
        database: Database,
        summary: Reports,
        exchange: Exchange,
    ) -> None:
        register(summary(1), registry, exchange)
        first = new_ids(retrieve(keeping, exchange, SUMMARY, SUMMARY))
        assert len(set(first)) == len(snapshots(database)) == 1
        laboratory.content = SECOND
        retrieve(keeping, exchange, SUMMARY)
        assert len(snapshots(database)) == 2

    def test_hash_and_size_are_those_of_the_content(
        self,
        keeping: DocumentRepository,
        registry: DocumentRegistry,
        database: Database,
        summary: Reports,
        exchange: Exchange,
    ) -> None:
        register(summary(1), registry, exchange)
        retrieve(keeping, exchange, SUMMARY)
        query = select(document_entry.c.hash, document_entry.c.size).where(document_entry.c.size.is_not(None))
        [row] = database.read(lambda connection: connection.execute(query).all())
        assert tuple(row) == (hashlib.sha1(FIRST, usedforsecurity=False).hexdigest(), len(FIRST))

    def test_what_cannot_be_registered_is_not_delivered(
        self,
        keeping: DocumentRepository,
        registry: DocumentRegistry,
        patients: Patients,
        summary: Reports,
        exchange: Exchange,
        document_files: Path,
    ) -> None:
        register(summary(1), registry, exchange)
        object.__setattr__(patients, "resolve", lambda connection, patient_id: None)
        retrieval = retrieve(keeping, exchange, SUMMARY)
        assert [(breach.code, breach.location) for breach in retrieval.breaches] == [("XDSRepositoryError", SUMMARY)]
        assert "Patient Identity Feed" in retrieval.breaches[0].code_context
        assert [path for path in (document_files / "content").rglob("*") if path.is_file()] == []


def test_a_replaced_entry_delivers_nothing_more(
    passing_on: DocumentRepository,
    registry: DocumentRegistry,
    database: Database,
    summary: Reports,
    relate: Relate,
    exchange: Exchange,
) -> None:
    register(summary(1), registry, exchange)
    uuid = database.read(lambda connection: connection.execute(select(document_entry.c.entry_uuid)).scalar_one())
    assert register(summary(2, relate("Document2", AssociationType.RPLC, uuid)), registry, exchange) == []
    retrieval = retrieve(passing_on, exchange, SUMMARY, "2.25.400.2")
    assert [breach.location for breach in retrieval.breaches] == [SUMMARY]
    assert contents(retrieval) == [FIRST]


def test_without_content_the_entry_answers_like_an_unknown_document(
    passing_on: DocumentRepository,
    registry: DocumentRegistry,
    laboratory: Laboratory,
    summary: Reports,
    exchange: Exchange,
) -> None:
    register(summary(1), registry, exchange)
    laboratory.content = None
    assert [breach.code for breach in retrieve(passing_on, exchange, SUMMARY).breaches] == ["XDSDocumentUniqueIdError"]


def test_without_a_source_the_entry_answers_like_an_unknown_document(
    repository: DocumentRepository, registry: DocumentRegistry, summary: Reports, exchange: Exchange
) -> None:
    register(summary(1), registry, exchange)
    assert [breach.code for breach in retrieve(repository, exchange, SUMMARY).breaches] == ["XDSDocumentUniqueIdError"]


def test_the_entry_of_another_source_is_left_to_it(
    passing_on: DocumentRepository, registry: DocumentRegistry, summary: Reports, exchange: Exchange
) -> None:
    register(summary(1, repository_unique_id="2.25.999"), registry, exchange)
    assert retrieve(passing_on, exchange, SUMMARY).found == ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken(Snapshots):
    """How snapshots are registered, while somebody else retrieves the same."""

    others: list[Callable[[], Retrieval]]

    def submission(self, made: DocumentEntry, repository_unique_id: str, now: datetime) -> Submission:
        while self.others:
            self.others.pop()()
        return Snapshots.submission(self, made, repository_unique_id, now)


def test_what_two_retrieve_at_once_is_registered_once(
    keeping: DocumentRepository,
    registry: DocumentRegistry,
    database: Database,
    summary: Reports,
    exchange: Exchange,
) -> None:
    register(summary(1), registry, exchange)
    source = keeping.on_demand
    assert isinstance(source, OnDemandDocumentSource)
    assert source.snapshots
    told = {"source_id": source.snapshots.source_id, "content_type_code": source.snapshots.content_type_code}
    slow = Overtaken(**told, others=[lambda: retrieve(keeping, exchange, SUMMARY)])  # type: ignore[arg-type]
    found = retrieve(replace(keeping, on_demand=replace(source, snapshots=slow)), exchange, SUMMARY)
    assert contents(found) == [FIRST]
    [(new_id, repository)] = new_ids(found)
    assert (snapshots(database), repository) == ([new_id], keeping.unique_id)
