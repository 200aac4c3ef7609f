"""Retrieve ATNA Audit Event [ITI-81] (ITI Suppl. RESTful ATNA: 3.81): a FHIR search of AuditEvents.

A ``date`` is demanded, everything else refines. Parameters that we do not know are ignored (3.81.4.1.3); a modifier or
a value that we do not understand is refused, for ignoring it would answer another question.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from atna.entries import instant
from atna.fhir_coding import JSON, OID_URN
from atna.fhir_dates import period
from ihe.identifiers import is_oid

COUNT, MOST = 100, 1000
"""AuditEvents of a page: unless ``_count`` says otherwise, and at most."""
MOST_VALUES = 100
"""Values of one parameter, and parameters of one query."""
CURSOR = "_cursor"
"""Ours: the number of the record after which the next page goes on."""
ALIASES: Mapping[str, str] = {
    "http://hl7.org/fhir/audit-event-outcome": "http://terminology.hl7.org/CodeSystem/audit-event-outcome",
    "http://hl7.org/fhir/object-role": "http://terminology.hl7.org/CodeSystem/object-role",
    "http://hl7.org/fhir/audit-entity-type": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
}
"""Code systems as the supplement's text names them, and as FHIR R4 does."""
OUTCOME = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"


class BadQuery(ValueError):
    """A search that cannot be answered; the text says which parameter and why."""


@dataclass(frozen=True, slots=True)
class Token:
    """``system|code``; None: whatever, "" as system: none (FHIR R4: Search, token)."""

    system: str | None
    code: str | None

    def fits(self, system: str, code: str) -> bool:
        """Is this what was asked for?"""
        return (self.system is None or self.system == system) and (self.code is None or self.code == code)


Found = Iterator[tuple[str, str]]
Extract = Callable[[JSON], Found]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter of a query: one of the values must fit something of the event."""

    name: str
    fits: Callable[[JSON], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search. ``since`` and ``until`` (exclusive) are microseconds since 1970; ``before`` is where a page begins.

    ``patients`` are the tokens of ``patient.identifier``, by which the store can look.
    """

    since: int | None
    until: int | None
    criteria: tuple[Criterion, ...]
    patients: tuple[tuple[Token, ...], ...]
    outcomes: frozenset[int] | None
    count: int
    before: int | None

    def fits(self, event: JSON) -> bool:
        """Does an AuditEvent meet every criterion?"""
        return all(each.fits(event) for each in self.criteria)


