"""The codec of stored query parameters (ITI TF-2: 3.18.4.1.2.3.3 to 3.18.4.1.2.3.7)."""

from collections.abc import Callable, Mapping
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ihe.datatypes import CX, HD, Code
from ihe.errors import ErrorCode
from xds.model import AssociationType, AvailabilityStatus, DocumentAvailability, ObjectType
from xds.query_literals import SLOT_VALUE_LIMIT, Literal, Unreadable, quote, read, write_list
from xds.query_parameters import Clause, QueryParameters, Value, decode, encode
from xds.stored_queries import (
    FIND_DOCUMENTS,
    FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS,
    GET_DOCUMENTS,
    GET_RELATED_DOCUMENTS,
    MULTI_PATIENT_STORED_QUERIES,
    REGISTRY_STORED_QUERIES,
)
from xds.stored_query import Kind, Mult, Opt, Parameter, StoredQuery

APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
PATIENT = ("$XDSDocumentEntryPatientId", ("'st3498702^^^&1.3.6.1.4.1.21367.2005.3.7&ISO'",))
STATUS = ("$XDSDocumentEntryStatus", (f"('{APPROVED}')",))
EVENT = "$XDSDocumentEntryEventCodeList"

texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40).map(
    lambda text: normalize("NFC", text)
)
parts = st.text("abcXYZ012.:-/'\"(), é", min_size=1, max_size=20)
times = st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))
VALUES: Mapping[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: texts,
    Kind.PATIENT_ID: st.builds(lambda extension: CX(extension, HD("", "1.2.3", "ISO")), parts),
    Kind.CODE: st.builds(Code, parts, parts),
    Kind.TIME_FROM: times,
    Kind.TIME_TO: times,
    Kind.PATTERN: texts,
    Kind.STATUS: st.sampled_from(AvailabilityStatus),
    Kind.ASSOCIATION_TYPE: st.sampled_from(AssociationType),
    Kind.ENTRY_TYPE: st.sampled_from(ObjectType),
    Kind.AVAILABILITY: st.sampled_from(DocumentAvailability),
    Kind.METADATA_LEVEL: st.sampled_from([1, 2]),
}


def clauses(parameter: Parameter) -> st.SearchStrategy[tuple[Clause, ...]]:
    several, many = parameter.mult is Mult.ALL_OF_ANY, parameter.mult is not Mult.ONE
    clause = st.lists(VALUES[parameter.kind], min_size=1, max_size=12 if many else 1).map(tuple)
    return st.lists(clause, min_size=1, max_size=3 if several else 1).map(tuple)


@st.composite
def asked(
    draw: Callable[[st.SearchStrategy[tuple[Clause, ...]]], tuple[Clause, ...]], query: StoredQuery
) -> QueryParameters:
    excluded = set(query.exactly_one[1:])
    wanted = [p for p in query.parameters if p.name not in excluded]
    return QueryParameters({parameter.name: draw(clauses(parameter)) for parameter in wanted})


@given(
    st.sampled_from(REGISTRY_STORED_QUERIES + MULTI_PATIENT_STORED_QUERIES).flatmap(
        lambda q: st.tuples(st.just(q), asked(q))
    )
)
def test_what_is_spelled_is_read_back(case: tuple[StoredQuery, QueryParameters]) -> None:
    query, parameters = case
    assert decode(query, encode(query, parameters)) == (parameters, ())


@given(st.lists(texts, min_size=1, max_size=40))
def test_a_list_is_split_between_values_only_and_keeps_the_schema_limit(values: list[str]) -> None:
    spelled = write_list(map(quote, values))
    assert [literal.text for text in spelled for literal in read(text)] == values
    assert all(len(text) <= SLOT_VALUE_LIMIT for text in spelled)


@given(st.text(max_size=60))
def test_any_text_is_read_or_named_unreadable(text: str) -> None:
    try:
        assert all(isinstance(literal, Literal) for literal in read(text))
    except Unreadable as error:
        assert str(error)


names = st.sampled_from([parameter.name for query in REGISTRY_STORED_QUERIES for parameter in query.parameters])
wild = st.one_of(st.text(max_size=40), st.text("'(),^&123 ", max_size=40))


