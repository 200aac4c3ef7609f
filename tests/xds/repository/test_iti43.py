"""Retrieve Document Set: every document asked for comes back byte for byte, or is named with the reason."""

import base64
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree
from lxml.etree import _Element
from structlog.testing import capture_logs

from affinity import dispatch
from affinity.metrics import REFUSED, REQUESTS
from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.identifiers import UniqueId
from ihe.partners import Validation
from ihe.transactions import Actor
from soap.xml import parse, schema
from xds.documents import Content
from xds.file_store import FileStore
from xds.iti43 import AT_HAND, ITI_43
from xds.repository import DocumentRepository

NS = {"xds": "urn:ihe:iti:xds-b:2007", "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"}
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
PARTIAL = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
HERE, HOME = "2.25.300", "urn:oid:2.25.100"
EXCHANGE = Exchange(correlation_id="c", received_at=datetime(2026, 11, 23, tzinfo=UTC))
LENIENT = replace(EXCHANGE, validation=Validation.LENIENT)
CDA, SCAN = b"<ClinicalDocument>\r\n</ClinicalDocument>\r\n", bytes(range(256)) * 1000

Keep = Callable[[str, bytes, str], Path]


@pytest.fixture(autouse=True)
def stored(keep: Keep) -> None:
    keep("1.1", CDA, "text/xml")
    keep("1.2", SCAN, "application/pdf")


def request(*documents: tuple[str, ...]) -> SOAPRequest:
    """Each document is (uniqueId, repositoryUniqueId, homeCommunityId), the last two if given."""
    asked = "".join(_asked(*document) for document in documents)
    return SOAPRequest(
        parse(f'<RetrieveDocumentSetRequest xmlns="{NS["xds"]}">{asked}</RetrieveDocumentSetRequest>'.encode())
    )


def _asked(unique_id: str, repository_id: str = HERE, home: str | None = None) -> str:
    community = f"<HomeCommunityId>{home}</HomeCommunityId>" if home else ""
    ids = f"<RepositoryUniqueId>{repository_id}</RepositoryUniqueId><DocumentUniqueId>{unique_id}</DocumentUniqueId>"
    return f"<DocumentRequest>{community}{ids}</DocumentRequest>"


def answer(wire: SOAPRequest, repository: DocumentRepository, exchange: Exchange = EXCHANGE) -> SOAPReply:
    try:
        return ITI_43.encode(wire, ITI_43.handle(ITI_43.decode(wire), repository, exchange), exchange)
    except Rejected as rejected:
        return ITI_43.refuse(wire, rejected, exchange)


@pytest.mark.parametrize(
    ("asked", "outcomes"),
    [(["1.1"], (1, 0, 0)), (["1.1", "9.9"], (0, 1, 1)), (["9.8", "9.9"], (0, 1, 1))],
)
def test_documents_that_are_not_delivered_are_counted_by_their_code(
    repository: DocumentRepository, asked: list[str], outcomes: tuple[int, ...]
) -> None:
    counters = (
        REQUESTS.labels("ITI-43", "success"),
        REQUESTS.labels("ITI-43", "rejected"),
        REFUSED.labels("ITI-43", "XDSDocumentUniqueIdError"),
    )
    before = [each._value.get() for each in counters]
    dispatch.answer(ITI_43, request(*((each,) for each in asked)), {Actor.DOCUMENT_REPOSITORY: repository}, EXCHANGE)
    assert tuple(each._value.get() - was for each, was in zip(counters, before, strict=True)) == outcomes


def root(reply: SOAPReply) -> _Element:
    return parse(b"".join(reply.body))


def outcome(reply: SOAPReply) -> tuple[str | None, list[tuple[str | None, str | None]]]:
    response = root(reply).find("rs:RegistryResponse", NS)
    assert response is not None
    errors = response.iterfind(".//rs:RegistryError", NS)
    return response.get("status"), [(each.get("errorCode"), each.get("location")) for each in errors]


def delivered(reply: SOAPReply) -> list[tuple[str | None, str, bytes]]:
    parts = {part.content_id: part for part in reply.parts}
    found = []
    for each in root(reply).iterfind("xds:DocumentResponse", NS):
        include = each.find("xds:Document/*", NS)
        assert include is not None
        part = parts[include.get("href", "").removeprefix("cid:")]
        data = b"".join(part.chunks())
        assert len(data) == part.size
        found.append((each.findtext("xds:DocumentUniqueId", None, NS), part.media_type, data))
    return found


