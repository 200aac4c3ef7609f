"""The parameters of a stored query: Slots to typed values and back (ITI TF-2: 3.18.4.1.2.3.3 to 3.18.4.1.2.3.7)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar
from unicodedata import normalize

from ihe.citations import Citation, tf2
from ihe.datatypes import CX, Code, is_dtm, parse_patient_id
from ihe.errors import Breach, ErrorCode
from xds.model import AssociationType, AvailabilityStatus, DocumentAvailability, ObjectType
from xds.query_literals import Literal, Unreadable, is_number, quote, read, write_list
from xds.stored_query import Kind, Mult, Opt, Parameter, StoredQuery

Term = AvailabilityStatus | AssociationType | ObjectType | DocumentAvailability
Value = str | int | Code | CX | Term
Clause = tuple[Value, ...]
"""Values of which one must match."""
Slots = Iterable[tuple[str, Sequence[str]]]
"""The Slots of an AdhocQuery: name and the texts of its rim:Value elements."""
Wanted = TypeVar("Wanted", bound=Value)

VALUES_PER_PARAMETER = 2000
PATTERNS_PER_PARAMETER = 50
CLAUSES_PER_PARAMETER = 50
PATTERN_LENGTH = 256
"""Bounds on what one request may ask of the database; beyond them it is refused, never cut."""

CODING_STYLE = tf2("3.18.4.1.2.3.5")
VOCABULARY: Mapping[Kind, type[Term]] = {
    Kind.STATUS: AvailabilityStatus,
    Kind.ASSOCIATION_TYPE: AssociationType,
    Kind.ENTRY_TYPE: ObjectType,
    Kind.AVAILABILITY: DocumentAvailability,
}
IGNORES_UNKNOWN = frozenset({Kind.STATUS, Kind.ASSOCIATION_TYPE})
"""Values not understood are ignored (ITI TF-2: 3.18.4.1.2.3.6); where only such are given, the parameter is missing."""


@dataclass(frozen=True, slots=True)
class QueryParameters:
    """What a query asks: per parameter a conjunction of clauses. A parameter that is not there restricts nothing."""

    values: Mapping[str, tuple[Clause, ...]]

    def clauses(self, name: str, of: type[Wanted]) -> tuple[tuple[Wanted, ...], ...]:
        """The clauses that must all hold."""
        return tuple(tuple(v for v in clause if isinstance(v, of)) for clause in self.values.get(name, ()))

    def any_of(self, name: str, of: type[Wanted]) -> tuple[Wanted, ...]:
        """The values of a parameter without AND semantics; none means that it was not given."""
        return tuple([value for clause in self.values.get(name, ()) for value in clause if isinstance(value, of)])

    def one(self, name: str, of: type[Wanted]) -> Wanted | None:
        """The value of a parameter with one value."""
        values = self.any_of(name, of) if name in self.values else ()
        return values[0] if values else None


def decode(query: StoredQuery, slots: Slots) -> tuple[QueryParameters, tuple[Breach, ...]]:
    """Read the Slots that the query declares, and everything that is wrong with them; other Slots are ignored.

    Parameters of other versions of the Technical Framework, such as the withdrawn ``...CodeScheme``, restrict
    nothing (ITI TF-2: 3.18.4.1.2.5; Metadata Update: 3.18.4.1.2.3.5.1.3).
    """
    breaches: list[Breach] = []
    values: dict[str, list[Clause]] = {}
    declared = query.by_name
    for name, texts in slots:
        parameter = declared.get(name)
        if parameter is not None:
            clause = _clause(parameter, texts, breaches)
            if clause:
                values.setdefault(name, []).append(clause)
    parameters = QueryParameters({name: tuple(clauses) for name, clauses in values.items()})
    breaches.extend(_miscounted(query, parameters))
    breaches.extend(_missing(query, {*values, *[breach.location for breach in breaches]}))
    return parameters, tuple(breaches)


def encode(query: StoredQuery, parameters: QueryParameters) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Spell the parameters as Slots, in the order of the query's table."""
    return tuple(
        (parameter.name, _texts(parameter, clause))
        for parameter in query.parameters
        for clause in parameters.values.get(parameter.name, ())
    )


def _texts(parameter: Parameter, clause: Clause) -> tuple[str, ...]:
    plain = [value.value if isinstance(value, Enum) else str(value) for value in clause]
    spelled = plain if parameter.kind in NUMBERS else [quote(text) for text in plain]
    return (spelled[0],) if parameter.mult is Mult.ONE else write_list(spelled)


def _clause(parameter: Parameter, texts: Sequence[str], breaches: list[Breach]) -> Clause:
    values: list[Value] = []
    for text in texts:
        try:
            for literal in read(text):
                value = _typed(parameter.kind, literal)
                if value is not None:
                    values.append(value)
        except Unreadable as error:
            breaches.append(_unreadable(parameter, text, str(error)))
    return tuple(values)


