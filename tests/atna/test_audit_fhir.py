"""The Audit Record Repository over HTTP: who may search and feed, what is answered, and that readings are recorded."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from affinity.audit_fhir import AuditRecordRepository
from affinity.audit_fhir_calls import FHIRCall, FHIRReply
from affinity.database import Database
from affinity.node import utc_now
from affinity.pki import development_pki
from affinity.stewardship.access import Stewards, digest
from atna import dicom, fhir
from atna.model import AuditSource
from atna.participants import ThisNode
from atna.store import Search, search
from atna.tables_exchange import audit_received
from atna.trail import AuditTrail
from tests.atna.test_atna_dicom import GOOD

TOKEN = "a-long-and-random-token"
URL = "https://arr.example/fhir"
EVENT = fhir.write(dicom.read(GOOD))
ASKING = FHIRCall(
    method="GET",
    path=("AuditEvent",),
    query="date=ge2012-01-01",
    authorization=f"Bearer {TOKEN}",
    peer="10.0.0.9",
    secure=True,
)
FEEDING = FHIRCall(
    method="POST",
    path=("AuditEvent",),
    content_type="application/fhir+json",
    content=json.dumps(EVENT).encode(),
    peer="127.0.0.1",
)


@pytest.fixture
def repository(database: Database) -> AuditRecordRepository:
    node = ThisNode(source=AuditSource(id="arr"), process_id="1", host="arr.example")
    return AuditRecordRepository(
        database=database,
        trail=AuditTrail(database=database, node=node),
        consumers=Stewards(digests={"officer": digest(TOKEN)}, called="audit consumer"),
        clock=utc_now,
        url=URL,
    )


class Broken:
    """A database that takes nothing."""

    def read(self, work: Any) -> Any:
        """Answer nothing."""
        raise RuntimeError("it is broken")

    def write(self, work: Any) -> Any:
        """Store nothing."""
        raise RuntimeError("it is broken")


def said(reply: FHIRReply) -> str:
    return f"{reply.resource['issue'][0]['code']}: {reply.resource['issue'][0]['diagnostics']}"


def test_what_is_fed_is_found_and_the_search_itself_is_recorded(repository: AuditRecordRepository) -> None:
    created = repository(FEEDING)
    assert (created.status, created.headers["Location"]) == (201, f"{URL}/AuditEvent/1/_history/1")
    found = repository(ASKING)
    assert found.status == 200
    bundle = found.resource
    assert (bundle["type"], bundle["total"]) == ("searchset", 2)
    assert bundle["entry"][1]["resource"] == {"resourceType": "AuditEvent", "id": "1"} | EVENT
    recorded = bundle["entry"][0]["resource"]
    assert recorded["type"]["code"] == "110101"
    assert recorded["subtype"][0] == {
        "system": "urn:ihe:event-type-code",
        "code": "ITI-81",
        "display": "Retrieve ATNA AuditEvent",
    }
    assert recorded["agent"][1]["who"]["identifier"]["value"] == "officer"
    assert repository(replace(ASKING, path=("AuditEvent", "1"))).resource["id"] == "1"


def test_pages_lead_from_one_to_the_next(repository: AuditRecordRepository) -> None:
    for _ in range(5):
        repository(FEEDING)
    asked = "date=2012&_count=2&type=http://dicom.nema.org/resources/ontology/DCM|110112"
    ids: list[str] = []
    while asked:
        bundle = repository(replace(ASKING, query=asked)).resource
        ids += [each["resource"]["id"] for each in bundle.get("entry", ())]
        links = {each["relation"]: each["url"] for each in bundle["link"]}
        assert links["self"].startswith(f"{URL}/AuditEvent?date=2012")
        assert "total" not in bundle
        asked = links.get("next", "").partition("?")[2]
    assert ids == ["5", "4", "3", "2", "1"]


def test_nothing_found_is_an_empty_bundle(repository: AuditRecordRepository) -> None:
    bundle = repository(replace(ASKING, query="date=2011")).resource
    assert (bundle["total"], "entry" in bundle) == (0, False)


@pytest.mark.parametrize(
    ("call", "status", "complaint"),
    [
        (replace(ASKING, authorization=""), 401, "login: The token of a known audit consumer"),
        (replace(ASKING, authorization="Bearer wrong"), 401, "login"),
        (replace(ASKING, secure=False), 403, "TLS"),
        (replace(ASKING, query=""), 400, "date"),
        (replace(ASKING, query="date=2012&type:not=1"), 400, "modifier"),
        (replace(ASKING, query="&&"), 400, "query of the URL"),
        (replace(ASKING, query="date=2012" + "&a=b" * 200), 400, "query of the URL"),
        (replace(ASKING, path=("AuditEvent", "99")), 404, "not-found"),
        (replace(ASKING, path=("AuditEvent", "x")), 404, "not-found"),
        (replace(ASKING, path=("Patient",)), 404, "not-found"),
        (replace(ASKING, method="DELETE", path=("AuditEvent", "1")), 405, "nobody changes"),
        (replace(FEEDING, peer="10.0.0.9"), 403, "certificate"),
        (replace(FEEDING, content_type="text/plain"), 415, "fhir\\+json"),
        (replace(FEEDING, content=None), 413, "longer"),
        (replace(FEEDING, content=b"{"), 400, "no JSON"),
        (replace(FEEDING, content=b"[]"), 400, "resource"),
        (replace(FEEDING, content=b'{"resourceType": "Patient"}'), 422, "no AuditEvent"),
        (replace(FEEDING, path=(), content=b'{"resourceType": "Bundle", "type": "transaction"}'), 400, "batch"),
    ],
)
def test_a_request_is_refused_with_what_is_wrong(
    repository: AuditRecordRepository, call: FHIRCall, status: int, complaint: str
) -> None:
    reply = repository(call)
    assert reply.status == status
    assert re.search(complaint, said(reply))


def test_without_consumers_nobody_reads(repository: AuditRecordRepository) -> None:
    closed = replace(repository, consumers=Stewards(digests={}, called="audit consumer"))
    assert said(closed(ASKING)) == (
        "forbidden: No audit consumer is named in the settings, so that this interface is closed"
    )


def test_a_search_that_cannot_be_recorded_is_not_answered(repository: AuditRecordRepository) -> None:
    repository(FEEDING)
    broken = replace(repository.trail, database=Broken())
    reply = replace(repository, trail=broken)(ASKING)
    assert reply.status == 503
    assert "entry" not in reply.resource


def test_each_event_of_a_bundle_succeeds_or_fails_by_itself(repository: AuditRecordRepository) -> None:
    good: dict[str, Any] = {"resource": EVENT, "request": {"method": "POST", "url": "AuditEvent"}}
    bad = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    put = {"resource": EVENT, "request": {"method": "PUT", "url": "AuditEvent/1"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [good, bad, put, 7, good]}
    reply = repository(replace(FEEDING, path=(), content=json.dumps(bundle).encode()))
    assert reply.status == 200
    assert reply.resource["type"] == "batch-response"
    answered = [each["response"] for each in reply.resource["entry"]]
    assert [each["status"] for each in answered] == ["201", "422", "400", "400", "201"]
    assert answered[4]["location"] == "AuditEvent/2/_history/1"


def test_a_node_that_feeds_is_known_by_its_certificate(repository: AuditRecordRepository, tmp_path: Path) -> None:
    pki = development_pki(tmp_path / "pki")
    certificate = x509.load_pem_x509_certificates(pki.client.certificate.read_bytes())[0]
    der = certificate.public_bytes(Encoding.DER)
    assert repository(replace(FEEDING, peer="10.0.0.9", certificate=der, secure=True)).status == 201
    row = repository.database.read(lambda connection: connection.execute(select(audit_received)).one())
    assert (row.transport, row.peer) == ("fhir", "CN=Affinity development client,O=Affinity development")
    assert json.loads(bytes(row.header)) == EVENT


@pytest.mark.parametrize(
    ("accept", "query", "in_xml"),
    [
        ("", "date=2012", False),
        ("application/fhir+xml", "date=2012", True),
        ("application/fhir+json, application/fhir+xml", "date=2012", False),
        ("application/fhir+json", "date=2012&_format=xml", True),
        ("text/xml", "date=2012&_format=application/fhir+json", False),
        ("", "date=2012&_format=application/fhir%2Bxml", True),
    ],
)
def test_the_answer_is_in_the_format_that_is_wanted(
    repository: AuditRecordRepository, accept: str, query: str, in_xml: bool
) -> None:
    assert repository(replace(ASKING, accept=accept, query=query)).in_xml is in_xml


def test_everybody_may_ask_what_it_can_do(repository: AuditRecordRepository) -> None:
    statement = repository(FHIRCall(method="GET", path=("metadata",))).resource
    assert statement["fhirVersion"] == "4.0.1"
    assert repository.database.read(lambda connection: search(connection, Search())) == []
