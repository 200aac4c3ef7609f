"""What the tables of each interaction ask of its wrappers, beyond what a node insists on (ITI TF-2: O.1, O.2).

IHE's own examples break some of it (processingModeCode), so that a node does not refuse a message for it.
"""

from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element

from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.v3_elements import NAMESPACE, attribute, child, children, location

STRUCTURAL = (
    ("sender", "typeCode", "SND"),
    ("receiver", "typeCode", "RCV"),
    ("sender/device", "classCode", "DEV"),
    ("receiver/device", "classCode", "DEV"),
    ("sender/device", "determinerCode", "INSTANCE"),
    ("receiver/device", "determinerCode", "INSTANCE"),
    ("controlActProcess", "classCode", "CACT"),
    ("controlActProcess/subject/registrationEvent/subject1", "typeCode", "SBJ"),
    ("controlActProcess/subject/registrationEvent/custodian", "typeCode", "CST"),
    ("controlActProcess/subject/registrationEvent/subject1/patient/patientPerson", "determinerCode", "INSTANCE"),
)
"""What the models of IHE fix, and the schemas leave to a vocabulary (ITI TF-2: Tables O.1.1-1, O.2.1-1)."""


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.1.1-1"))
def structural_codes_are_those_of_the_model(body: _Element) -> Iterator[Offence]:
    """The structural codes of the wrappers are those that the model fixes, as RCV of the receiver."""
    for path, name, expected in STRUCTURAL:
        for each in children(body, path):
            if (code := each.get(name, expected)) != expected:
                yield Offence(f"{location(each)}/@{name}", code, expected)


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.44.4.1.2.3-1"))
def message_is_of_current_processing(body: _Element) -> Iterator[Offence]:
    """processingModeCode is T, current processing."""
    if (code := attribute(body, "processingModeCode", "code")) != "T":
        yield Offence(f"{location(body)}/processingModeCode", code, "T")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.44.4.1.2.3-1"))
def request_asks_for_an_acknowledgement(body: _Element) -> Iterator[Offence]:
    """acceptAckCode of a request is AL: it is always answered."""
    if (code := attribute(body, "acceptAckCode", "code")) != "AL":
        yield Offence(f"{location(body)}/acceptAckCode", code, "AL")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("O.1.2"))
def answer_asks_for_no_acknowledgement(body: _Element) -> Iterator[Offence]:
    """acceptAckCode of an answer is NE: an acknowledgement is not acknowledged."""
    if (code := attribute(body, "acceptAckCode", "code")) != "NE":
        yield Offence(f"{location(body)}/acceptAckCode", code, "NE")


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("O.1.2"))
def answer_has_one_acknowledgement(body: _Element) -> Iterator[Offence]:
    """An answer has an acknowledgement, and one only."""
    if len(found := children(body, "acknowledgement")) != 1:
        yield Offence(f"{location(body)}/acknowledgement", str(len(found)), "1")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.1.2-1"))
def accept_acknowledgement_is_of_its_kind(body: _Element) -> Iterator[Offence]:
    """The typeCode of an accept acknowledgement is CA, CE or CR."""
    yield from _other_codes(body, ("CA", "CE", "CR"))


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.1.3-1"))
def application_acknowledgement_is_of_its_kind(body: _Element) -> Iterator[Offence]:
    """The typeCode of the acknowledgement in an answer to a query is AA, AE or AR."""
    yield from _other_codes(body, ("AA", "AE", "AR"))


def _other_codes(body: _Element, allowed: tuple[str, ...]) -> Iterator[Offence]:
    for each in children(body, "acknowledgement/typeCode"):
        if each.get("code") not in allowed:
            yield Offence(location(each), each.get("code"), " ".join(allowed))


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table O.1.2-1"))
def answer_names_its_message(body: _Element) -> Iterator[Offence]:
    """targetMessage.id is the id of the message that is answered, a null if that had none."""
    for each in children(body, "acknowledgement"):
        target = each.find(f"{{{NAMESPACE}}}targetMessage/{{{NAMESPACE}}}id")
        if target is None or not (target.get("root") or target.get("nullFlavor")):
            yield Offence(f"{location(each)}/targetMessage/id")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table O.1.2-1"))
def details_are_located_by_xpath(body: _Element) -> Iterator[Offence]:
    """The location of an acknowledgementDetail is recommended to be an XPath."""
    for each in children(body, "acknowledgement/acknowledgementDetail/location"):
        if not _is_xpath(each.text or ""):
            yield Offence(location(each), each.text, "an XPath of the message that is answered")


def _is_xpath(text: str) -> bool:
    try:
        etree.XPath(text)
    except etree.XPathSyntaxError:
        return False
    return True


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.2.1-1"))
def subjects_conduct_no_context(body: _Element) -> Iterator[Offence]:
    """contextConductionInd of the subject of a control act is false, as it is where it is not written."""
    for each in children(body, "controlActProcess/subject"):
        if (indicator := each.get("contextConductionInd", "false")) != "false":
            yield Offence(f"{location(each)}/@contextConductionInd", indicator, "false")


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("Table O.2.1-1"))
def custodian_is_an_organization_or_a_device(body: _Element) -> Iterator[Offence]:
    """The custodian of a registration is an organization or a device."""
    for each in children(body, "controlActProcess/subject/registrationEvent/custodian/assignedEntity"):
        if child(each, "assignedPerson") is not None:
            yield Offence(f"{location(each)}/assignedPerson", "a person", "assignedOrganization or assignedDevice")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.2.1-1"))
def registration_and_its_author_are_of_one_time(body: _Element) -> Iterator[Offence]:
    """effectiveTime of a registration is the time of its author, where either is valued."""
    for each in children(body, "controlActProcess/subject/registrationEvent"):
        times = [attribute(each, path, "value") for path in ("effectiveTime", "author/time")]
        if children(each, "author") and times[0] != times[1]:
            yield Offence(f"{location(each)}/author/time", times[1], times[0])


EVERY_REQUEST = (
    structural_codes_are_those_of_the_model,
    message_is_of_current_processing,
    request_asks_for_an_acknowledgement,
)
EVERY_ANSWER = (
    structural_codes_are_those_of_the_model,
    message_is_of_current_processing,
    answer_asks_for_no_acknowledgement,
    answer_has_one_acknowledgement,
    answer_names_its_message,
)
ADVICE = (details_are_located_by_xpath,)
"""What the text recommends."""
REGISTRATIONS = (
    subjects_conduct_no_context,
    custodian_is_an_organization_or_a_device,
    registration_and_its_author_are_of_one_time,
)