def _typed(kind: Kind, literal: Literal) -> Value | None:
    """The value that was meant; None: one to be ignored."""
    if not literal.quoted and not is_number(literal):
        raise Unreadable("a string stands in single quotes")
    try:
        return READERS[kind](normalize("NFC", literal.text))
    except Unreadable:
        if kind not in IGNORES_UNKNOWN:
            raise
        return None


def _text(text: str) -> str:
    return text


def _patient_id(text: str) -> CX:
    try:
        return parse_patient_id(text)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _code(text: str) -> Code:
    parts = text.split("^")
    if len(parts) != 3 or parts[1] or not parts[0] or not parts[2]:
        raise Unreadable("a code has the form code^^coding-scheme; both parts are required")
    return Code(parts[0], parts[2])


def _time(text: str) -> str:
    if not is_dtm(text):
        raise Unreadable("a time has the form YYYY[MM[DD[hh[mm[ss]]]]] in UTC")
    return text


def _pattern(text: str) -> str:
    if len(text) > PATTERN_LENGTH:
        raise Unreadable(f"a pattern has at most {PATTERN_LENGTH} characters")
    return text


def _level(text: str) -> int:
    if text not in ("1", "2"):
        raise Unreadable("the metadata level is the number 1 or 2")
    return int(text)


def _term(kind: Kind) -> Callable[[str], Term]:
    terms = {term.value: term for term in VOCABULARY[kind]}

    def read_term(text: str) -> Term:
        if text not in terms:
            raise Unreadable("the value is not one of " + ", ".join(terms))
        return terms[text]

    return read_term


READERS: Mapping[Kind, Callable[[str], Value]] = {
    Kind.TEXT: _text,
    Kind.PATIENT_ID: _patient_id,
    Kind.CODE: _code,
    Kind.TIME_FROM: _time,
    Kind.TIME_TO: _time,
    Kind.PATTERN: _pattern,
    Kind.METADATA_LEVEL: _level,
    **{kind: _term(kind) for kind in VOCABULARY},
}
NUMBERS = frozenset({Kind.TIME_FROM, Kind.TIME_TO, Kind.METADATA_LEVEL})
CITATIONS: Mapping[Kind, Citation] = {
    Kind.PATIENT_ID: Citation("ITI TF-3", "Table 4.2.3.1.7-2, CX"),
    Kind.CODE: tf2("3.18.4.1.2.3.4"),
    Kind.TIME_FROM: tf2("3.18.4.1.2.3.3"),
    Kind.TIME_TO: tf2("3.18.4.1.2.3.3"),
    Kind.ENTRY_TYPE: tf2("3.18.4.1.2.3.6.2"),
}


def _unreadable(parameter: Parameter, text: str, why: str) -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_ERROR,
        text=f"The value of {parameter.name} cannot be read: {why}",
        location=parameter.name,
        observed=text.strip()[:PATTERN_LENGTH],
        expected=parameter.kind.value,
        citation=CITATIONS.get(parameter.kind, CODING_STYLE),
    )


def _miscounted(query: StoredQuery, parameters: QueryParameters) -> Iterator[Breach]:
    declared = query.by_name
    for name, clauses in parameters.values.items():
        parameter, sizes = declared[name], list(map(len, clauses))
        if parameter.mult is not Mult.ALL_OF_ANY and len(sizes) > 1:
            yield _number(query, name, "is given in more than one Slot; only multi-valued attributes allow that")
        if parameter.mult is Mult.ONE and max(sizes) > 1:
            yield _number(query, name, "contains multiple values and takes a single one")
        most = PATTERNS_PER_PARAMETER if parameter.kind is Kind.PATTERN else VALUES_PER_PARAMETER
        if sum(sizes) > most or len(sizes) > CLAUSES_PER_PARAMETER:
            yield _oversized(parameter, most)
    given = [name for name in query.exactly_one if name in parameters.values]
    if len(given) > 1:
        yield _number(query, ", ".join(given), "exclude each other: give one of them")


def _oversized(parameter: Parameter, most: int) -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_ERROR,
        text=f"{parameter.name} has more values than this registry takes in one query",
        location=parameter.name,
        expected=f"at most {most} values in {CLAUSES_PER_PARAMETER} Slots",
        remedy="ask in several queries",
    )


def _number(query: StoredQuery, names: str, why: str) -> Breach:
    return Breach(
        code=ErrorCode.STORED_QUERY_PARAM_NUMBER,
        text=f"{names} {why}",
        location=names,
        citation=query.citation,
    )


def _missing(query: StoredQuery, given: Set[str]) -> Iterator[Breach]:
    for parameter in query.parameters:
        if parameter.opt is Opt.REQUIRED and parameter.name not in given:
            yield _lacks(query, (parameter.name,), "Required parameter")
    for choice, sentence in ((query.exactly_one, "One of"), (query.at_least_one, "At least one of")):
        if choice and not any(name in given for name in choice):
            yield _lacks(query, choice, sentence)


def _lacks(query: StoredQuery, names: tuple[str, ...], sentence: str) -> Breach:
    return Breach(
        code=ErrorCode.STORED_QUERY_MISSING_PARAM,
        text=f"{sentence} {', '.join(names)} is missing",
        location=", ".join(names),
        citation=query.citation,
    )
