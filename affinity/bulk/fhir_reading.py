"""FHIR R4 Patient resources, one JSON object a line, to what the index takes; ``docs/loading.md`` has the mapping."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from affinity.bulk.fhir_tables import (
    ADDRESS_USES,
    ALIAS_USES,
    BIRTH_PLACE,
    CITIZENSHIP,
    MAILING,
    MOTHER,
    MOTHERS_MAIDEN_NAME,
    NAME_USES,
    NATIONALITY,
    OID,
    RELIGION,
    SEXES,
    SOURCE,
    SSN,
    TELECOMS,
)
from affinity.bulk.json_parts import Resource, boolean, integer, objects, once, part, text, texts
from affinity.bulk.line import PatientLine, Unreadable, identifier
from ihe.datatypes import HD
from ihe.domain import AffinityDomain
from pix.model import Address, Coded, Demographics, Identifier, PersonName, Telecom

NAME_TYPES = {use: code for code, use in NAME_USES.items()}
ALIAS_TYPES = {use: code for code, use in ALIAS_USES.items()}
ADDRESS_TYPES = {use: code for code, use in ADDRESS_USES.items()}
YES = {True: "Y", False: "N"}


def reader(domain: AffinityDomain) -> Callable[[str], PatientLine]:
    """What reads one line of a file; it raises Unreadable."""
    return lambda line: patient(_parse(line), domain)


def patient(resource: Resource, domain: AffinityDomain) -> PatientLine:
    """What a Patient resource says, as far as the index keeps it; Unreadable if it is none."""
    if resource.get("resourceType") != "Patient":
        raise Unreadable("structure", "the resource is no Patient")
    source = text(part(resource, "meta"), "source")
    return PatientLine(
        source=unquote(source.removeprefix(SOURCE)) if source.startswith(SOURCE) else "",
        identifiers=tuple(_identifiers(resource, domain)),
        demographics=demographics(resource),
    )


def demographics(resource: Resource) -> Demographics:
    """The demographics of a Patient resource."""
    names = objects(resource, "name")
    telecoms = objects(resource, "telecom")
    extensions = objects(resource, "extension")
    death_time = dtm(text(resource, "deceasedDateTime"))
    order = integer(resource, "multipleBirthInteger")
    return Demographics(
        names=tuple(_name(each, NAME_TYPES) for each in names if text(each, "use") not in ALIAS_TYPES),
        aliases=tuple(_name(each, ALIAS_TYPES) for each in names if text(each, "use") in ALIAS_TYPES),
        mothers_maiden_names=tuple(_mothers(resource, extensions)),
        birth_time=dtm(text(resource, "birthDate")) or None,
        sex=_sex(text(resource, "gender")),
        addresses=tuple(map(_address, objects(resource, "address"))),
        home_phones=tuple(_telecom(each) for each in telecoms if each.get("use") != "work"),
        business_phones=tuple(_telecom(each) for each in telecoms if each.get("use") == "work"),
        languages=tuple(filter(None, (_coded(part(each, "language")) for each in objects(resource, "communication")))),
        marital_status=_coded(part(resource, "maritalStatus")),
        religion=next(_codes(extensions, RELIGION), None),
        ssn=next((text(each, "value") for each in objects(resource, "identifier") if each.get("system") == SSN), None),
        birth_place=next(_birth_places(extensions), None),
        multiple_birth=_yes(resource, "multipleBirthBoolean") if order is None else "Y",
        birth_order=None if order is None else str(order),
        citizenships=tuple(_codes(extensions, CITIZENSHIP)),
        nationality=next(_codes(extensions, NATIONALITY), None),
        death_time=death_time or None,
        death_indicator="Y" if death_time else _yes(resource, "deceasedBoolean"),
    )


def dtm(date: str) -> str:
    """``1980-05-15`` as DTM. What is no date stays as it is, for a rule to find; the time of day is left out."""
    day = date.partition("T")[0]
    return day.replace("-", "") if len(day) in (4, 7, 10) else day


def _parse(line: str) -> Resource:
    try:
        found = json.loads(line.removeprefix("\ufeff"), object_pairs_hook=once)
        if "\\u" in line:  # half of a surrogate pair is JSON, but no text
            json.dumps(found, ensure_ascii=False).encode()
    except Unreadable:
        raise
    except UnicodeEncodeError:
        raise Unreadable("encoding", "an escape sequence stands for no character") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable("syntax", f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable("structure", "the line holds no JSON object")
    return found


def _identifiers(resource: Resource, domain: AffinityDomain) -> Iterator[Identifier]:
    for each in objects(resource, "identifier"):
        system = text(each, "system")
        if system == SSN:
            continue
        if not system.startswith(OID):
            raise Unreadable("unknown-authority", f"the system of an identifier is {OID}..., not {system or 'empty'}")
        codes = [text(coding, "code") for coding in objects(part(each, "type"), "coding")]
        authority = HD("", system.removeprefix(OID), "ISO")
        yield identifier(domain, text(each, "value"), authority, codes[0] if codes else "")


def _name(name: Resource, types: dict[str, str]) -> PersonName:
    given, prefixes, suffixes = texts(name, "given"), texts(name, "prefix"), texts(name, "suffix")
    return PersonName(
        family=text(name, "family"),
        given=given[0] if given else "",
        further_given=" ".join(given[1:]),
        prefix=" ".join(prefixes),
        suffix=" ".join(suffixes),
        type_code=types.get(text(name, "use"), ""),
    )


def _mothers(resource: Resource, extensions: list[Resource]) -> Iterator[PersonName]:
    found = False
    for contact in objects(resource, "contact"):
        codes = {
            text(coding, "code") for each in objects(contact, "relationship") for coding in objects(each, "coding")
        }
        if MOTHER in codes and part(contact, "name"):
            found = True
            yield _name(part(contact, "name"), NAME_TYPES)
    if not found:
        maiden = (text(each, "valueString") for each in extensions if each.get("url") == MOTHERS_MAIDEN_NAME)
        yield from (PersonName(family=family, type_code="M") for family in maiden if family)


def _sex(gender: str) -> str | None:
    """What is no gender of FHIR stays as it is, for a rule to find."""
    return SEXES.get(gender, gender) or None


def _address(each: Resource) -> Address:
    lines = texts(each, "line")
    postal = MAILING if each.get("type") == "postal" else ""
    return Address(
        street=lines[0] if lines else "",
        other_designation=" ".join(lines[1:]),
        city=text(each, "city"),
        county=text(each, "district"),
        state=text(each, "state"),
        postal_code=text(each, "postalCode"),
        country=text(each, "country"),
        type_code=ADDRESS_TYPES.get(text(each, "use"), postal),
    )


def _telecom(each: Resource) -> Telecom:
    system, use, value = (text(each, name) for name in ("system", "use", "value"))
    if system == "email":
        return Telecom(email=value, use="WPN" if use == "work" else "NET", equipment="Internet")
    code, equipment = TELECOMS.get((system, use), ("", ""))
    return Telecom(number=value, use=code, equipment=equipment)


def _coded(concept: Resource) -> Coded | None:
    codes = [text(each, "code") for each in objects(concept, "coding")]
    found = Coded(code=codes[0] if codes else "", text=text(concept, "text"))
    return found if found.code or found.text else None


def _codes(extensions: list[Resource], url: str) -> Iterator[Coded]:
    for extension in extensions:
        if extension.get("url") != url:
            continue
        inner = [each for each in objects(extension, "extension") if each.get("url") == "code"]
        concepts = (_coded(part(each, "valueCodeableConcept")) for each in (*inner, extension))
        yield from (each for each in concepts if each)


def _birth_places(extensions: list[Resource]) -> Iterator[str]:
    for each in extensions:
        if each.get("url") == BIRTH_PLACE:
            place = part(each, "valueAddress")
            yield text(place, "text") or text(place, "city")


def _yes(resource: Resource, name: str) -> str | None:
    said = boolean(resource, name)
    return None if said is None else YES[said]
