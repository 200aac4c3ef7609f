"""Parameters of a demographics query as criteria (ITI TF-2: 3.47.4.1.2.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.domain import AffinityDomain
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.queries import Criteria, IdentifierPattern
from pix.v3_birth_times import searched_birth
from pix.v3_datatypes import address, person_name, telecom
from pix.v3_demographics import GENDERS
from pix.v3_elements import InstanceIdentifier, attribute, children, location
from pix.v3_queries import PARAMETERS

MAX_ALTERNATIVES = 16
NAMES = f"{PARAMETERS}/livingSubjectName/value"
ADDRESSES = f"{PARAMETERS}/patientAddress/value"
TELECOMS = f"{PARAMETERS}/patientTelecom/value"
MOTHERS_NAMES = f"{PARAMETERS}/mothersMaidenName/value"


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.47.4.1.2.1"))
def values_can_be_searched(body: _Element) -> Iterator[Offence]:
    """A name has a family or given name, an address street, town, state, code or country, a telecom digits or @."""
    for path in (NAMES, MOTHERS_NAMES):
        yield from (Offence(location(value)) for value in children(body, path) if not any(_searched_name(value)))
    for value in children(body, ADDRESSES):
        if _by_address(value, Criteria()) == Criteria():
            yield Offence(location(value))
    for value in children(body, TELECOMS):
        if not any(map(str.isdecimal, telecom(value).number)) and "@" not in telecom(value).email:
            yield Offence(location(value), value.get("value"))


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.47.4.1.2.2"))
def alternatives_are_few(body: _Element) -> Iterator[Offence]:
    """Names, addresses and telephone numbers make at most 16 combinations."""
    if len(list(islice(_combinations(body), MAX_ALTERNATIVES + 1))) > MAX_ALTERNATIVES:
        yield Offence(f"{location(body)}/{PARAMETERS}", expected=f"at most {MAX_ALTERNATIVES}")


def alternatives(body: _Element) -> tuple[Criteria, ...]:
    """What is searched, identifiers apart: several names, addresses or numbers are connected with "or"."""
    common = Criteria(birth=searched_birth(body))
    for value in children(body, MOTHERS_NAMES):
        family, given = _searched_name(value)
        common = replace(common, mothers_family=" ".join(family) or None, mothers_given=" ".join(given) or None)
    return tuple(replace(_narrowed(common, *values), sex=sex) for values in _combinations(body) for sex in _sexes(body))


def identified(
    criteria: tuple[Criteria, ...], ids: tuple[InstanceIdentifier, ...], domain: AffinityDomain
) -> tuple[Criteria, ...]:
    """Add the ids, all of which must match; one of no patient identifier domain may be an account identifier."""
    known = [(each, domain.authority(each.hd)) for each in ids]
    patterns = tuple(IdentifierPattern(id=each.extension, authority=found) for each, found in known if found)
    accounts = tuple(CX(each.extension, each.hd) for each, found in known if not found)
    return tuple(replace(each, identifiers=patterns, accounts=accounts) for each in criteria)


def _sexes(body: _Element) -> tuple[str | None, ...]:
    """Each v2 code that the answer would spell like the code asked for: UN is O, A and N."""
    gender = attribute(body, f"{PARAMETERS}/livingSubjectAdministrativeGender/value", "code")
    return tuple(v2 for v3, v2 in GENDERS if v3 == gender) or (None,)


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
    if number is not None:
        written = telecom(number)
        common = replace(common, phone=written.number or None, email=written.email or None)
    return common


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
