"""Parameters of a stored query as SQL: one table of columns, one way of comparing per kind of parameter.

A condition depends only on the shape of what is asked (which parameters, how many clauses); the values are bound. So a
statement is built once per shape and found again in caches, and no value can ever become SQL.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Column, ColumnElement, Text, bindparam, exists, or_
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from ihe.datatypes import earliest
from xds.model import MetadataObject, ObjectType
from xds.query_parameters import Clause, QueryParameters
from xds.stored_query import Kind, Parameter, StoredQuery
from xds.tables import association, document_entry, elements, folder, submission_set

COLUMNS: Mapping[str, Column[Any]] = {
    "SubmissionSet.sourceId": submission_set.c.source_id,
    "SubmissionSet.submissionTime": submission_set.c.submission_time,
    "SubmissionSet.author": submission_set.c.author_person,
    "SubmissionSet.contentTypeCode": submission_set.c.content_type_code,
    "SubmissionSet.availabilityStatus": submission_set.c.status,
    "DocumentEntry.classCode": document_entry.c.class_code,
    "DocumentEntry.typeCode": document_entry.c.type_code,
    "DocumentEntry.practiceSettingCode": document_entry.c.practice_setting_code,
    "DocumentEntry.creationTime": document_entry.c.creation_time,
    "DocumentEntry.serviceStartTime": document_entry.c.service_start_time,
    "DocumentEntry.serviceStopTime": document_entry.c.service_stop_time,
    "DocumentEntry.healthcareFacilityTypeCode": document_entry.c.healthcare_facility_type_code,
    "DocumentEntry.eventCodeList": document_entry.c.event_code_list,
    "DocumentEntry.confidentialityCode": document_entry.c.confidentiality_code,
    "DocumentEntry.author": document_entry.c.author_person,
    "DocumentEntry.formatCode": document_entry.c.format_code,
    "DocumentEntry.availabilityStatus": document_entry.c.status,
    "DocumentEntry.objectType": document_entry.c.object_type,
    "DocumentEntry.documentAvailability": document_entry.c.document_availability,
    "DocumentEntry.referenceIdList": document_entry.c.reference_id_list,
    "Folder.lastUpdateTime": folder.c.last_update_time,
    "Folder.codeList": folder.c.code_list,
    "Folder.availabilityStatus": folder.c.status,
    "Association.availabilityStatus": association.c.status,
    "Association.associationType": association.c.association_type,
}
LISTS = frozenset(
    {
        "SubmissionSet.author",
        "DocumentEntry.author",
        "DocumentEntry.eventCodeList",
        "DocumentEntry.confidentialityCode",
        "DocumentEntry.referenceIdList",
        "Folder.codeList",
    }
)
"""Attributes with several values, held as a JSON array."""
STABLE_ONLY: tuple[Clause, ...] = ((ObjectType.STABLE,),)
"""$XDSDocumentEntryType where none is given (ITI TF-2: 3.18.4.1.2.3.6.2)."""


class LikePattern(TypeDecorator[str]):
    """A pattern with ``%`` and ``_`` and no escape, as each database compares it with regard to case."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Spell the pattern: SQLite's LIKE ignores case and its GLOB does not; PostgreSQL's LIKE has an escape."""
        if value is None:
            return None
        spelling = _GLOB if dialect.name == "sqlite" else _ESCAPED
        return value.translate(spelling)


_GLOB = str.maketrans({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"})
_ESCAPED = str.maketrans({"\\": "\\\\"})


class _Like(FunctionElement[bool]):
    """SQL LIKE with regard to case (ITI TF-2: 3.18.4.1.2.3.5, Appendix F): ``_Like(value, pattern)``."""

    type = Boolean()
    inherit_cache = True


@compiles(_Like)
def _like(element: _Like, compiler: Any, **options: Any) -> str:
    value, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} LIKE {pattern}"


@compiles(_Like, "sqlite")
def _like_on_sqlite(element: _Like, compiler: Any, **options: Any) -> str:
    value, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} GLOB {pattern}"


class Condition(NamedTuple):
    """One parameter as it is asked: its row of the table and the number of values of each clause.

    Of a pattern all numbers matter to the statement; otherwise only ``ONE`` or ``MANY``.
    """

    parameter: Parameter
    sizes: tuple[int, ...]


ONE, MANY = 1, 2


