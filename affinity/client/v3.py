"""HL7 v3 queries of the consumers of identifiers and demographics (ITI TF-2: 3.45.4.1.2, 3.47.4.1.2, Appendix O)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml.etree import _Element

from affinity.client.patients import Sought
from ihe.datatypes import CX, HD
from ihe.identifiers import new_oid
from pix.v3_elements import add, message
from soap.xml import serialize

OURSELVES = "2.25.208937453209745398216405318740225186341"
"""The device id of a client that is given no other."""
INTERACTIONS = "2.16.840.1.113883.1.6"
GENDERS: Mapping[str, str] = {"O": "UN", "A": "UN", "N": "UN"}
"""Administrative sex of HL7 table 0001, where AdministrativeGender spells it otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Who sends and who receives, as OIDs of their devices."""

    sender: str = OURSELVES
    receiver: str


def identifiers_query(patient: CX, domains: Iterable[HD], devices: Devices) -> bytes:
    """PRPA_IN201309UV02: which ids do you know for this one."""
    query, act = begin("PRPA_IN201309UV02", devices)
    person = add(add(act, "authorOrPerformer", typeCode="AUT"), "assignedPerson", classCode="ASSIGNED")
    add(person, "id", root=devices.sender)
    asked = _ask(act, {"responsePriorityCode": "I"}, None)
    for each in domains:
        _parameter(asked, "dataSource", "DataSource.id", root=each.universal_id)
    _parameter(asked, "patientIdentifier", "Patient.id", root=patient.authority.universal_id, extension=patient.id)
    return serialize(query)


def demographics_query(
    sought: Sought, devices: Devices, domains: Iterable[HD] = (), quantity: int | None = None
) -> bytes:
    """PRPA_IN201305UV02: who is like this. ``quantity`` limits the patients of one answer."""
    query, act = begin("PRPA_IN201305UV02", devices)
    asked = _ask(act, {"responseModalityCode": "R", "responsePriorityCode": "I"}, quantity)
    _ask_for_person(asked, sought)
    for each in domains:
        _parameter(asked, "otherIDsScopingOrganization", "OtherIDs.scopingOrganization.id", root=each.universal_id)
    _ask_for_contact(asked, sought)
    return serialize(query)


def _ask_for_person(asked: _Element, sought: Sought) -> None:
    """The parameters before the scoping organisations, in the order of the schema."""
    if sought.sex:
        code = GENDERS.get(sought.sex, sought.sex)
        _parameter(asked, "livingSubjectAdministrativeGender", "LivingSubject.administrativeGender", code=code)
    if sought.birth_date:
        _parameter(asked, "livingSubjectBirthTime", "LivingSubject.birthTime", value=sought.birth_date)
    if sought.id:
        root = sought.id.authority.universal_id
        _parameter(asked, "livingSubjectId", "LivingSubject.id", root=root, extension=sought.id.id)
    _parts(asked, "livingSubjectName", "LivingSubject.name", given=sought.given, family=sought.family)
    mother = {"given": sought.mothers_given, "family": sought.mothers_family}
    _parts(asked, "mothersMaidenName", "Person.MothersMaidenName", **mother)


def _ask_for_contact(asked: _Element, sought: Sought) -> None:
    """The parameters after them."""
    address = {
        "streetAddressLine": sought.street,
        "city": sought.city,
        "state": sought.state,
        "postalCode": sought.postal_code,
        "country": sought.country,
    }
    _parts(asked, "patientAddress", "Patient.addr", **address)
    if sought.phone:
        _parameter(asked, "patientTelecom", "Patient.telecom", value=f"tel:{sought.phone}")


def begin(interaction: str, devices: Devices) -> tuple[_Element, _Element]:
    """Begin a message: its wrapper, and the control act, to be filled."""
    query = message(interaction)
    add(query, "id", root=new_oid())
    add(query, "creationTime", value=datetime.now(UTC).strftime("%Y%m%d%H%M%S"))
    add(query, "interactionId", root=INTERACTIONS, extension=interaction)
    for name, code in (("processingCode", "P"), ("processingModeCode", "T"), ("acceptAckCode", "AL")):
        add(query, name, code=code)
    for role, type_code, device in (("receiver", "RCV", devices.receiver), ("sender", "SND", devices.sender)):
        party = add(query, role, typeCode=type_code)
        add(add(party, "device", classCode="DEV", determinerCode="INSTANCE"), "id", root=device)
    act = add(query, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "code", code=interaction.replace("_IN", "_TE"), codeSystem=INTERACTIONS)
    return query, act


def _ask(act: _Element, codes: Mapping[str, str], quantity: int | None) -> _Element:
    """The query; returns its list of parameters."""
    query = add(act, "queryByParameter")
    add(query, "queryId", root=new_oid())
    add(query, "statusCode", code="new")
    for name, code in codes.items():
        add(query, name, code=code)
    if quantity is not None:
        add(query, "initialQuantity", value=str(quantity))
    return add(query, "parameterList")


def _parameter(asked: _Element, name: str, meaning: str, **value: str) -> None:
    parameter = add(asked, name)
    add(parameter, "value", **value)
    add(parameter, "semanticsText", meaning)


def _parts(asked: _Element, name: str, meaning: str, **parts: str) -> None:
    given = {part: text for part, text in parts.items() if text}
    if given:
        parameter = add(asked, name)
        value = add(parameter, "value")
        for part, text in given.items():
            add(value, part, text)
        add(parameter, "semanticsText", meaning)