@given(st.sampled_from(REGISTRY_STORED_QUERIES), st.lists(st.tuples(names, st.lists(wild, max_size=3)), max_size=8))
def test_no_slots_make_the_codec_fail(query: StoredQuery, slots: list[tuple[str, list[str]]]) -> None:
    parameters, breaches = decode(query, slots)
    if not breaches:
        assert decode(query, encode(query, parameters)) == (parameters, ())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("'Children''s Hospital'", ["Children's Hospital"]),
        ("('a','b')", ["a", "b"]),
        ("( ' a' ,\n   'b' )", [" a", "b"]),
        ("123", ["123"]),
        ("('x,y)')", ["x,y)"]),
        ("()", []),
        ("  ", []),
    ],
)
def test_the_coding_style(text: str, values: list[str]) -> None:
    assert [literal.text for literal in read(text)] == values


@pytest.mark.parametrize("text", ["'a", "a'", "('a' 'b')", "('a',)", "('a')('b')", "'a''b", '("a")', "'a' OR '1'='1'"])
def test_what_has_no_certain_meaning_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_two_values_are_or_and_two_slots_are_and() -> None:
    slots = [PATIENT, STATUS, (EVENT, ("('a^^s','b^^s')",)), (EVENT, ("('c^^s')",))]
    parameters, breaches = decode(FIND_DOCUMENTS, slots)
    assert breaches == ()
    assert parameters.clauses(EVENT, Code) == ((Code("a", "s"), Code("b", "s")), (Code("c", "s"),))


def test_a_list_split_over_values_is_one_list() -> None:
    parameters, _ = decode(FIND_DOCUMENTS, [PATIENT, STATUS, (EVENT, ("('a^^s')", "('b^^s')"))])
    assert parameters.clauses(EVENT, Code) == ((Code("a", "s"), Code("b", "s")),)


def verdict(query: StoredQuery, *slots: tuple[str, tuple[str, ...]]) -> list[tuple[ErrorCode | object, str]]:
    return [(breach.code, breach.location) for breach in decode(query, slots)[1]]


MISSING, NUMBER, UNREADABLE = (
    ErrorCode.STORED_QUERY_MISSING_PARAM,
    ErrorCode.STORED_QUERY_PARAM_NUMBER,
    ErrorCode.REGISTRY_ERROR,
)


def test_every_missing_parameter_is_named_at_once() -> None:
    assert verdict(FIND_DOCUMENTS) == [(MISSING, PATIENT[0]), (MISSING, STATUS[0])]


def test_only_unknown_statuses_leave_the_required_status_missing() -> None:
    unknown = (STATUS[0], ("('urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Approved')",))
    assert verdict(FIND_DOCUMENTS, PATIENT, unknown) == [(MISSING, STATUS[0])]


def test_an_unknown_status_beside_a_known_one_is_ignored() -> None:
    parameters, breaches = decode(FIND_DOCUMENTS, [PATIENT, (STATUS[0], (f"('{APPROVED}','urn:x')",))])
    assert (parameters.any_of(STATUS[0], AvailabilityStatus), breaches) == ((AvailabilityStatus.APPROVED,), ())


def test_only_unknown_association_types_leave_the_required_parameter_missing() -> None:
    named = ("$XDSDocumentEntryUniqueId", ("'1.2'",))
    oasis_replace = ("$AssociationTypes", ("('urn:oasis:names:tc:ebxml-regrep:AssociationType:RPLC')",))
    assert verdict(GET_RELATED_DOCUMENTS, named, oasis_replace) == [(MISSING, "$AssociationTypes")]


def test_an_unset_optional_parameter_restricts_nothing() -> None:
    parameters, breaches = decode(FIND_DOCUMENTS, [PATIENT, STATUS, ("$XDSDocumentEntryCreationTimeFrom", ("",))])
    assert breaches == ()
    assert parameters.one("$XDSDocumentEntryCreationTimeFrom", str) is None


def test_an_unknown_or_withdrawn_parameter_is_ignored() -> None:
    withdrawn = ("$XDSDocumentEntryClassCodeScheme", ("('LOINC')",))
    assert verdict(FIND_DOCUMENTS, PATIENT, STATUS, withdrawn) == []


