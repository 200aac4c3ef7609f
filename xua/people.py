"""The invented people for whom the development STS vouches, one for each demo role."""

from dataclasses import dataclass
from enum import StrEnum

from ihe.datatypes import Code

DEMO_ROLES = "2.25.185014298127404816031548209217553690417"
"""Code system of the five demo roles."""
ACT_REASON = "2.16.840.1.113883.5.8"
"""HL7 ActReason, which holds the purposes of use."""

TREATMENT = Code("TREAT", ACT_REASON, "treatment")
EMERGENCY = Code("ETREAT", ACT_REASON, "emergency treatment")
PATIENT_REQUESTED = Code("PATRQT", ACT_REASON, "patient requested")


class DemoRole(StrEnum):
    """In which capacity a demo person acts; the value is the role's code."""

    REFERRING_DOCTOR = "referring-doctor"
    TREATING_DOCTOR = "treating-doctor"
    LABORATORY = "laboratory"
    NURSE = "nurse"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who does not exist. ``npi`` is None for those who are no health care providers."""

    name_id: str
    name: str
    role: Code
    organization: str
    organization_id: str
    purpose_of_use: Code = TREATMENT
    npi: str | None = None


def _code(role: DemoRole, display: str) -> Code:
    return Code(role.value, DEMO_ROLES, display)


PEOPLE = {
    DemoRole.REFERRING_DOCTOR: Person(
        name_id="adele.ternoir",
        name="Dr Adèle Ternoir",
        role=_code(DemoRole.REFERRING_DOCTOR, "Referring doctor"),
        organization="Cabinet médical Ternoir",
        organization_id="urn:oid:2.25.185014298127404816031548209217553690418",
        npi="90000011",
    ),
    DemoRole.TREATING_DOCTOR: Person(
        name_id="joris.wampach",
        name="Dr Joris Wampach-Elbling",
        role=_code(DemoRole.TREATING_DOCTOR, "Treating doctor"),
        organization="Hôpital du Plateau",
        organization_id="urn:oid:2.25.185014298127404816031548209217553690419",
        npi="90000022",
    ),
    DemoRole.LABORATORY: Person(
        name_id="mila.okonska",
        name="Mila Okonska",
        role=_code(DemoRole.LABORATORY, "Laboratory specialist"),
        organization="Laboratoire des Trois Ponts",
        organization_id="urn:oid:2.25.185014298127404816031548209217553690420",
        npi="90000033",
    ),
    DemoRole.NURSE: Person(
        name_id="tom.scholtes-ruppert",
        name="Tom Scholtes-Ruppert",
        role=_code(DemoRole.NURSE, "Nurse"),
        organization="Hôpital du Plateau",
        organization_id="urn:oid:2.25.185014298127404816031548209217553690419",
    ),
    DemoRole.PATIENT: Person(
        name_id="lea.brandebourg",
        name="Léa Brandebourg",
        role=_code(DemoRole.PATIENT, "Patient"),
        organization="Portail du patient",
        organization_id="urn:oid:2.25.185014298127404816031548209217553690421",
        purpose_of_use=PATIENT_REQUESTED,
    ),
}
