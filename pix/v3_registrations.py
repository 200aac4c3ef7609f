"""The payload of ITI-44: a registration event with one patient, or with a patient that replaces another."""

from collections.abc import Iterator

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.datatypes import is_time
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.partners import Forgive, Quirk
from ihe.rules import Offence, rule
from pix.identification import as_warning, foreign_source, may_feed, unknown_authority
from pix.model import Identifier
from pix.v3_demographics import GENDERS
from pix.v3_elements import (
    InstanceIdentifier,
    attribute,
    child,
    children,
    instance_identifiers,
    location,
    time_stamp,
)
from pix.v3_roles import SSN, is_drivers_license, other_ids

EVENT = "controlActProcess/subject/registrationEvent"
PATIENT = f"{EVENT}/subject1/patient"
PRIOR = f"{EVENT}/replacementOf/priorRegistration"
PRIOR_ID = f"{PRIOR}/subject1/priorRegisteredRole/id"


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("3.44.4.1.2"))
def message_is_about_one_patient(body: _Element) -> Iterator[Offence]:
    """A message registers exactly one patient; send one message for each."""
    for path in ("controlActProcess/subject", PATIENT):
        if len(found := children(body, path)) != 1:
            yield Offence(f"{location(body)}/{path}", f"{len(found)}", "1")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.44.4.1.2.3-1"))
def registration_and_patient_are_active(body: _Element) -> Iterator[Offence]:
    """The status of the registration event and of the patient is active."""
    for path in (f"{EVENT}/statusCode", f"{PATIENT}/statusCode"):
        if (status := attribute(body, path, "code")) != "active":
            yield Offence(f"{location(body)}/{path}", status, "active")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table 3.44.4.1.2.2-1"))
def patient_has_an_id(body: _Element) -> Iterator[Offence]:
    """A patient has at least one id that is not null."""
    if not instance_identifiers(body, f"{PATIENT}/id"):
        yield Offence(f"{location(body)}/{PATIENT}/id")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table E.2.2-1"))
def patient_ids_have_root_and_extension(body: _Element) -> Iterator[Offence]:
    """A patient id has an ISO OID as root and an extension; assigningAuthorityName has no computational value."""
    for path in (f"{PATIENT}/id", f"{PATIENT}/patientPerson/asOtherIDs/id"):
        for each in instance_identifiers(body, path):
            if not each.is_patient_id:
                yield Offence(each.location, str(each), "root and extension")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.44.4.1.2.1"))
def other_ids_are_of_their_scoping_organization(body: _Element) -> Iterator[Offence]:
    """OtherIDs.id.root is identical to scopingOrganization.id.root, which has no extension."""
    for role in children(body, f"{PATIENT}/patientPerson/asOtherIDs"):
        scope = attribute(role, "scopingOrganization/id", "root")
        for each in instance_identifiers(role, "id"):
            if each.root != scope:
                yield Offence(each.location, each.root, scope)
        for each in instance_identifiers(role, "scopingOrganization/id"):
            if each.extension:
                yield Offence(each.location, str(each), each.root)


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table 3.44.4.1.2.2-1"))
def times_of_birth_and_death_are_times(body: _Element) -> Iterator[Offence]:
    """birthTime and deceasedTime are YYYY[MM[DD[hh[mm[ss]]]]], of a day that exists."""
    for name in ("birthTime", "deceasedTime"):
        element = child(body, f"{PATIENT}/patientPerson/{name}")
        if element is not None and not is_time(time_stamp(element.get("value", ""))):
            yield Offence(location(element), element.get("value", ""))


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table 3.44.4.1.2.2-1"))
def birth_and_death_are_told_in_their_types(body: _Element) -> Iterator[Offence]:
    """deceasedInd and multipleBirthInd are true or false, multipleBirthOrderNumber is a number."""
    for name in ("deceasedInd", "multipleBirthInd", "multipleBirthOrderNumber"):
        for element in children(body, f"{PATIENT}/patientPerson/{name}"):
            value = element.get("value", "")
            number = name.endswith("Number")
            if not (value.isascii() and value.isdecimal() if number else value in ("true", "false")):
                yield Offence(location(element), value, "a number" if number else "true or false")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.44.4.1.2.2-1"))