def test_documents_come_back_in_the_order_of_the_request(repository: DocumentRepository) -> None:
    reply = answer(request(("1.2",), ("1.1",)), repository)
    assert outcome(reply) == (SUCCESS, [])
    assert delivered(reply) == [("1.2", "application/pdf", SCAN), ("1.1", "text/xml", CDA)]


def test_a_missing_document_is_named_and_the_others_are_delivered(repository: DocumentRepository) -> None:
    reply = answer(request(("1.1",), ("1.404",), ("1.405",)), repository)
    missing = [("XDSDocumentUniqueIdError", "1.404"), ("XDSDocumentUniqueIdError", "1.405")]
    assert outcome(reply) == (PARTIAL, missing)
    assert [unique_id for unique_id, _, _ in delivered(reply)] == ["1.1"]


def test_nothing_found_is_a_failure(repository: DocumentRepository) -> None:
    reply = answer(request(("1.404",)), repository)
    assert outcome(reply) == (FAILURE, [("XDSDocumentUniqueIdError", "1.404")])
    assert delivered(reply) == []


def test_a_document_asked_for_twice_is_delivered_twice(repository: DocumentRepository) -> None:
    reply = answer(request(("1.1",), ("1.1",)), repository)
    assert outcome(reply) == (SUCCESS, [])
    assert [data for _, _, data in delivered(reply)] == [CDA, CDA]


def test_another_repository_is_not_answered_for(repository: DocumentRepository) -> None:
    reply = answer(request(("1.1", "2.25.99"), ("1.2",)), repository)
    assert outcome(reply) == (PARTIAL, [("XDSUnknownRepositoryId", "1.1")])


@pytest.mark.parametrize(
    ("sent", "exchange", "status"),
    [
        (f"urn:oid:{HERE}", EXCHANGE, FAILURE),
        (f"urn:oid:{HERE}", LENIENT, SUCCESS),
        ("urn:oid:2.25.99", LENIENT, FAILURE),
    ],
)
def test_the_prefix_of_a_repository_id_is_a_named_leniency(
    repository: DocumentRepository, sent: str, exchange: Exchange, status: str
) -> None:
    reply = answer(request(("1.1", sent)), repository, exchange)
    assert outcome(reply)[0] == status
    if status == SUCCESS:
        assert root(reply).findtext(".//xds:RepositoryUniqueId", None, NS) == sent


def test_the_refused_prefix_is_explained(repository: DocumentRepository) -> None:
    [error] = root(answer(request(("1.1", f"urn:oid:{HERE}")), repository)).iterfind(".//rs:RegistryError", NS)
    assert "Only the prefix urn:oid: differs" in error.get("codeContext", "")


@pytest.mark.parametrize(("home", "errors"), [(HOME, []), ("urn:oid:2.25.78", [("XDSUnknownCommunity", "1.1")])])
def test_the_home_community_is_ours_or_unknown(
    repository: DocumentRepository, home: str, errors: list[tuple[str, str]]
) -> None:
    assert outcome(answer(request(("1.1", HERE, home)), repository))[1] == errors


def test_a_home_community_is_repeated_only_if_it_was_sent(repository: DocumentRepository) -> None:
    reply = root(answer(request(("1.1", HERE, HOME), ("1.2",)), repository))
    assert [each.text for each in reply.iterfind(".//xds:HomeCommunityId", NS)] == [HOME]


def test_a_removed_document_answers_like_an_unknown_one(repository: DocumentRepository) -> None:
    repository.remove([UniqueId("1.1")], EXCHANGE.received_at)
    removed, unknown = (answer(request((each,)), repository) for each in ("1.1", "1.4"))
    assert b"".join(removed.body) == b"".join(unknown.body).replace(b"1.4", b"1.1")


@pytest.mark.parametrize("id", ["1.1", "1.2"])
def test_so_does_one_that_is_removed_at_that_moment_and_nobody_is_told_of_damage(
    repository: DocumentRepository, id: str
) -> None:
    class Slow(FileStore):
        def check(self, content: Content) -> None:
            repository.remove([UniqueId(id)], EXCHANGE.received_at)
            super().check(content)

        def read(self, content: Content) -> bytes:
            repository.remove([UniqueId(id)], EXCHANGE.received_at)
            return super().read(content)

    store = repository.store
    assert isinstance(store, FileStore)
    slow = copy(store)
    slow.__class__ = Slow
    with capture_logs() as logged:
        removed = answer(request((id,)), replace(repository, store=slow))
    unknown = answer(request(("1.4",)), repository)
    assert b"".join(removed.body) == b"".join(unknown.body).replace(b"1.4", id.encode())
    assert not [each for each in logged if each["log_level"] == "error"]


