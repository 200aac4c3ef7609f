"""What ITI-42 takes, ITI-18 gives back: the registry and its queries together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

from lxml.etree import _Element

from ihe.datatypes import CX
from ihe.exchange import Exchange, SOAPRequest
from soap.xml import parse, schema
from xds import ebrim
from xds.adhoc_query import AdhocQuery, ReturnType, write
from xds.ebrim_writing import encode
from xds.iti18 import ITI_18
from xds.iti42 import ITI_42
from xds.model import Association, AssociationType, Author, AvailabilityStatus, Submission
from xds.query_parameters import Clause, QueryParameters
from xds.registry import DocumentRegistry
from xds.stored_queries import (
    FIND_DOCUMENTS,
    GET_ALL,
    GET_RELATED_DOCUMENTS,
)
from xds.stored_query import StoredQuery

APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED


def register(registry: DocumentRegistry, submission: Submission, exchange: Exchange) -> None:
    ITI_42.handle(ITI_42.decode(SOAPRequest(parse(encode(submission)))), registry, exchange)


def ask(registry: DocumentRegistry, query: StoredQuery, exchange: Exchange, **values: Clause) -> _Element:
    parameters = QueryParameters({f"${name}": (clause,) for name, clause in values.items()})
    asked = AdhocQuery(query=query, parameters=parameters, return_type=ReturnType.LEAF_CLASS)
    wire = SOAPRequest(parse(b"".join(write(asked))))
    answer = ITI_18.handle(ITI_18.decode(wire), registry, exchange)
    return parse(b"".join(ITI_18.encode(wire, answer, exchange).body))


def find(registry: DocumentRegistry, exchange: Exchange, patient: CX, **values: Clause) -> list[Any]:
    values = {"XDSDocumentEntryStatus": (APPROVED,)} | values
    answer = ask(registry, FIND_DOCUMENTS, exchange, XDSDocumentEntryPatientId=(patient,), **values)
    listed = answer.find("{*}RegistryObjectList")
    assert listed is not None
    objects, breaches = ebrim.decode_objects(listed)
    assert breaches == ()
    return list(objects)


def test_a_registered_submission_is_returned_whole_and_valid(
    registry: DocumentRegistry, submission: Submission, exchange: Exchange, patient: CX, shared: Path
) -> None:
    register(registry, submission, exchange)
    statuses: dict[str, Clause] = {
        f"XDS{kind}Status": (APPROVED,) for kind in ("DocumentEntry", "SubmissionSet", "Folder")
    }
    answer = ask(registry, GET_ALL, exchange, patientId=(patient,), **statuses)
    schema(shared / "schemas" / "ebRS" / "query.xsd").assertValid(answer)
    assert len(answer.findall("{*}RegistryObjectList/*")) == len(submission.objects)


def test_a_replaced_report_is_found_by_status_and_by_its_replacement(
    registry: DocumentRegistry,
    another_report: Callable[..., Submission],
    relate: Callable[..., Association],
    exchange: Exchange,
    patient: CX,
) -> None:
    register(registry, another_report(1), exchange)
    (first,) = find(registry, exchange, patient)
    replaces = relate("Document2", AssociationType.RPLC, first.entry_uuid)
    register(registry, another_report(2, replaces), exchange)
    (second,) = find(registry, exchange, patient)
    assert second.unique_id != first.unique_id
    (old,) = find(registry, exchange, patient, XDSDocumentEntryStatus=(DEPRECATED,))
    assert old.entry_uuid == first.entry_uuid
    related = ask(
        registry,
        GET_RELATED_DOCUMENTS,
        exchange,
        XDSDocumentEntryEntryUUID=(first.entry_uuid,),
        AssociationTypes=(AssociationType.RPLC,),
    )
    assert len(related.findall("{*}RegistryObjectList/{*}ExtrinsicObject")) == 2


def test_after_a_merge_the_surviving_patient_has_the_documents(
    registry: DocumentRegistry,
    another_report: Callable[..., Submission],
    exchange: Exchange,
    patient: CX,
    other_patient: CX,
    patients: Any,
) -> None:
    register(registry, another_report(1), exchange)
    patients.merge(patient, other_patient)
    (entry,) = find(registry, exchange, other_patient)
    assert entry.patient_id == other_patient


def test_a_name_in_another_normal_form_is_the_same_name(
    registry: DocumentRegistry, another_report: Callable[..., Submission], exchange: Exchange, patient: CX
) -> None:
    decomposed = Author(author_person=normalize("NFD", "^Müller^Zoé"))
    register(registry, another_report(1, author=(decomposed,)), exchange)
    (entry,) = find(registry, exchange, patient, XDSDocumentEntryAuthorPerson=("^Müller^Z_é%",))
    assert entry.author == (decomposed,)
