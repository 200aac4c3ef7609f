"""The person of an HL7 v3 patient as Demographics, both ways (ITI TF-2: Table 3.44.4.1.2.2-1, R.2)."""

from collections.abc import Callable

from lxml.etree import _Element

from pix.model import Coded, Demographics, PersonName
from pix.v3_datatypes import (
    add_address,
    add_coded,
    add_person_name,
    add_telecom,
    address,
    coded,
    is_business,
    person_name,
    telecom,
    to_v2,
    to_v3,
)
from pix.v3_elements import (
    InstanceIdentifier,
    add,
    attribute,
    child,
    children,
    instance_identifiers,
    time_stamp,
    words,
)

GENDERS = (("M", "M"), ("F", "F"), ("UN", "O"), ("UN", "A"), ("UN", "N"))
"""AdministrativeGender and HL7 table 0001; U, unknown, is a null in v3."""
SSN = "2.16.840.1.113883.4.1"
DRIVERS_LICENSES = "2.16.840.1.113883.4.3."
MOTHER = ("MTH", "NMTH", "2.16.840.1.113883.5.111")


def demographics(patient: _Element) -> Demographics:
    """Read a patient element. What it does not say stays None or empty."""
    person = child(patient, "patientPerson")
    numbers = children(person, "telecom") + children(patient, "telecom")
    return Demographics(
        names=_names(person),
        mothers_maiden_names=tuple(name for mother in _mothers(person) for name in _names(mother)),
        birth_time=_time(person, "birthTime"),
        sex=to_v2(GENDERS, attribute(person, "administrativeGenderCode", "code") or "") or None,
        races=_codes(person, "raceCode"),
        addresses=tuple(map(address, children(person, "addr") + children(patient, "addr"))),
        home_phones=tuple(telecom(each) for each in numbers if not is_business(each)),
        business_phones=tuple(telecom(each) for each in numbers if is_business(each)),
        languages=_codes(person, "languageCommunication/languageCode"),
        marital_status=next(iter(_codes(person, "maritalStatusCode")), None),
        religion=next(iter(_codes(person, "religiousAffiliationCode")), None),
        ssn=_first_id(patient, lambda each: each.root == SSN),
        drivers_license=_first_id(patient, is_drivers_license),
        ethnic_groups=_codes(person, "ethnicGroupCode"),
        birth_place=_birth_place(person),
        multiple_birth=_yes_or_no(person, "multipleBirthInd"),
        birth_order=attribute(person, "multipleBirthOrderNumber"),
        citizenships=_codes(person, "asCitizen/politicalNation/code"),
        death_time=_time(person, "deceasedTime"),
        death_indicator=_yes_or_no(person, "deceasedInd"),
    )


def other_ids(patient: _Element) -> tuple[InstanceIdentifier, ...]:
    """The ids of other roles of the person (ITI TF-2: E.2, rule 4)."""
    return instance_identifiers(patient, "patientPerson/asOtherIDs/id")


def is_drivers_license(identifier: InstanceIdentifier) -> bool:
    """Claim that an id is of one of the arcs below which HL7 registers issuers of driver's licences."""
    return identifier.root.startswith(DRIVERS_LICENSES)


def _first_id(patient: _Element, wanted: Callable[[InstanceIdentifier], bool]) -> str | None:
    return next((each.extension for each in other_ids(patient) if wanted(each)), None)