def test_a_damaged_document_is_not_delivered_and_the_others_are(repository: DocumentRepository, keep: Keep) -> None:
    keep("1.3", b"soon damaged", "text/plain").write_bytes(b"damaged")
    reply = answer(request(("1.3",), ("1.1",)), repository)
    assert outcome(reply) == (PARTIAL, [("XDSRepositoryError", "1.3")])
    assert [unique_id for unique_id, _, _ in delivered(reply)] == ["1.1"]


def test_a_small_document_is_verified_to_its_last_byte_before_an_answer_begins(
    repository: DocumentRepository, keep: Keep
) -> None:
    path = keep("1.3", SCAN[::-1], "application/pdf")
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    reply = answer(request(("1.3",), ("1.1",)), repository)
    assert outcome(reply) == (PARTIAL, [("XDSRepositoryError", "1.3")])
    assert [unique_id for unique_id, _, _ in delivered(reply)] == ["1.1"]


def test_an_answer_holds_few_bytes_in_memory(repository: DocumentRepository) -> None:
    reply = answer(request(("1.2",), ("1.2",), ("1.1",)), repository)
    assert [part.is_at_hand for part in reply.parts] == [True, False, True]
    assert sum(part.size for part in reply.parts if part.is_at_hand) <= AT_HAND
    assert [data for _, _, data in delivered(reply)] == [SCAN, SCAN, CDA]


def test_a_media_type_cannot_write_headers(repository: DocumentRepository, keep: Keep) -> None:
    keep("1.3", b"x", "text/plain\r\nX-Evil: 1")
    [(_, media_type, _)] = delivered(answer(request(("1.3",)), repository))
    assert media_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("body", "locations"),
    [
        ("", ["{urn:ihe:iti:xds-b:2007}RetrieveDocumentSetRequest"]),
        ("<DocumentRequest/>", ["DocumentRequest[1]/RepositoryUniqueId", "DocumentRequest[1]/DocumentUniqueId"]),
        (_asked("1.1") + _asked(" "), ["DocumentRequest[2]/DocumentUniqueId"]),
    ],
)
def test_an_incomplete_request_is_refused(repository: DocumentRepository, body: str, locations: list[str]) -> None:
    wire = SOAPRequest(
        parse(f'<RetrieveDocumentSetRequest xmlns="{NS["xds"]}">{body}</RetrieveDocumentSetRequest>'.encode())
    )
    assert outcome(answer(wire, repository)) == (FAILURE, [("XDSRepositoryError", where) for where in locations])


def resolved(reply: SOAPReply) -> _Element:
    """The answer with each xop:Include replaced by its base64, as the schema sees it."""
    data = iter([data for _, _, data in delivered(reply)])
    answered = root(reply)
    for document in answered.iterfind(".//xds:Document", NS):
        document.remove(document[0])
        document.text = base64.b64encode(next(data)).decode()
    return answered


@pytest.mark.parametrize("asked", [["1.1", "1.2"], ["1.1", "1.404"], ["1.404"]])
def test_answers_are_valid(repository: DocumentRepository, shared: Path, asked: Iterable[str]) -> None:
    schema(shared / "schemas/IHE/XDS.b_DocumentRepository.xsd").assertValid(
        resolved(answer(request(*((each, HERE, HOME) for each in asked)), repository))
    )


SAMPLES = {
    "ihe_RetrieveDocumentSetRequest_SOAP.xml": ["XDSUnknownRepositoryId", "XDSUnknownRepositoryId"],
    "nist_12021_retrieve_query.xml": ["XDSUnknownRepositoryId", "XDSUnknownRepositoryId"],
    "nist_soap-ret-req.xml": ["XDSUnknownRepositoryId", "XDSUnknownRepositoryId"],
}
"""All of them name the repositories of their authors: readable, and told so."""


@pytest.mark.parametrize("name", SAMPLES)
def test_requests_of_other_systems_are_read(repository: DocumentRepository, shared: Path, name: str) -> None:
    body = etree.parse(shared / "samples/ITI-43" / name).find(".//{*}RetrieveDocumentSetRequest")
    wire = SOAPRequest(parse((shared / "samples/ITI-43" / name).read_bytes()) if body is None else body)
    assert [code for code, _ in outcome(answer(wire, repository))[1]] == SAMPLES[name]
