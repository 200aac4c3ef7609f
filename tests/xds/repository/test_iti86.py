"""Remove Documents: what was removed cannot be retrieved, its bytes go unless another document has them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.identifiers import UniqueId
from soap.xml import parse, schema
from xds.file_store import FileStore
from xds.iti86 import ITI_86
from xds.repository import DocumentRepository

NS = {"rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"}
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
PARTIAL = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
HERE = "2.25.300"
EXCHANGE = Exchange(correlation_id="c", received_at=datetime(2026, 11, 23, tzinfo=UTC))


Keep = Callable[[str, bytes, str], Path]


def request(*ids: str, repository_id: str = HERE) -> SOAPRequest:
    asked = "".join(
        f"<xds:DocumentRequest><xds:RepositoryUniqueId>{repository_id}</xds:RepositoryUniqueId>"
        f"<xds:DocumentUniqueId>{each}</xds:DocumentUniqueId></xds:DocumentRequest>"
        for each in ids
    )
    namespaces = 'xmlns:rmd="urn:ihe:iti:rmd:2017" xmlns:xds="urn:ihe:iti:xds-b:2007"'
    return SOAPRequest(parse(f"<rmd:RemoveDocumentsRequest {namespaces}>{asked}</rmd:RemoveDocumentsRequest>".encode()))


def answer(wire: SOAPRequest, repository: DocumentRepository) -> SOAPReply:
    try:
        return ITI_86.encode(wire, ITI_86.handle(ITI_86.decode(wire), repository, EXCHANGE), EXCHANGE)
    except Rejected as rejected:
        return ITI_86.refuse(wire, rejected, EXCHANGE)


def outcome(reply: SOAPReply) -> tuple[str | None, list[tuple[str | None, str | None]]]:
    response = parse(b"".join(reply.body))
    errors = response.iterfind(".//rs:RegistryError", NS)
    return response.get("status"), [(each.get("errorCode"), each.get("location")) for each in errors]


def retrievable(repository: DocumentRepository, *ids: str) -> set[str]:
    return set(repository.documents(map(UniqueId, ids)))


def test_a_removed_document_is_gone_with_its_bytes(repository: DocumentRepository, keep: Keep) -> None:
    path = keep("1.1", b"wrong patient", "text/plain")
    assert outcome(answer(request("1.1"), repository)) == (SUCCESS, [])
    assert retrievable(repository, "1.1") == set()
    assert not path.exists()


def test_bytes_that_another_document_has_stay(repository: DocumentRepository, keep: Keep) -> None:
    path = keep("1.1", b"the same report", "text/plain")
    assert keep("1.2", b"the same report", "text/plain") == path
    answer(request("1.1"), repository)
    assert (retrievable(repository, "1.1", "1.2"), path.exists()) == ({"1.2"}, True)
    answer(request("1.2"), repository)
    assert not path.exists()


def test_what_cannot_be_found_is_named_and_the_rest_removed(repository: DocumentRepository, keep: Keep) -> None:
    keep("1.1", b"report", "text/plain")
    assert outcome(answer(request("1.1", "1.404"), repository)) == (PARTIAL, [("XDSDocumentUniqueIdError", "1.404")])
    assert retrievable(repository, "1.1") == set()


def test_removing_again_fails(repository: DocumentRepository, keep: Keep) -> None:
    keep("1.1", b"report", "text/plain")
    answer(request("1.1"), repository)
    assert outcome(answer(request("1.1"), repository)) == (FAILURE, [("XDSDocumentUniqueIdError", "1.1")])


def test_a_document_named_twice_is_removed_once(repository: DocumentRepository, keep: Keep) -> None:
    keep("1.1", b"report", "text/plain")
    assert outcome(answer(request("1.1", "1.1"), repository)) == (SUCCESS, [])


def test_documents_of_another_repository_are_left_alone(repository: DocumentRepository, keep: Keep) -> None:
    path = keep("1.1", b"report", "text/plain")
    reply = answer(request("1.1", repository_id="2.25.99"), repository)
    assert outcome(reply) == (FAILURE, [("XDSUnknownRepositoryId", "1.1")])
    assert path.exists()


def test_bytes_that_cannot_be_deleted_are_told_and_deleted_at_the_next_start(
    repository: DocumentRepository, keep: Keep
) -> None:
    path = keep("1.1", b"report", "text/plain")
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    assert outcome(answer(request("1.1"), repository)) == (FAILURE, [("XDSRemoveDocumentsError", "1.1")])
    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert isinstance(repository.store, FileStore)
    repository.store.sweep(repository.is_referenced, before=1e12)
    assert not path.exists()


def test_a_request_without_documents_is_refused(repository: DocumentRepository) -> None:
    assert outcome(answer(request(), repository))[0] == FAILURE


def test_the_error_says_which_document(repository: DocumentRepository) -> None:
    assert "1.404" in parse(b"".join(answer(request("1.404"), repository).body))[0][0].get("codeContext", "")


@pytest.mark.parametrize("asked", [["1.1"], ["1.1", "1.404"], ["1.404"]])
def test_answers_are_valid(repository: DocumentRepository, keep: Keep, shared: Path, asked: list[str]) -> None:
    keep("1.1", b"report", "text/plain")
    schema(shared / "schemas/ebRS/rs.xsd").assertValid(parse(b"".join(answer(request(*asked), repository).body)))


SAMPLES = {
    "nist_50000_delete_query.xml": ["XDSUnknownRepositoryId"],
    "xcasrc_IT_iti-86_request.xml": ["XDSUnknownRepositoryId", "XDSUnknownCommunity"],
}
"""They name their authors' repositories. IHE's own sample has an older element, so no operation takes it."""


@pytest.mark.parametrize("name", SAMPLES)
def test_requests_of_other_systems_are_read(repository: DocumentRepository, shared: Path, name: str) -> None:
    document = etree.parse(shared / "samples/ITI-86" / name)
    body = document.find(".//{*}RemoveDocumentsRequest")
    wire = SOAPRequest(document.getroot() if body is None else body)
    assert [code for code, _ in outcome(answer(wire, repository))[1]] == SAMPLES[name]


def test_the_request_of_the_official_sample_is_another_element(shared: Path) -> None:
    document = etree.parse(shared / "samples/ITI-86/ihe_RemoveDocumentsRequest_SOAP.xml")
    [body] = document.iterfind("{*}Body/*")
    assert body.tag not in {binding.request for binding in ITI_86.bindings if hasattr(binding, "request")}