def parse(parameters: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a search. Raises BadQuery."""
    given = list(parameters)
    if len(given) > MOST_VALUES:
        raise BadQuery(f"more than {MOST_VALUES} parameters")
    known = [(name, value) for name, value in given if _is_known(name)]
    since, until = _bounds(value for name, value in known if name == "date")
    return Query(
        since=since,
        until=until,
        criteria=tuple(_criterion(name, value) for name, value in known if name in TOKENS or name in STRINGS),
        patients=tuple(tuple(_tokens(name, value)) for name, value in known if name == "patient.identifier"),
        outcomes=_outcomes([value for name, value in known if name == "outcome"]),
        count=_number("_count", known, COUNT, MOST) or 1,
        before=_number(CURSOR, known, None, 2**63 - 1),
    )


def _is_known(name: str) -> bool:
    plain, _, modifier = name.partition(":")
    if plain not in KNOWN:
        return False
    if modifier:
        raise BadQuery(f"{plain}: the modifier {modifier[:20]} is not supported")
    return True


def _bounds(dates: Iterator[str]) -> tuple[int | None, int | None]:
    lower: list[datetime] = []
    upper: list[datetime] = []
    given = False
    for text in dates:
        given = True
        prefix, start, end = _period(text)
        if prefix in ("eq", "ge", "gt", "sa"):
            lower.append(end if prefix in ("gt", "sa") else start)
        if prefix in ("eq", "le", "lt", "eb"):
            upper.append(start if prefix in ("lt", "eb") else end)
    if not given:
        raise BadQuery("date: at least one is required (ITI Suppl. RESTful ATNA: 3.81.4.1.2.1)")
    return (instant(max(lower)) if lower else None, instant(min(upper)) if upper else None)


def _period(text: str) -> tuple[str, datetime, datetime]:
    try:
        return period(text)
    except ValueError as error:
        raise BadQuery(f"date: {error}") from None


def _number(name: str, known: list[tuple[str, str]], default: int | None, most: int) -> int | None:
    for given, value in known:
        if given == name:
            if not (value.isascii() and value.isdecimal() and len(value) < 19):
                raise BadQuery(f"{name}: must be a whole number")
            return min(int(value), most)
    return default


def _criterion(name: str, value: str) -> Criterion:
    if name in STRINGS:
        wanted = [each.casefold() for each in _values(name, value)]
        texts = STRINGS[name]
        return Criterion(name, lambda event: any(part in text.casefold() for text in texts(event) for part in wanted))
    tokens, found = list(_tokens(name, value)), TOKENS[name]
    return Criterion(name, lambda event: any(token.fits(*each) for each in found(event) for token in tokens))


def _tokens(name: str, value: str) -> Iterator[Token]:
    for each in _values(name, value):
        system, bar, code = each.rpartition("|")
        system = ALIASES.get(system, system)
        yield Token(system if bar else None, code or None)


_COMMA = re.compile(r"(?<!\\),")


def _values(name: str, value: str) -> list[str]:
    values = [re.sub(r"\\([,|$\\])", r"\1", each) for each in _COMMA.split(value)]
    if not all(values) or len(values) > MOST_VALUES:
        raise BadQuery(f"{name}: needs 1 to {MOST_VALUES} values, and none of them empty")
    return values


def _outcomes(values: list[str]) -> frozenset[int] | None:
    """Outcomes are a column, so the store can look by them; every parameter must fit."""
    found: frozenset[int] | None = None
    for value in values:
        codes = {token.code for token in _tokens("outcome", value) if token.system in (None, OUTCOME)}
        numbers = frozenset(int(code) for code in codes if code and code.isdecimal() and len(code) < 4)
        found = numbers if found is None else found & numbers
    return found


def _codings(*codings: JSON) -> Found:
    return ((each.get("system", ""), each.get("code", "")) for each in codings)


def _identifiers(references: Iterable[JSON]) -> Found:
    """``id^oid``, as documents have it, is found by its parts as well (the example of 3.81.4.1.2.2, entity-role)."""
    for each in references:
        identifier = each.get("identifier", {})
        value = identifier.get("value", "")
        yield identifier.get("system", ""), value
        first, caret, oid = value.rpartition("^")
        if caret and first and is_oid(oid):
            yield OID_URN + oid, first


def _agents(event: JSON) -> list[JSON]:
    return [each.get("who", {}) for each in event.get("agent", ())]


def _entities(event: JSON) -> list[JSON]:
    return [each.get("what", {}) for each in event.get("entity", ())]


def _patients(event: JSON) -> Found:
    yield from _identifiers(each for each in _entities(event) if each.get("type") == "Patient")
    yield from _identifiers(_agents(event))


def _source(event: JSON) -> Found:
    return _identifiers([event["source"]["observer"]])


def _of_entities(member: str) -> Extract:
    return lambda event: _codings(*(each[member] for each in event.get("entity", ()) if member in each))


def _roles(event: JSON) -> Found:
    for agent in event.get("agent", ()):
        for role in agent.get("role", ()):
            yield from _codings(*role["coding"])


TOKENS: Mapping[str, Extract] = {
    "agent.identifier": lambda event: _identifiers(_agents(event)),
    "patient.identifier": _patients,
    "entity.identifier": lambda event: _identifiers(_entities(event)),
    "entity-id": lambda event: _identifiers(_entities(event)),
    "entity-type": _of_entities("type"),
    "entity-role": _of_entities("role"),
    "source.identifier": _source,
    "source": _source,
    "type": lambda event: _codings(event.get("type", {})),
    "subtype": lambda event: _codings(*event.get("subtype", ())),
    "outcome": lambda event: iter([(OUTCOME, event["outcome"])]),
    "action": lambda event: iter([("http://hl7.org/fhir/audit-event-action", event.get("action", ""))]),
    "agent-role": _roles,
    "altid": lambda event: (("", each["altId"]) for each in event.get("agent", ()) if "altId" in each),
    "site": lambda event: iter([("", event["source"].get("site", ""))]),
    "policy": lambda event: (("", one) for each in event.get("agent", ()) for one in each.get("policy", ())),
}
"""Parameters of 3.81.4.1.2.2, two spellings that stand in its examples, and some more of FHIR R4."""

STRINGS: Mapping[str, Callable[[JSON], Iterator[str]]] = {
    "address": lambda event: (each.get("network", {}).get("address", "") for each in event.get("agent", ())),
    "agent-name": lambda event: (each.get("name", "") for each in event.get("agent", ())),
    "entity-name": lambda event: (each.get("name", "") for each in event.get("entity", ())),
}
"""Those that ask for a part of a text; "the value of this parameter shall contain the substring to match"."""

KNOWN = frozenset(("date", "_count", CURSOR, *TOKENS, *STRINGS))
