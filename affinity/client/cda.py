"""What the header of a CDA document says about itself, as Document Sharing metadata (ITI TF-3: 4.2.3.2, 5.2.2.1).

The mapping is that of IHE PCC TF-2: 4.1.1. Values are spelled as ``affinity.client.spelling`` reads them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lxml.etree import _Element

from ihe.identifiers import is_oid
from soap.xml import XMLRefused, parse

NAMESPACE = {"hl7": "urn:hl7-org:v3"}
CLINICAL_DOCUMENT = "{urn:hl7-org:v3}ClinicalDocument"
IHE_FORMATS = "1.3.6.1.4.1.19376.1.2.3"
FORMATS: Mapping[str, str] = {
    "1.3.6.1.4.1.19376.1.3.3": "urn:ihe:lab:xd-lab:2008",
    "1.3.6.1.4.1.19376.1.5.3.1.1.2": "urn:ihe:pcc:xds-ms:2007",
    "1.3.6.1.4.1.19376.1.2.20": "urn:ihe:iti:xds-sd:pdf:2008",
    "1.3.6.1.4.1.19376.1.5.3.1.1.7": "urn:ihe:iti:bppc:2007",
}
"""formatCode by the templateId of the document."""

SCANNED, SCANNED_TEXT = "1.3.6.1.4.1.19376.1.2.20", "urn:ihe:iti:xds-sd:text:2008"
"""XDS-SD has another format code where plain text is inside (ITI TF-3: 5.2.2.1)."""
GENDERS: Mapping[str, str] = {"M": "M", "F": "F", "UN": "O"}
"""AdministrativeGender as HL7 table 0001 spells it."""


def read_header(content: bytes) -> dict[str, Any] | None:
    """The metadata that a CDA document states itself; None for anything else."""
    try:
        root = parse(content)
    except XMLRefused:
        return None
    if root.tag != CLINICAL_DOCUMENT:
        return None
    return {name: value for name, value in _stated(root) if value}


def _stated(root: _Element) -> Iterator[tuple[str, Any]]:
    yield "mimeType", "text/xml"
    yield "title", _text(root, "hl7:title")
    yield "uniqueId", _instance(_first(root, "hl7:id"))
    yield "typeCode", _code(_first(root, "hl7:code"))
    yield "confidentialityCode", [_code(_first(root, "hl7:confidentialityCode"))]
    yield "languageCode", _attribute(root, "hl7:languageCode", "code")
    yield "creationTime", _utc(_attribute(root, "hl7:effectiveTime", "value"))
    period = "hl7:documentationOf/hl7:serviceEvent/hl7:effectiveTime"
    yield "serviceStartTime", _utc(_attribute(root, f"{period}/hl7:low", "value"))
    yield "serviceStopTime", _utc(_attribute(root, f"{period}/hl7:high", "value"))
    yield "formatCode", _format(root)
    yield "author", [author for each in _all(root, "hl7:author/hl7:assignedAuthor") if (author := _author(each))]
    yield "legalAuthenticator", _person(_first(root, "hl7:legalAuthenticator/hl7:assignedEntity"), "hl7:assignedPerson")
    patient = _first(root, "hl7:recordTarget/hl7:patientRole")
    yield "sourcePatientId", _patient_id(patient)
    yield "sourcePatientInfo", list(_patient_info(patient))


def _format(root: _Element) -> str:
    templates = [each.get("root", "") for each in _all(root, "hl7:templateId")]
    known = next((FORMATS[each] for each in templates if each in FORMATS), "")
    if SCANNED in templates and _attribute(root, "hl7:component/hl7:nonXMLBody/hl7:text", "mediaType") == "text/plain":
        known = SCANNED_TEXT
    return f"{known}^^{IHE_FORMATS}" if known else ""


def _author(assigned: _Element) -> dict[str, Any]:
    """XCN of a person or device, XON of the organization (ITI TF-3: 4.2.3.1.4)."""
    device = _text(assigned, "hl7:assignedAuthoringDevice/hl7:softwareName")
    person = _person(assigned, "hl7:assignedPerson") or (f"^{_plain(device)}" if device else "")
    organization = _organization(_first(assigned, "hl7:representedOrganization"))
    said = {"authorPerson": person, "authorInstitution": [organization] if organization else []}
    return {name: value for name, value in said.items() if value}


def _person(role: _Element | None, path: str) -> str:
    name = _first(role, f"{path}/hl7:name")
    if name is None:
        return ""
    parts = [_plain(_text(name, f"hl7:{part}[1]")) for part in ("family", "given", "prefix")]
    family, given, prefix = parts if any(parts) else (_plain(" ".join(str(each) for each in name.itertext())), "", "")
    id = _first(role, "hl7:id")
    root, extension = (id.get("root", ""), id.get("extension", "")) if id is not None else ("", "")
    authority = f"^^^&{root}&ISO" if is_oid(root) and extension else ""
    return f"{_plain(extension) if authority else ''}^{family}^{given}^^^{prefix}{authority}".rstrip("^")


def _organization(organization: _Element | None) -> str:
    name = _plain(_text(organization, "hl7:name"))
    id = _first(organization, "hl7:id")
    if not name:
        return ""
    if id is None or not is_oid(id.get("root", "")):
        return name
    if id.get("extension"):
        return f"{name}^^^^^&{id.get('root')}&ISO^^^^{_plain(id.get('extension', ''))}"
    return f"{name}^^^^^^^^^{id.get('root')}"


def _patient_id(patient: _Element | None) -> str:
    id = _first(patient, "hl7:id[@root][@extension]")
    if id is None or not is_oid(id.get("root", "")):
        return ""
    return f"{id.get('extension')}^^^&{id.get('root')}&ISO"


def _patient_info(patient: _Element | None) -> Iterator[str]:
    """Fields of PID (ITI TF-3: 4.2.3.2.23)."""
    name = _first(patient, "hl7:patient/hl7:name")
    family, given = (_plain(_text(name, f"hl7:{part}[1]")) for part in ("family", "given"))
    born = _attribute(patient, "hl7:patient/hl7:birthTime", "value")
    sex = _attribute(patient, "hl7:patient/hl7:administrativeGenderCode", "code")
    if family or given:
        yield f"PID-5|{family}^{given}"
    if born.isdecimal():
        yield f"PID-7|{born[:8]}"
    if sex in GENDERS:
        yield f"PID-8|{GENDERS[sex]}"


def _code(element: _Element | None) -> str:
    if element is None or not element.get("code") or not element.get("codeSystem"):
        return ""
    display = element.get("displayName", "")
    return f"{element.get('code')}^^{element.get('codeSystem')}" + (f"^{display}" if display else "")


def _instance(id: _Element | None) -> str:
    """``root^extension`` (ITI TF-3: 4.2.3.2.26)."""
    if id is None:
        return ""
    return f"{id.get('root')}^{id.get('extension')}" if id.get("extension") else id.get("root", "")


def _utc(time: str) -> str:
    """A TS as a DTM in UTC; a time without zone is taken as it stands (ITI TF-3: Table 4.2.3.1.7-2, DTM)."""
    digits, sign, zone = time.partition("+") if "+" in time else time.partition("-")
    digits = digits.partition(".")[0]
    if not sign or len(digits) < 10:
        return digits
    moment = datetime.strptime(f"{digits:0<14}{sign}{zone:0<4}", "%Y%m%d%H%M%S%z").astimezone(UTC)
    return moment.strftime("%Y%m%d%H%M%S")[: len(digits)]


def _plain(text: str) -> str:
    """A text that means no delimiter of HL7 v2."""
    return " ".join("".join(" " if each in "^&~|\\" else each for each in text).split())


def _all(parent: _Element | None, path: str) -> list[_Element]:
    return parent.findall(path, NAMESPACE) if parent is not None else []


def _first(parent: _Element | None, path: str) -> _Element | None:
    return next(iter(_all(parent, path)), None)


def _attribute(parent: _Element | None, path: str, name: str) -> str:
    found = _first(parent, path)
    return found.get(name, "") if found is not None else ""


def _text(parent: _Element | None, path: str) -> str:
    words = (word for each in _all(parent, path) for piece in each.itertext() for word in str(piece).split())
    return " ".join(words)
