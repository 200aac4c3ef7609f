"""The person of an HL7 v3 patient as Demographics, both ways (ITI TF-2: Table 3.44.4.1.2.2-1, R.2)."""

from collections.abc import Callable

from lxml.etree import _Element

from pix.model import Coded, Demographics, Identifier, PersonName
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
from pix.v3_elements import InstanceIdentifier, add, attribute, child, children, time_stamp, words, written_time
from pix.v3_roles import SSN, add_mother, add_other_ids, is_drivers_license, mothers, mothers_identifiers, other_ids

GENDERS = (("M", "M"), ("F", "F"), ("UN", "O"), ("UN", "A"), ("UN", "N"))
"""AdministrativeGender and HL7 table 0001; U, unknown, is a null in v3."""


def demographics(patient: _Element) -> Demographics:
    """Read a patient element. What it does not say stays None or empty."""
    person = child(patient, "patientPerson")
    numbers = children(person, "telecom") + children(patient, "telecom")
    return Demographics(
        names=_names(person),
        mothers_maiden_names=tuple(name for mother in mothers(person) for name in _names(mother)),
        birth_time=_time(person, "birthTime"),
        sex=to_v2(GENDERS, attribute(person, "administrativeGenderCode", "code") or "") or None,
        races=_codes(person, "raceCode"),
        addresses=tuple(map(address, children(person, "addr") + children(patient, "addr"))),
        home_phones=tuple(telecom(each) for each in numbers if not is_business(each)),
        business_phones=tuple(telecom(each) for each in numbers if is_business(each)),
        languages=_languages(person),
        marital_status=next(iter(_codes(person, "maritalStatusCode")), None),
        religion=next(iter(_codes(person, "religiousAffiliationCode")), None),
        ssn=_first_id(patient, lambda each: each.root == SSN),
        drivers_license=_first_id(patient, is_drivers_license),
        mothers_identifiers=mothers_identifiers(person),
        ethnic_groups=_codes(person, "ethnicGroupCode"),
        birth_place=_birth_place(person),
        multiple_birth=_yes_or_no(person, "multipleBirthInd"),
        birth_order=attribute(person, "multipleBirthOrderNumber"),
        citizenships=_codes(person, "asCitizen/politicalNation/code"),
        death_time=_time(person, "deceasedTime"),
        death_indicator=_yes_or_no(person, "deceasedInd"),
    )


def _first_id(patient: _Element, wanted: Callable[[InstanceIdentifier], bool]) -> str | None:
    return next((each.extension for each in other_ids(patient) if wanted(each)), None)


def add_person(
    patient: _Element, known: Demographics, without_id: tuple[str, ...] = (), others: tuple[Identifier, ...] = ()
) -> None:
    """Append the patientPerson of an answer, in the order of the schema.

    ``without_id`` are the OIDs of requested domains in which the person has no id, ``others`` the ids of OtherIDs.
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
    _add_roles(person, known, without_id, others)


def add_names(person: _Element, names: tuple[PersonName, ...]) -> None:
    """Append the names; a person must have one, so nobody's is a null."""
    for name in names:
        add_person_name(person, name)
    if not names:
        add(person, "name", nullFlavor="NA")


def _names(person: _Element | None) -> tuple[PersonName, ...]:
    """Every name; those with an end of validity come last, so that the first is one that the person bears."""
    borne_first = sorted(children(person, "name"), key=lambda each: child(each, "validTime/high") is not None)
    found = map(person_name, borne_first)
    return tuple(name for name in found if name != PersonName(type_code=name.type_code))


def _time(person: _Element | None, name: str) -> str | None:
    value = attribute(person, name)
    return time_stamp(value) if value else None


def _birth_place(person: _Element | None) -> str | None:
    place = child(person, "birthPlace/birthplace/name")
    if place is not None and words(place):
        return words(place)
    written = child(person, "birthPlace/addr")
    return words(written) or None if written is not None else None


def _codes(person: _Element | None, path: str) -> tuple[Coded, ...]:
    return tuple(code for code in map(coded, children(person, path)) if code != Coded())


def _languages(person: _Element | None) -> tuple[Coded, ...]:
    """The preferred ones first: PID-15 is the primary language."""
    spoken = children(person, "languageCommunication")
    preferred_first = sorted(spoken, key=lambda each: attribute(each, "preferenceInd") != "true")
    return tuple(code for each in preferred_first for code in _codes(each, "languageCode"))


def _yes_or_no(person: _Element | None, path: str) -> str | None:
    return {"true": "Y", "false": "N"}.get(attribute(person, path) or "")


def _add_vital_data(person: _Element, known: Demographics) -> None:
    if gender := to_v3(GENDERS, known.sex or ""):
        add(person, "administrativeGenderCode", code=gender, codeSystem="2.16.840.1.113883.5.1")
    elif known.sex:
        add(person, "administrativeGenderCode", nullFlavor="UNK")
    true_or_false = {"Y": "true", "N": "false"}
    for name, value in (
        ("birthTime", known.birth_time and written_time(known.birth_time)),
        ("deceasedInd", true_or_false.get(known.death_indicator or "")),
        ("deceasedTime", known.death_time and written_time(known.death_time)),
        ("multipleBirthInd", true_or_false.get(known.multiple_birth or "")),
        ("multipleBirthOrderNumber", known.birth_order if (known.birth_order or "").isdecimal() else None),
    ):
        if value:
            add(person, name, value=value)


def _add_roles(
    person: _Element, known: Demographics, without_id: tuple[str, ...], others: tuple[Identifier, ...]
) -> None:
    for nation in known.citizenships:
        citizen = add(person, "asCitizen", classCode="CIT")
        add_coded(add(citizen, "politicalNation", classCode="NAT", determinerCode="INSTANCE"), "code", nation)
    add_other_ids(person, others, known.ssn, without_id)
    add_mother(person, known.mothers_maiden_names, known.mothers_identifiers)
    if known.birth_place:
        role = add(person, "birthPlace", classCode="BIRTHPL")
        place = add(role, "birthplace", classCode="PLC", determinerCode="INSTANCE")
        add(place, "name", known.birth_place)
    for language in known.languages:
        add_coded(add(person, "languageCommunication"), "languageCode", language)
