"""Parameters of a demographics query as criteria (ITI TF-2: 3.47.4.1.2.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.domain import AffinityDomain
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.queries import Criteria, IdentifierPattern
from pix.v3_datatypes import address, person_name, telecom, to_v2
from pix.v3_demographics import GENDERS
from pix.v3_elements import InstanceIdentifier, attribute, child, children, location, time_stamp
from pix.v3_queries import PARAMETERS

EARLIEST, LATEST = "0000", "9999"
"""Bounds of an open range of birth times."""
MAX_ALTERNATIVES = 16
NAMES = f"{PARAMETERS}/livingSubjectName/value"
ADDRESSES = f"{PARAMETERS}/patientAddress/value"
TELECOMS = f"{PARAMETERS}/patientTelecom/value"
MOTHERS_NAMES = f"{PARAMETERS}/mothersMaidenName/value"


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.47.4.1.2.1"))
def values_can_be_searched(body: _Element) -> Iterator[Offence]:
    """A name has a family or given name, an address a street, town, state, postal code or country, a telecom digits."""
    for path in (NAMES, MOTHERS_NAMES):
        yield from (Offence(location(value)) for value in children(body, path) if not any(_searched_name(value)))
    for value in children(body, ADDRESSES):
        if _by_address(value, Criteria()) == Criteria():
            yield Offence(location(value))
    for value in children(body, TELECOMS):
        if not any(map(str.isdecimal, telecom(value).number)):
            yield Offence(location(value), value.get("value"))


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.47.4.1.2.2"))
def alternatives_are_few(body: _Element) -> Iterator[Offence]:
    """Names, addresses and telephone numbers make at most 16 combinations."""
    if len(list(islice(_combinations(body), MAX_ALTERNATIVES + 1))) > MAX_ALTERNATIVES:
        yield Offence(f"{location(body)}/{PARAMETERS}", expected=f"at most {MAX_ALTERNATIVES}")


def alternatives(body: _Element) -> tuple[Criteria, ...]:
    """What is searched, identifiers apart: several names, addresses or numbers are connected with "or"."""
    gender = attribute(body, f"{PARAMETERS}/livingSubjectAdministrativeGender/value", "code") or ""
    common = Criteria(birth=_birth(body), sex=to_v2(GENDERS, gender) or None)
    for value in children(body, MOTHERS_NAMES):
        family, given = _searched_name(value)
        common = replace(common, mothers_family=" ".join(family) or None, mothers_given=" ".join(given) or None)
    return tuple(_narrowed(common, *values) for values in _combinations(body))


def identified(
    criteria: tuple[Criteria, ...], ids: tuple[InstanceIdentifier, ...], domain: AffinityDomain
) -> tuple[Criteria, ...]:
    """Add the ids, all of which must match. Nobody has an id of an authority that the domain does not know."""
    patterns = [IdentifierPattern(id=each.extension, authority=domain.authority(each.hd)) for each in ids]
    if any(pattern.authority is None for pattern in patterns):
        return ()
    return tuple(replace(each, identifiers=tuple(patterns)) for each in criteria)


def _combinations(body: _Element) -> Iterator[tuple[_Element | None, _Element | None, _Element | None]]:
    yield from product(*(_values(body, path) for path in (NAMES, ADDRESSES, TELECOMS)))


def _values(body: _Element, path: str) -> Sequence[_Element | None]:
    return children(body, path) or [None]


def _narrowed(common: Criteria, name: _Element | None, where: _Element | None, number: _Element | None) -> Criteria:
    if name is not None:
        family, given = _searched_name(name)
        common = replace(common, family=family, given=given)
    if where is not None:
        common = _by_address(where, common)
    return replace(common, phone=telecom(number).number) if number is not None else common


def _by_address(value: _Element, common: Criteria) -> Criteria:
    written = address(value)
    return replace(
        common,
        street=written.street or None,
        city=written.city or None,
        state=written.state or None,
        postal_code=written.postal_code or None,
        country=written.country or None,
    )


def _searched_name(value: _Element) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Family and given names; ``use="SRCH"`` asks for more than exact matches: every name that begins like it."""
    written = person_name(value)
    families = (written.family, written.own_family)
    givens = (written.given, written.further_given)
    more = "*" if "SRCH" in value.get("use", "").split() else ""
    both = [
        tuple(text if text.endswith("*") else text + more for text in texts if text) for texts in (families, givens)
    ]
    return both[0], both[1]


def _birth(body: _Element) -> tuple[str, str] | None:
    """A value of any precision covers its whole period; bounds count as inclusive."""
    value = child(body, f"{PARAMETERS}/livingSubjectBirthTime/value")
    if value is None:
        return None
    exact = value.get("value")
    low, high = exact or attribute(value, "low") or EARLIEST, exact or attribute(value, "high") or LATEST
    return time_stamp(low), time_stamp(high)