@pytest.mark.parametrize(
    "slots",
    [
        (("$XDSDocumentEntryCreationTimeFrom", ("(2004,2005)",)),),
        (("$XDSDocumentEntryCreationTimeFrom", ("2004",)), ("$XDSDocumentEntryCreationTimeFrom", ("2005",))),
        (("$XDSDocumentEntryClassCode", ("('a^^s')",)), ("$XDSDocumentEntryClassCode", ("('b^^s')",))),
    ],
    ids=["two values", "two slots", "two slots of a single-valued attribute"],
)
def test_more_than_the_table_allows_is_a_param_number_error(slots: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    assert verdict(FIND_DOCUMENTS, PATIENT, STATUS, *slots) == [(NUMBER, slots[0][0])]


def test_entry_uuid_and_unique_id_exclude_each_other() -> None:
    both = (("$XDSDocumentEntryEntryUUID", ("('urn:uuid:1')",)), ("$XDSDocumentEntryUniqueId", ("('1.2')",)))
    assert [code for code, _ in verdict(GET_DOCUMENTS, *both)] == [NUMBER]
    assert [code for code, _ in verdict(GET_DOCUMENTS)] == [MISSING]


def test_a_multi_patient_query_needs_a_patient_or_a_code() -> None:
    assert [code for code, _ in verdict(FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, STATUS)] == [MISSING]
    assert verdict(FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, STATUS, (EVENT, ("('a^^s')",))) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("$XDSDocumentEntryClassCode", "('value^^')"),
        ("$XDSDocumentEntryClassCode", "('value')"),
        ("$XDSDocumentEntryClassCode", "('^^scheme')"),
        ("$XDSDocumentEntryClassCode", "('a^name^scheme')"),
        ("$XDSDocumentEntryClassCode", "(‘Emergency Department’)"),
        ("$XDSDocumentEntryCreationTimeFrom", "2004-01-01"),
        ("$XDSDocumentEntryCreationTimeFrom", "20041301"),
        ("$XDSDocumentEntryType", "('urn:uuid:00000000-0000-0000-0000-000000000000')"),
        ("$MetadataLevel", "3"),
        ("$XDSDocumentEntryAuthorPerson", f"('{'%' * 257}')"),
    ],
)
def test_a_value_of_another_form_is_refused_with_its_name(name: str, text: str) -> None:
    assert verdict(FIND_DOCUMENTS, PATIENT, STATUS, (name, (text,))) == [(UNREADABLE, name)]


@pytest.mark.parametrize(
    "text",
    [
        "st3498702^^^&1.3.6.1.4.1.21367.2005.3.7&ISO",
        "'st3498702'",
        "'st3498702^^^HOSPITAL&1.2.3&ISO'",
        "'593603^^^&1.2&ISO''%20and%20611%3d611--%20",
        "'1^^^&1.2&ISO') OR 1=1 --",
        '("1^^^&1.2&ISO")',
    ],
)
def test_a_patient_id_has_exactly_one_form(text: str) -> None:
    assert verdict(FIND_DOCUMENTS, (PATIENT[0], (text,)), STATUS) == [(UNREADABLE, PATIENT[0])]


def test_quoted_times_have_one_meaning_and_are_read() -> None:
    parameters, breaches = decode(
        FIND_DOCUMENTS, [PATIENT, STATUS, ("$XDSDocumentEntryCreationTimeTo", ("'20221015151515'",))]
    )
    assert (parameters.one("$XDSDocumentEntryCreationTimeTo", str), breaches) == ("20221015151515", ())


def test_a_huge_list_is_refused_not_cut() -> None:
    many = tuple(f"('urn:uuid:{number}')" for number in range(2001))
    assert [code for code, _ in verdict(GET_DOCUMENTS, ("$XDSDocumentEntryEntryUUID", many))] == [UNREADABLE]


def test_the_tables_are_complete() -> None:
    assert len(REGISTRY_STORED_QUERIES) == 14
    assert len(MULTI_PATIENT_STORED_QUERIES) == 2
    assert len({query.id for query in REGISTRY_STORED_QUERIES + MULTI_PATIENT_STORED_QUERIES}) == 16


@pytest.mark.parametrize("query", REGISTRY_STORED_QUERIES + MULTI_PATIENT_STORED_QUERIES, ids=lambda query: query.name)
def test_alternatives_are_optional_parameters_of_their_query(query: StoredQuery) -> None:
    for name in query.exactly_one + query.at_least_one:
        assert query.by_name[name].opt is Opt.OPTIONAL
