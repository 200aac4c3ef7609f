"""What may be seen is decided before anything is counted; statements are built once per shape."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection

from ihe.access import Admission, Categories, Rights, Sight, Window
from ihe.datatypes import Code
from ihe.errors import ErrorCode, Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import PatientKey
from soap.xml import parse
from xds.adhoc_query import AdhocQuery, ReturnType, reader, write
from xds.model import AvailabilityStatus, MetadataObject
from xds.query_answers import ANSWERS
from xds.query_conditions import COLUMNS
from xds.query_parameters import QueryParameters
from xds.search import Search
from xds.search_statements import Scope, statement
from xds.stored_queries import (
    FIND_DOCUMENTS,
    GET_DOCUMENTS,
    MULTI_PATIENT_STORED_QUERIES,
    REGISTRY_STORED_QUERIES,
)
from xds.stored_query import Kind
from xds.visibility import Viewer

NORMAL = "N^^2.16.840.1.113883.5.25"
APPROVED = AvailabilityStatus.APPROVED


def search(connection: Connection, viewer: Viewer | None = None, limit: int = 10, **values: Any) -> Search:
    asked = AdhocQuery(
        query=FIND_DOCUMENTS,
        parameters=QueryParameters({f"$XDSDocumentEntry{name}": ((value,),) for name, value in values.items()}),
        return_type=ReturnType.OBJECT_REF,
    )
    return Search(connection=connection, asked=asked, viewer=viewer, limit=limit)


@dataclass(frozen=True)
class SeesReports:
    """Eyes that see normal reports of the patient with key 1, and nothing else."""

    def anew(self) -> "SeesReports":
        return self

    def sight(self, connection: Connection, keys: Collection[PatientKey]) -> Sight:
        categories = Categories(allowed_classes=frozenset({"REPORT^^2.25.1"}))
        rights = Rights(name="reader", categories=categories, confidentiality=frozenset({NORMAL}))
        return Sight(windows=(Window(rights=rights, keys=frozenset({PatientKey(1)})),))

    def related(self, connection: Connection, most: int) -> Collection[PatientKey]:
        return (PatientKey(1),)

    def admission(self, connection: Connection, keys: Collection[PatientKey]) -> Admission:
        return Admission()


def test_a_hidden_entry_is_neither_returned_nor_counted(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    open_entry, hidden = make.entry(anna), make.entry(anna, class_code=Code("SECRET", "2.25.1", ""))
    shelves.put(1, hidden, open_entry)
    seen = SeesReports()

    def uuids(connection: Connection, scope: Scope, keys: list[object]) -> list[str]:
        restricted = search(connection, seen, limit=1, Status=APPROVED)
        return [found.entry_uuid for found in restricted.find(MetadataObject.DOCUMENT_ENTRY, scope, keys)]

    both = [open_entry.entry_uuid, hidden.entry_uuid]
    assert shelves.database.read(lambda c: uuids(c, Scope.PATIENTS, [1])) == [open_entry.entry_uuid]
    assert shelves.database.read(lambda c: uuids(c, Scope.ENTRY_UUID, both)) == [open_entry.entry_uuid]

    def starting_from(connection: Connection) -> int:
        return len(search(connection, seen).locate(MetadataObject.DOCUMENT_ENTRY, Scope.ENTRY_UUID, both))

    assert shelves.database.read(starting_from) == 1


def test_a_search_stops_one_object_after_the_limit(shelves: Any, make: Any) -> None:
    anna = shelves.patient("ANNA", 1)
    shelves.put(1, *(make.entry(anna) for _ in range(3)))

    def two(connection: Connection) -> object:
        return search(connection, limit=2).find(MetadataObject.DOCUMENT_ENTRY, Scope.PATIENTS, [1])

    with pytest.raises(Rejected) as caught:
        shelves.database.read(two)
    assert caught.value.codes == {ErrorCode.TOO_MANY_RESULTS}


def test_the_same_question_about_another_patient_is_the_same_statement(shelves: Any) -> None:
    def ask(connection: Connection, key: int, code: str) -> None:
        asked = search(connection, Status=APPROVED, ClassCode=Code(code, "1.2"), CreationTimeFrom=f"20{key:02}")
        asked.find(MetadataObject.DOCUMENT_ENTRY, Scope.PATIENTS, [key])

    shelves.database.read(lambda connection: ask(connection, 1, "A"))
    built = statement.cache_info().misses
    shelves.database.read(lambda connection: ask(connection, 2, "B"))
    assert statement.cache_info().misses == built


def test_every_statement_is_ordered_and_bounded() -> None:
    for kind in MetadataObject:
        for scope in (Scope.PATIENTS, Scope.ENTRY_UUID, Scope.EVERYBODY):
            text = str(statement(kind, scope, 2, (), 1, True).statement)
            assert "ORDER BY" in text
            assert "LIMIT" in text


@pytest.mark.parametrize("query", REGISTRY_STORED_QUERIES + MULTI_PATIENT_STORED_QUERIES, ids=lambda query: query.name)
def test_every_declared_query_is_answered_and_every_parameter_used(query: Any) -> None:
    assert query.id in ANSWERS
    elsewhere = {Kind.PATIENT_ID, Kind.METADATA_LEVEL}
    identifiers = {*query.exactly_one, "$uuid"}
    for parameter in query.parameters:
        used = parameter.attribute in COLUMNS or parameter.kind in elsewhere or parameter.name in identifiers
        assert used, parameter.name


def test_a_query_as_a_consumer_writes_it_is_read_back() -> None:
    parameters = QueryParameters({"$XDSDocumentEntryUniqueId": (("1.2^O'Neil & <son>", "1.3"),)})
    asked = AdhocQuery(
        query=GET_DOCUMENTS, parameters=parameters, return_type=ReturnType.LEAF_CLASS, home="urn:oid:1.2.3"
    )
    assert reader(REGISTRY_STORED_QUERIES)(SOAPRequest(parse(b"".join(write(asked))))) == asked