def add_person(patient: _Element, known: Demographics, without_id: tuple[str, ...] = ()) -> None:
    """Append the patientPerson of an answer, in the order of the schema.

    ``without_id`` are the OIDs of requested domains in which the person has no id.
    """
    person = add(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE")
    add_names(person, (*known.names, *known.aliases))
    for number in (*known.home_phones, *known.business_phones):
        add_telecom(person, number)
    _add_vital_data(person, known)
    for each in known.addresses:
        add_address(person, each)
    for name, code in (("maritalStatusCode", known.marital_status), ("religiousAffiliationCode", known.religion)):
        if code:
            add_coded(person, name, code)
    for name, codes in (("raceCode", known.races), ("ethnicGroupCode", known.ethnic_groups)):
        for code in codes:
            add_coded(person, name, code)
    _add_roles(person, known, without_id)


def add_names(person: _Element, names: tuple[PersonName, ...]) -> None:
    """Append the names; a person must have one, so nobody's is a null."""
    for name in names:
        add_person_name(person, name)
    if not names:
        add(person, "name", nullFlavor="NA")


def _names(person: _Element | None) -> tuple[PersonName, ...]:
    found = map(person_name, children(person, "name"))
    return tuple(name for name in found if name != PersonName(type_code=name.type_code))


def _time(person: _Element | None, name: str) -> str | None:
    value = attribute(person, name)
    return time_stamp(value) if value else None


def _mothers(person: _Element | None) -> list[_Element]:
    relations = children(person, "personalRelationship")
    mothers = [each for each in relations if attribute(each, "code", "code") in MOTHER[:2]]
    return [holder for mother in mothers for holder in children(mother, "relationshipHolder1")]


def _birth_place(person: _Element | None) -> str | None:
    place = child(person, "birthPlace/birthplace/name")
    if place is not None and words(place):
        return words(place)
    written = child(person, "birthPlace/addr")
    return words(written) or None if written is not None else None


def _codes(person: _Element | None, path: str) -> tuple[Coded, ...]:
    return tuple(code for code in map(coded, children(person, path)) if code != Coded())


def _yes_or_no(person: _Element | None, path: str) -> str | None:
    return {"true": "Y", "false": "N"}.get(attribute(person, path) or "")


def _add_vital_data(person: _Element, known: Demographics) -> None:
    if gender := to_v3(GENDERS, known.sex or ""):
        add(person, "administrativeGenderCode", code=gender, codeSystem="2.16.840.1.113883.5.1")
    elif known.sex:
        add(person, "administrativeGenderCode", nullFlavor="UNK")
    true_or_false = {"Y": "true", "N": "false"}
    for name, value in (
        ("birthTime", known.birth_time),
        ("deceasedInd", true_or_false.get(known.death_indicator or "")),
        ("deceasedTime", known.death_time),
        ("multipleBirthInd", true_or_false.get(known.multiple_birth or "")),
        ("multipleBirthOrderNumber", known.birth_order if (known.birth_order or "").isdecimal() else None),
    ):
        if value:
            add(person, name, value=value)


def _add_roles(person: _Element, known: Demographics, without_id: tuple[str, ...]) -> None:
    for nation in known.citizenships:
        citizen = add(person, "asCitizen", classCode="CIT")
        add_coded(add(citizen, "politicalNation", classCode="NAT", determinerCode="INSTANCE"), "code", nation)
    if known.ssn:
        _add_other_id(person, known.ssn, SSN, "CIT")
    for domain in without_id:
        _add_other_id(person, "", domain, "PAT")
    for name in known.mothers_maiden_names:
        relation = add(person, "personalRelationship", classCode="PRS")
        add(relation, "code", code=MOTHER[0], codeSystem=MOTHER[2])
        add_person_name(add(relation, "relationshipHolder1", classCode="PSN", determinerCode="INSTANCE"), name)
    if known.birth_place:
        role = add(person, "birthPlace", classCode="BIRTHPL")
        place = add(role, "birthplace", classCode="PLC", determinerCode="INSTANCE")
        add(place, "name", known.birth_place)
    for language in known.languages:
        add_coded(add(person, "languageCommunication"), "languageCode", language)


def _add_other_id(person: _Element, extension: str, domain: str, role: str) -> None:
    """An empty id is a null that says that ``domain`` has none (ITI TF-2: 3.47.4.2.3, case 2)."""
    other = add(person, "asOtherIDs", classCode=role)
    if extension:
        add(other, "id", root=domain, extension=extension)
    else:
        add(other, "id", nullFlavor="UNK")
    organization = add(other, "scopingOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(organization, "id", root=domain)
