"""What came back over HL7 v3: PRPA_IN201306UV02 and PRPA_IN201310UV02 (ITI TF-2: 3.47.4.2.2, 3.45.4.2.2)."""

from lxml.etree import _Element

from affinity.client.patients import Found, Patient, Remark
from ihe.datatypes import CX, HD
from pix.v3_demographics import demographics
from pix.v3_elements import attribute, child, children, words


def found(answer: _Element) -> Found:
    """Read the answer to either query."""
    act = child(answer, "controlActProcess")
    remaining = attribute(act, "queryAck/resultRemainingQuantity")
    return Found(
        code=attribute(answer, "acknowledgement/typeCode", "code") or "",
        outcome=attribute(act, "queryAck/queryResponseCode", "code") or "",
        patients=tuple(map(_patient, children(act, "subject/registrationEvent/subject1/patient"))),
        remarks=tuple(map(_remark, children(answer, "acknowledgement/acknowledgementDetail"))),
        remaining=int(remaining) if remaining and remaining.isdecimal() else None,
    )


def _patient(element: _Element) -> Patient:
    known = demographics(element)
    # "The Consumer shall consider the identifiers from both places as equivalently valid" (ITI TF-2: 3.47.4.2.3).
    ids = (*children(element, "id"), *children(element, "patientPerson/asOtherIDs/id"))
    name = next(iter(known.names), None)
    address = next(iter(known.addresses), None)
    return Patient(
        identifiers=tuple(_identifier(each) for each in ids if each.get("extension")),
        family=name.family if name else "",
        given=name.given if name else "",
        birth_date=known.birth_time or "",
        sex=known.sex or "",
        city=address.city if address else "",
    )


def _identifier(id: _Element) -> CX:
    authority = HD(id.get("assigningAuthorityName", ""), id.get("root", ""), "ISO")
    return CX(id.get("extension", ""), authority)


def _remark(detail: _Element) -> Remark:
    return Remark(
        code=attribute(detail, "code", "code") or "",
        location="; ".join(map(words, children(detail, "location"))),
        severity=detail.get("typeCode", "E"),
        text=" ".join(map(words, children(detail, "text"))),
    )
