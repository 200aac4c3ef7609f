"""Requests of other systems in ../shared/samples, and what this registry says to each before it searches."""

import re
from pathlib import Path
from typing import Any

import pytest

from ihe.datatypes import CX
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import PatientKey
from ihe.transactions import Transaction
from soap.xml import parse, schema, serialize
from xds.adhoc_query import REQUEST
from xds.iti18 import ITI_18
from xds.iti51 import ITI_51
from xds.stored_queries import MULTI_PATIENT_STORED_QUERIES, REGISTRY_STORED_QUERIES

PLACEHOLDERS = {
    "patient_id": "SELF-1^^^&amp;2.25.7&amp;ISO",
    "uid": "2.25.17",
    "uniqueid": "2.25.17",
    "uuid": "urn:uuid:11111111-1111-4111-8111-111111111111",
    "lastyear": "2025",
    "now": "20261123",
}
"""The variables that the NIST testkit fills in before it sends."""

REFUSED = {
    # The example of the IHE wiki: the patient id without quotes, the status of a response instead of an object's,
    # and a code in typographic quotes. It contradicts ITI TF-2: 3.18.4.1.2.3.4 to 3.18.4.1.2.3.6.
    "ihe_RegistryStoredQueryRequest_SOAP.xml": {
        "$XDSDocumentEntryPatientId",
        "$XDSDocumentEntryStatus",
        "$XDSDocumentEntryHealthcareFacilityTypeCode",
    },
    # Somebody's attempt at SQL injection in the patient id, kept by its authors as a test.
    "ipf_iti18request.xml": {"$XDSDocumentEntryPatientId"},
    # "second code has no scheme", both parts are required (ITI TF-2: 3.18.4.1.2.3.4).
    "nist_11897_classcode_scheme_mismatch_query.xml": {"$XDSDocumentEntryClassCode"},
    "nist_sq-req-bad-code.xml": {"$XDSDocumentEntryClassCode"},
    # The status is required (ITI TF-2: 3.18.4.1.2.3.7.1).
    "nist_sq-req-missing-stat.xml": {"$XDSDocumentEntryStatus"},
}
RESPONSES = re.compile("(?i)respon|sq-resp")


def requests(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.xml")) if not RESPONSES.search(path.name)]


def wire(path: Path) -> SOAPRequest:
    text = path.read_text()
    for name, value in PLACEHOLDERS.items():
        text = re.sub(rf"\${name}\d?\$", value, text)
    root = parse(text.encode())
    body = root if root.tag == REQUEST else root.find(f".//{REQUEST}")
    assert body is not None
    return SOAPRequest(body)


def verdict(transaction: Transaction, path: Path) -> set[str]:  # type: ignore[type-arg]
    try:
        transaction.decode(wire(path))
    except Rejected as rejected:
        return {breach.location for breach in rejected.breaches}
    return set()


@pytest.mark.parametrize(
    ("transaction", "count"), [(ITI_18, 41), (ITI_51, 3)], ids=lambda value: getattr(value, "id", None)
)
def test_every_foreign_query_is_read_or_refused_for_a_reason(
    transaction: Transaction,  # type: ignore[type-arg]
    count: int,
    shared: Path,
) -> None:
    paths = requests(shared / "samples" / transaction.id)
    assert len(paths) == count
    assert {path.name: verdict(transaction, path) for path in paths if verdict(transaction, path)} == {
        name: locations for name, locations in REFUSED.items() if (shared / "samples" / transaction.id / name).exists()
    }


def test_what_is_accepted_is_answered_by_the_official_schema(shelves: Any, shared: Path) -> None:
    official = schema(shared / "schemas" / "ebRS" / "query.xsd")
    for transaction in (ITI_18, ITI_51):
        for path in requests(shared / "samples" / transaction.id):
            if path.name not in REFUSED:
                asked = transaction.decode(wire(path))
                for parameter in asked.query.parameters:
                    for patient in asked.parameters.any_of(parameter.name, CX):
                        shelves.patients.keys[patient] = (PatientKey(1),)
                official.assertValid(shelves.ask(transaction, serialize(wire(path).body)))


def test_the_samples_ask_every_kind_of_query_but_one(shared: Path) -> None:
    asked = {
        transaction.decode(wire(path)).query.name
        for transaction in (ITI_18, ITI_51)
        for path in requests(shared / "samples" / transaction.id)
        if path.name not in REFUSED
    }
    declared = {query.name for query in REGISTRY_STORED_QUERIES + MULTI_PATIENT_STORED_QUERIES}
    assert declared - asked == {"FindFoldersForMultiplePatients"}
