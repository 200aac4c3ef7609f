"""A stored query from what people type: its name, its parameters, values quoted where they must be (3.18.4.1.2.3.5)."""

from collections.abc import Iterable, Sequence

from xds.model import AvailabilityStatus
from xds.query_literals import quote, write_list
from xds.stored_queries import MULTI_PATIENT_STORED_QUERIES, REGISTRY_STORED_QUERIES
from xds.stored_query import Kind, Mult, Opt, Parameter, StoredQuery

KNOWN = (*REGISTRY_STORED_QUERIES, *MULTI_PATIENT_STORED_QUERIES)
NUMBERS = (Kind.TIME_FROM, Kind.TIME_TO, Kind.METADATA_LEVEL)
"""Values that are written without quotes."""
Slots = list[tuple[str, tuple[str, ...]]]


def find_query(name: str) -> StoredQuery:
    """By name, in any case, or by urn:uuid. ValueError lists the names."""
    for query in KNOWN:
        if name in (query.id, query.id.removeprefix("urn:uuid:")) or name.lower() == query.name.lower():
            return query
    raise ValueError(f"no stored query is called {name!r}; there are {', '.join(query.name for query in KNOWN)}")


def slots(
    query: StoredQuery, patient_id: str | None, statuses: Sequence[str], parameters: Iterable[tuple[str, str]]
) -> Slots:
    """The Slots of a query. A required status that is not given is Approved.

    Values of one parameter are alternatives. One that begins with a quote or a parenthesis is taken as it stands and
    is a Slot of its own, so that ``$XDSDocumentEntryEventCodeList`` can be asked with AND. ValueError: it does not fit.
    """
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        given.setdefault(_parameter(query, name).name, []).append(value)
    if patient_id is not None:
        given.setdefault(_patient_parameter(query).name, []).append(patient_id)
    for parameter in (each for each in query.parameters if each.kind is Kind.STATUS and each.name not in given):
        if statuses or parameter.opt is Opt.REQUIRED:
            given[parameter.name] = [_status(each) for each in statuses] or [AvailabilityStatus.APPROVED.value]
    return [slot for name, values in given.items() for slot in _slots(query.by_name[name], values)]


def _slots(parameter: Parameter, values: list[str]) -> Slots:
    ready = [value for value in values if value.startswith(("'", "("))]
    plain = [_spell(parameter, value) for value in values if value not in ready]
    several = parameter.mult is not Mult.ONE or len(plain) > 1
    spelled: Slots = [(parameter.name, (value,)) for value in ready]
    if plain:
        spelled.append((parameter.name, write_list(plain) if several else (plain[0],)))
    return spelled


def _spell(parameter: Parameter, value: str) -> str:
    return value if parameter.kind in NUMBERS else quote(value)


def _parameter(query: StoredQuery, name: str) -> Parameter:
    """By its name, with or without the dollar."""
    found = query.by_name.get(name if name.startswith("$") else f"${name}")
    if found is None:
        raise ValueError(f"{query.name} has no parameter {name}; it has {', '.join(query.by_name)}")
    return found


def _patient_parameter(query: StoredQuery) -> Parameter:
    found = next((each for each in query.parameters if each.kind is Kind.PATIENT_ID), None)
    if found is None:
        raise ValueError(f"{query.name} asks for no patient; it has {', '.join(query.by_name)}")
    return found


def _status(text: str) -> str:
    known = {each.name: each.value for each in AvailabilityStatus}
    return known.get(text.upper(), text)
