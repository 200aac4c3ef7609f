"""What other systems send as ITI-41 and ITI-61, with the verdict on each, in a domain that restricts no codes."""

import base64
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from lxml import etree
from lxml.etree import _Element

from affinity.database import Database
from ihe.datatypes import CX
from ihe.domain import AffinityDomain
from ihe.errors import Rejected
from ihe.exchange import Exchange, Part, SOAPRequest
from ihe.identifiers import PatientKey
from soap.xml import parse, schema
from xds.documents import DocumentStore
from xds.iti41 import ITI_41
from xds.iti61 import ITI_61
from xds.patients import Patient
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository

DOCUMENT = "{urn:ihe:iti:xds-b:2007}Document"
METADATA, REFERENCE = "XDSRegistryMetadataError", "UnresolvedReferenceException"
PROVIDED = {
    # HasMember without its urn, and therefore no SS-DE HasMember; a sourceId that is no OID.
    "ihe_ProvideAndRegisterDocumentSet-bRequest_SOAP.xml": [METADATA] * 3,
    # $original_doc_uuid$ is filled in by the test engine after the first step.
    "nist_ReposAcceptanceTest-1111_SubmitRplc_single_doc.xml": [REFERENCE],
    "nist_ReposAcceptanceTest-1111_SubmitSingleDoc_single_doc.xml": [],
    "nist_ReposAcceptanceTest-1112_SubmitApnd_single_doc.xml": [REFERENCE],
    "nist_ReposAcceptanceTest-1113_SubmitFolderwDoc_fol_doc.xml": [],
    "nist_ReposAcceptanceTest-1113_SubmitTwoDocs_two_doc.xml": [],
    "nist_http-mtom-pnr.http": [],
    # Slots stand behind Classifications: the schema forbids it, the meaning is clear, so it is taken.
    "nist_pnr-element-order.xml": [],
    # The missing wsa:Action is refused before the body is read; the body is good.
    "nist_soap-noaction-pnr.xml": [],
    "nist_soap-pnr.xml": [],
    # Ids of another document in every Classification; no object is labelled as the SubmissionSet.
    "xcasrc_PnR_request.xml": [METADATA] * 12,
}


class EveryPatient:
    """A patient index to which every id was announced."""

    def resolve(self, _connection: object, patient_id: CX) -> Patient:
        return Patient(key=PatientKey(1), keys=(PatientKey(1),), id=patient_id)

    def current(self, _connection: object, _keys: object) -> dict[PatientKey, CX]:
        return {}


@pytest.fixture
def open_registry(domain: AffinityDomain, registry: DocumentRegistry) -> DocumentRegistry:
    return replace(registry, domain=replace(domain, codes={}), patients=EveryPatient())


@pytest.fixture
def open_repository(repository: DocumentRepository, open_registry: DocumentRegistry) -> DocumentRepository:
    return replace(repository, registry=open_registry)


def content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def spool(store: DocumentStore, part: Message) -> Part:
    sink = store.create()
    sink.write(content(part))
    return sink.finish(part["Content-ID"].strip().strip("<>"), part.get_content_type())


def request(path: Path, repository: DocumentRepository) -> SOAPRequest:
    data, parts = path.read_bytes(), []
    if path.suffix == ".http":
        message = message_from_bytes(data.partition(b"\n")[2])
        envelope, *attached = [each for each in message.walk() if not each.is_multipart()]
        data = content(envelope).strip()
        parts = [spool(repository.store, each) for each in attached]
    [body] = parse(data).iter("{urn:ihe:iti:xds-b:2007}ProvideAndRegisterDocumentSetRequest")
    if body.find(DOCUMENT) is None:
        attach_documents(body)
    return SOAPRequest(body, {part.content_id: part for part in parts})


def attach_documents(body: _Element) -> None:
    """Some samples are metadata to which the test engine attaches the documents."""
    for number, entry in enumerate(body.iter("{*}ExtrinsicObject")):
        document = etree.SubElement(body, DOCUMENT, id=entry.get("id", ""))
        document.text = base64.b64encode(f"document {number}".encode()).decode()


def codes(send: Callable[[], object]) -> list[str]:
    try:
        send()
    except Rejected as rejected:
        return [str(breach.code) for breach in rejected.breaches]
    return []


@pytest.mark.parametrize("name", PROVIDED)
def test_the_verdict_on_each_provided_sample(
    open_repository: DocumentRepository, shared: Path, exchange: Exchange, name: str
) -> None:
    wire = request(shared / "samples/ITI-41" / name, open_repository)
    assert codes(lambda: ITI_41.handle(ITI_41.decode(wire), open_repository, exchange)) == PROVIDED[name]


def test_the_official_on_demand_sample(open_registry: DocumentRegistry, shared: Path, exchange: Exchange) -> None:
    """HasMember without its urn, so no SS-DE HasMember; no repositoryUniqueId; a sourceId that is no OID."""
    sample = shared / "samples/ITI-61/ihe_RegisterOnDemandDocumentEntryRequest_SOAP.xml"
    [body] = parse(sample.read_bytes()).iterfind(".//{*}SubmitObjectsRequest")
    decoded = ITI_61.decode(SOAPRequest(body))
    assert codes(lambda: ITI_61.handle(decoded, open_registry, exchange)) == [METADATA] * 4


@pytest.mark.parametrize("name", ["nist_soap-pnr.xml", "ihe_ProvideAndRegisterDocumentSet-bRequest_SOAP.xml"])
def test_answers_are_valid(
    open_repository: DocumentRepository, database: Database, shared: Path, exchange: Exchange, name: str
) -> None:
    wire = request(shared / "samples/ITI-41" / name, open_repository)
    try:
        reply = ITI_41.encode(wire, ITI_41.handle(ITI_41.decode(wire), open_repository, exchange), exchange)
    except Rejected as rejected:
        reply = ITI_41.refuse(wire, rejected, exchange)
    schema(shared / "schemas/ebRS/rs.xsd").assertValid(parse(b"".join(reply.body)))