def gender_is_of_the_vocabulary(body: _Element) -> Iterator[Offence]:
    """administrativeGenderCode is M, F or UN."""
    element = child(body, f"{PATIENT}/patientPerson/administrativeGenderCode")
    if element is not None and element.get("code") not in dict(GENDERS):
        yield Offence(location(element), element.get("code"), "M, F or UN")


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("Table 3.44.4.1.2.3-1"))
def nothing_is_replaced(body: _Element) -> Iterator[Offence]:
    """An added or revised record replaces no other; duplicates are resolved by PRPA_IN201304UV02."""
    for element in children(body, f"{EVENT}/replacementOf"):
        yield Offence(location(element))


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("Table 3.44.4.2.2.2-1"))
def one_obsolete_id_is_replaced(body: _Element) -> Iterator[Offence]:
    """Exactly one registration is replaced; it is obsolete and has a single id, the subsumed one."""
    if len(found := children(body, PRIOR)) != 1:
        yield Offence(f"{location(body)}/{PRIOR}", f"{len(found)}", "1")
    if (status := attribute(body, f"{PRIOR}/statusCode", "code")) != "obsolete":
        yield Offence(f"{location(body)}/{PRIOR}/statusCode", status, "obsolete")
    subsumed = instance_identifiers(body, PRIOR_ID)
    if len(subsumed) != 1:
        yield Offence(f"{location(body)}/{PRIOR_ID}", f"{len(subsumed)}", "1")
    for each in subsumed:
        if not each.is_patient_id:
            yield Offence(each.location, str(each), "root and extension")


@rule(HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER, tf2("3.44.4.2.1"))
def one_surviving_id_is_of_the_subsumed_ids_domain(body: _Element) -> Iterator[Offence]:
    """A merge is "within a specific Patient Identification Domain", in which just one id of the patient survives."""
    subsumed = {each.root for each in instance_identifiers(body, PRIOR_ID)}
    surviving = [each for each in instance_identifiers(body, f"{PATIENT}/id") if each.root in subsumed]
    for each in surviving[1:]:
        if each.extension != surviving[0].extension:
            yield Offence(each.location, str(each), str(surviving[0]))


PATIENT_RULES = (
    registration_and_patient_are_active,
    patient_has_an_id,
    patient_ids_have_root_and_extension,
    other_ids_are_of_their_scoping_organization,
)
RECORD_RULES = (
    *PATIENT_RULES,
    times_of_birth_and_death_are_times,
    birth_and_death_are_told_in_their_types,
    gender_is_of_the_vocabulary,
    nothing_is_replaced,
)
DUPLICATE_RULES = (*PATIENT_RULES, one_obsolete_id_is_replaced, one_surviving_id_is_of_the_subsumed_ids_domain)


def patient_ids(patient: _Element) -> tuple[InstanceIdentifier, ...]:
    """Every id of the person, whatever the role (ITI TF-2: E.2, rule 4), without SSN and driver's licence."""
    others = (each for each in other_ids(patient) if each.root != SSN and not is_drivers_license(each))
    return (*instance_identifiers(patient, "id"), *others)


class FedIdentifiers:
    """The ids of one message against the domain and its sources (ITI TF-2: 3.44.4.1.1, 3.44.4.1.3).

    Quirk *foreign-ids*: ids that are unknown here or not this sender's are left out where that is forgiven, with a
    warning, if others remain.
    """

    def __init__(self, domain: AffinityDomain, source: str, forgive: Forgive) -> None:
        self._domain = domain
        self._source = source
        self._forgive = forgive
        self.warnings: tuple[Breach, ...] = ()

    def read(self, written: tuple[InstanceIdentifier, ...]) -> tuple[Identifier, ...]:
        """The identifiers, each once. Raises Rejected with a breach for every one that cannot be taken."""
        breaches, found = [], []
        for each in written:
            authority = self._domain.authority(each.hd)
            if authority is None:
                breaches.append(_unknown_authority(self._domain, each))
            elif not may_feed(authority, self._source):
                breaches.append(foreign_source(authority, self._source, each.location))
            else:
                found.append(Identifier(authority=authority, id=each.extension, location=each.location))
        if breaches and not (found and self._forgive(Quirk.FOREIGN_IDS)):
            raise Rejected(*breaches)
        self.warnings += tuple(map(as_warning, breaches))
        return tuple(dict.fromkeys(found))


def unknown_authorities(domain: AffinityDomain, written: tuple[InstanceIdentifier, ...]) -> tuple[Breach, ...]:
    """A breach for each id or requested domain whose authority is unknown here."""
    return tuple(_unknown_authority(domain, each) for each in written if domain.authority(each.hd) is None)


def authorities(domain: AffinityDomain, written: tuple[InstanceIdentifier, ...]) -> tuple[AssigningAuthority, ...]:
    """The authority of each id or requested domain. Raises Rejected with a breach for each that is unknown here."""
    if breaches := unknown_authorities(domain, written):
        raise Rejected(*breaches)
    found = (domain.authority(each.hd) for each in written)
    return tuple(authority for authority in found if authority is not None)


def _unknown_authority(domain: AffinityDomain, written: InstanceIdentifier) -> Breach:
    return unknown_authority(domain, written.hd, written.location, tf2("E.2"))
