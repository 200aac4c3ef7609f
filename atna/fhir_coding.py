"""Codes and identifiers of audit messages as FHIR R4 spells them, both ways (ITI Suppl. RESTful ATNA: 3.81.4.1.2.2)."""

import re
from collections.abc import Mapping
from typing import Any

from ihe.datatypes import Code
from ihe.identifiers import is_oid

JSON = dict[str, Any]

DCM = "http://dicom.nema.org/resources/ontology/DCM"
IHE_EVENT_TYPE = "urn:ihe:event-type-code"
SYSTEMS: Mapping[str, str] = {
    "DCM": DCM,
    "IHE Transactions": IHE_EVENT_TYPE,
    "RFC-3881": "urn:ietf:rfc:3881",
    "IHE": "urn:ihe",
}
"""codeSystemName of DICOM and the Coding.system that stands for it."""
SCHEMES = {system: scheme for scheme, system in SYSTEMS.items()}
NAMED = "urn:affinity:codeSystemName"
"""Extension for a codeSystemName that is neither of the above, nor an OID, nor a URI: Coding.system must be a URI."""
OID_URN = "urn:oid:"
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_CX = re.compile(r"([^^&]+)\^\^\^([^^&]*)&([^^&]+)&(ISO|URI)(?:\^([^^&]+))?")


def coding(code: Code) -> JSON:
    """A code as a Coding."""
    system = _system(code.scheme)
    named = {"extension": [{"url": NAMED, "valueString": code.scheme}]} if code.scheme and not system else {}
    return named | _said(system=system, code=code.code, display=code.display)


def concept(code: Code) -> JSON:
    """A code as a CodeableConcept."""
    return {"coding": [coding(code)]}


def read_coding(written: JSON) -> Code:
    """The code of a Coding."""
    named = next((each["valueString"] for each in written.get("extension", ()) if each.get("url") == NAMED), "")
    return Code(written.get("code", ""), named or scheme(written.get("system", "")), written.get("display", ""))


def read_concept(written: JSON) -> Code:
    """The first code of a CodeableConcept, else its text as a code without scheme."""
    codings = written.get("coding", ())
    return read_coding(codings[0]) if codings else Code(written.get("text", ""), "")


def scheme(system: str) -> str:
    """The codeSystemName that a Coding.system stands for."""
    return SCHEMES.get(system) or (_oid(system) or system)


def identifier(id: str | None, id_type: Code | None = None) -> JSON:
    """A UserID or ParticipantObjectID as an Identifier: a CX comes apart into system and value (3.81.4.1.2.2)."""
    found = _CX.fullmatch(id or "")
    if found is None or not (is_oid(found[3]) if found[4] == "ISO" else _is_other_uri(found[3])):
        return _typed(id_type) | _said(value=id)
    value, namespace, authority, kind, type_code = found.groups()
    system = OID_URN + authority if kind == "ISO" else authority
    assigner = {"assigner": {"display": namespace}} if namespace else {}
    return _typed(id_type, type_code) | {"system": system, "value": value} | assigner


def read_identifier(written: JSON) -> str | None:
    """The UserID or ParticipantObjectID of an Identifier."""
    value, system = written.get("value"), written.get("system")
    if value is None or system is None:
        return value
    oid = _oid(system)
    namespace = written.get("assigner", {}).get("display", "")
    tail = "".join(f"^{each['code']}" for each in _codings(written) if each.get("system") == IDENTIFIER_TYPES)
    return f"{value}^^^{namespace}&{oid or system}&{'ISO' if oid else 'URI'}{tail}"


def read_identifier_type(written: JSON) -> Code | None:
    """The ParticipantObjectIDTypeCode of an Identifier."""
    found = [each for each in _codings(written) if each.get("system") != IDENTIFIER_TYPES]
    return read_coding(found[0]) if found else None


def _codings(written: JSON) -> list[JSON]:
    found: list[JSON] = written.get("type", {}).get("coding", [])
    return found


def _typed(id_type: Code | None, type_code: str | None = None) -> JSON:
    codings = [coding(id_type)] if id_type else []
    codings += [{"system": IDENTIFIER_TYPES, "code": type_code}] if type_code else []
    return {"type": {"coding": codings}} if codings else {}


def _system(name: str) -> str | None:
    system = SYSTEMS.get(name) or (OID_URN + name if is_oid(name) else name)
    return system if _URI.fullmatch(system) and scheme(system) == name else None


def _oid(system: str) -> str | None:
    oid = system.removeprefix(OID_URN)
    return oid if oid != system and is_oid(oid) else None


def _is_other_uri(text: str) -> bool:
    return _URI.fullmatch(text) is not None and not text.startswith(OID_URN)


def _said(**members: str | None) -> JSON:
    """What is not empty: FHIR knows no empty strings."""
    return {name: value for name, value in members.items() if value}