def conditions(
    query: StoredQuery, parameters: QueryParameters, kind: MetadataObject
) -> tuple[tuple[Condition, ...], dict[str, object]]:
    """The shape of everything that restricts objects of this kind, and the values to bind."""
    shape: list[Condition] = []
    bound: dict[str, object] = {}
    for parameter, default in _restricting(query, kind):
        clauses = parameters.values.get(parameter.name) or default
        if clauses:
            shape.append(_condition(parameter, tuple(map(len, clauses))))
            _bind(bound, parameter, clauses)
    return tuple(shape), bound


def predicates(condition: Condition) -> Iterator[ColumnElement[bool]]:
    """The predicates of one parameter; all must hold."""
    parameter = condition.parameter
    column = COLUMNS[parameter.attribute]
    for number, size in enumerate(condition.sizes):
        if parameter.attribute in LISTS:
            yield _any_element(column, parameter, number, size)
        else:
            compare = COMPARE.get(parameter.kind, equals if size == ONE else among)
            yield _unless_ignored(parameter.attribute, compare(column, bound_name(parameter, number)))


def equals(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The column has the one value that is bound to this name."""
    return column == bindparam(name)


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The column has one of the values that are bound to this name."""
    return column.in_(bindparam(name, expanding=True))


@lru_cache
def _restricting(query: StoredQuery, kind: MetadataObject) -> tuple[tuple[Parameter, tuple[Clause, ...]], ...]:
    """The parameters that restrict objects of this kind, and what each means where it is not given."""
    return tuple(
        (each, _default(each))
        for each in query.parameters
        if each.attribute in COLUMNS and each.attribute.split(".")[0] == kind.value
    )


def _default(parameter: Parameter) -> tuple[Clause, ...]:
    return STABLE_ONLY if parameter.kind is Kind.ENTRY_TYPE else ()


@lru_cache(maxsize=4096)
def _condition(parameter: Parameter, lengths: tuple[int, ...]) -> Condition:
    sizes = lengths if parameter.kind is Kind.PATTERN else tuple(min(length, MANY) for length in lengths)
    return Condition(parameter, sizes)


@lru_cache(maxsize=4096)
def bound_name(parameter: Parameter, number: int) -> str:
    """The name to which the values of one clause are bound."""
    return f"{parameter.name[1:]}_{number}"


def _bind(bound: dict[str, object], parameter: Parameter, clauses: tuple[Clause, ...]) -> None:
    """Bind the values of a parameter as the columns hold them."""
    stored = STORED.get(parameter.kind)
    for number, clause in enumerate(clauses):
        name = bound_name(parameter, number)
        values: list[object] = list(map(stored, clause)) if stored else list(clause)
        if parameter.kind is Kind.PATTERN:
            bound.update((f"{name}_{index}", value) for index, value in enumerate(values))
        else:
            bound[name] = values[0] if len(values) == 1 else values


def _any_element(column: Column[Any], parameter: Parameter, number: int, size: int) -> ColumnElement[bool]:
    values = elements(column).table_valued("value")
    name = bound_name(parameter, number)
    if parameter.kind is Kind.PATTERN:
        names = (f"{name}_{index}" for index in range(size))
        matching = or_(*(_Like(values.c.value, bindparam(each, type_=LikePattern())) for each in names))
    else:
        matching = (equals if size == ONE else among)(values.c.value, name)
    return exists().select_from(values).where(matching)


def _from(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column >= bindparam(name)


def _to(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column < bindparam(name)


def _unless_ignored(attribute: str, comparison: ColumnElement[bool]) -> ColumnElement[bool]:
    """Pass entries about which a time shall not decide (ITI TF-2: 3.18.4.1.2.3.3.1, 3.18.4.1.2.3.7.1 note 6)."""
    if attribute in ("DocumentEntry.serviceStartTime", "DocumentEntry.serviceStopTime"):
        return or_(COLUMNS[attribute].is_(None), comparison)
    if attribute == "DocumentEntry.creationTime":
        return or_(document_entry.c.object_type == ObjectType.ON_DEMAND, comparison)
    return comparison


Comparison = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
STORED: Mapping[Kind, Callable[[Any], object]] = {Kind.CODE: str, Kind.TIME_FROM: earliest, Kind.TIME_TO: earliest}
COMPARE: Mapping[Kind, Comparison] = {Kind.TIME_FROM: _from, Kind.TIME_TO: _to}
