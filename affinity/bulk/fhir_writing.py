"""Patients as FHIR R4 Patient resources, one JSON object a line (NDJSON); ``docs/loading.md`` has the mapping."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from affinity.bulk.fhir_tables import (
    ADDRESS_USES,
    ALIAS_USES,
    BIRTH_PLACE,
    CITIZENSHIP,
    IDENTIFIER_TYPES,
    MAILING,
    MARITAL_STATUSES,
    MOTHER,
    NAME_USES,
    NATIONALITY,
    OID,
    OTHER_GENDERS,
    RELIGION,
    ROLES,
    SOURCE,
    SSN,
    TELECOM_USES,
)
from affinity.bulk.json_parts import Resource
from affinity.bulk.line import PatientLine
from pix.model import Address, Coded, Demographics, Identifier, PersonName, Telecom


def write(line: PatientLine) -> str:
    """One line of a file, its end included."""
    return json.dumps(resource(line), ensure_ascii=False, separators=(",", ":")) + "\n"


def resource(line: PatientLine) -> Resource:
    """The Patient resource: what is not known is left out."""
    known = line.demographics
    content = {
        "resourceType": "Patient",
        "meta": {"source": SOURCE + quote(line.source, safe="")} if line.source else None,
        "extension": [*_extensions(known)],
        "identifier": [*map(_identifier, line.identifiers), *_ssn(known)],
        "name": [*_names(known)],
        "telecom": [_telecom(each) for each in (*known.home_phones, *known.business_phones)],
        "gender": OTHER_GENDERS.get(known.sex or ""),
        "birthDate": iso_date(known.birth_time),
        **_death(known),
        "address": [*map(_address, known.addresses)],
        "maritalStatus": _concept(known.marital_status, MARITAL_STATUSES),
        **_birth_order(known),
        "contact": [_mother(each) for each in known.mothers_maiden_names],
        "communication": [{"language": _concept(each)} for each in known.languages],
    }
    return _known(content)


def iso_date(dtm: str | None) -> str | None:
    """The day of a DTM, or the month or year, where no more is known."""
    if not dtm:
        return None
    return "-".join(each for each in (dtm[:4], dtm[4:6], dtm[6:8]) if each)


def _known(content: Resource) -> Resource:
    return {name: value for name, value in content.items() if value not in (None, "", [], {})}


def _identifier(each: Identifier) -> Resource:
    kind = {"coding": [{"system": IDENTIFIER_TYPES, "code": each.type_code}]} if each.type_code else None
    return _known({"type": kind, "system": f"{OID}{each.authority.oid}", "value": each.id})


def _ssn(known: Demographics) -> Iterator[Resource]:
    if known.ssn:
        yield {"system": SSN, "value": known.ssn}


def _names(known: Demographics) -> Iterator[Resource]:
    yield from (_name(each, NAME_USES.get(each.type_code)) for each in known.names)
    yield from (_name(each, ALIAS_USES.get(each.type_code, "old")) for each in known.aliases)


def _name(name: PersonName, use: str | None) -> Resource:
    given = [each for each in (name.given, name.further_given) if each]
    prefix, suffix = ([each] if each else [] for each in (name.prefix, name.suffix))
    return _known({"use": use, "family": name.family, "given": given, "prefix": prefix, "suffix": suffix})


def _mother(name: PersonName) -> Resource:
    relationship = [{"coding": [{"system": ROLES, "code": MOTHER}]}]
    return {"relationship": relationship, "name": _name(name, "maiden")}


def _telecom(each: Telecom) -> Resource:
    use = TELECOM_USES.get((each.use, each.equipment), ("phone", None))
    if each.email:
        return _known({"system": "email", "value": each.email, "use": "work" if each.use == "WPN" else None})
    number = each.number or " ".join(filter(None, (each.country_code, each.area_code, each.local_number)))
    return _known({"system": use[0], "value": number or each.text, "use": use[1]})


def _address(each: Address) -> Resource:
    street = each.street or f"{each.house_number} {each.street_name}".strip()
    return _known(
        {
            "use": ADDRESS_USES.get(each.type_code),
            "type": "postal" if each.type_code == MAILING else None,
            "line": [text for text in (street, each.other_designation) if text],
            "city": each.city,
            "district": each.county,
            "state": each.state,
            "postalCode": each.postal_code,
            "country": each.country,
        }
    )


def _death(known: Demographics) -> Resource:
    if known.death_time:
        return {"deceasedDateTime": iso_date(known.death_time)}
    return {"deceasedBoolean": {"Y": True, "N": False}.get(known.death_indicator or "")}


def _birth_order(known: Demographics) -> Resource:
    if known.birth_order and known.birth_order.isdecimal():
        return {"multipleBirthInteger": int(known.birth_order)}
    return {"multipleBirthBoolean": {"Y": True, "N": False}.get(known.multiple_birth or "")}


def _concept(coded: Coded | None, system: str | None = None) -> Resource | None:
    if coded is None:
        return None
    coding = [_known({"system": system, "code": coded.code})] if coded.code else []
    return _known({"coding": coding, "text": coded.text})


def _extensions(known: Demographics) -> Iterator[Resource]:
    if known.birth_place:
        yield {"url": BIRTH_PLACE, "valueAddress": {"text": known.birth_place}}
    for each in known.citizenships:
        yield _coded_extension(CITIZENSHIP, each)
    if known.nationality:
        yield _coded_extension(NATIONALITY, known.nationality)
    if known.religion:
        yield {"url": RELIGION, "valueCodeableConcept": _concept(known.religion)}


def _coded_extension(url: str, coded: Coded) -> Resource:
    return {"url": url, "extension": [{"url": "code", "valueCodeableConcept": _concept(coded)}]}
