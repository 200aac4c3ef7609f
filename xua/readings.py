"""How the value of a SAML attribute is read: each reading by the name under which a token profile asks for it.

A reading takes an AttributeValue and the attribute's rule in the profile; ValueError says what is wrong with the value.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from lxml.etree import _Element

from ihe.datatypes import CX, HD, Code, parse_patient_id
from ihe.identifiers import is_oid
from xua.names import clark

TYPE = clark("xsi:type")
II = clark("hl7:id")


class Asked(Protocol):
    """What a reading wants to know of the rule: the HL7 element of a CE, the code system of a bare code."""

    @property
    def element(self) -> str | None:
        """The element of HL7 v3 in the value, such as ``hl7:Role``."""

    @property
    def code_system(self) -> str | None:
        """The OID of the code system that the value does not say."""


def text(value: _Element, rule: Asked) -> str:
    """Plain text, without the white space around it."""
    read = (value.text or "").strip()
    if len(value) or not read:
        raise ValueError("the value is not a text")
    return read


def oid_urn(value: _Element, rule: Asked) -> str:
    """``urn:oid:`` and an OID."""
    read = text(value, rule)
    if not read.startswith("urn:oid:") or not is_oid(read.removeprefix("urn:oid:")):
        raise ValueError("the value is not urn:oid: and an OID")
    return read


def oid(value: _Element, rule: Asked) -> str:
    """An OID, bare or as a URN; always given as a URN."""
    read = text(value, rule).removeprefix("urn:oid:")
    if not is_oid(read):
        raise ValueError("the value is not an OID")
    return f"urn:oid:{read}"


def patient_id(value: _Element, rule: Asked) -> str:
    """A patient identifier in CX form (ITI TF-3: Table 4.2.3.1.7-2)."""
    return str(parse_patient_id(text(value, rule)))


def typed_patient_id(value: _Element, rule: Asked) -> str:
    """As a patient id, with an identifier type code (CX.5) that is passed over: ``id^^^&oid&ISO^NH``."""
    components = text(value, rule).split("^")
    return str(parse_patient_id("^".join(components[:4] if len(components) == 5 else components)))


def coded(value: _Element, rule: Asked) -> Code:
    """The HL7 v3 CE in the child that the rule names; code and the OID of its code system are demanded."""
    if rule.element is None or len(value) != 1 or value[0].tag != clark(rule.element):
        raise ValueError(f"the value is not a {rule.element}")
    return _code(value[0])


def bare_code(value: _Element, rule: Asked) -> Code:
    """A code as plain text; the profile knows its code system."""
    return Code(text(value, rule), rule.code_system or "")


def organization(value: _Element, rule: Asked) -> str:
    """An XON: the identifier with its authority, else the bare OID as a URN (ITI TF-3: Table 4.2.3.1.7-2)."""
    components = text(value, rule).split("^")
    components += [""] * (10 - len(components))
    authority = components[5].split("&")
    if len(components) == 10 and is_oid(components[9]):
        return f"urn:oid:{components[9]}"
    if len(components) != 10 or not components[9] or len(authority) != 3 or not is_oid(authority[1]):
        raise ValueError("the value is not an XON with an identifier and the OID of its authority")
    return str(CX(components[9], HD("", authority[1], "ISO")))


def instance(value: _Element, rule: Asked) -> str:
    """An HL7 v3 II in ``hl7:id``, both parts said; given as CX (ITI TF-2: 3.40.4.1.2)."""
    if len(value) != 1 or value[0].tag != II:
        raise ValueError("the value is not an hl7:id")
    root, extension = value[0].get("root", ""), value[0].get("extension", "").strip()
    if not is_oid(root) or not extension or "^" in extension or "&" in extension:
        raise ValueError("the value is not an II with a root and an extension")
    return str(CX(extension, HD("", root, "ISO")))


def provider(value: _Element, rule: Asked) -> str:
    """A text; a CE is permitted for backward compatibility, its code is the identifier."""
    return _code(value[0]).code if len(value) else text(value, rule)


def _code(ce: _Element) -> Code:
    kind = ce.get(TYPE, "CE").rpartition(":")[2]
    code, scheme = ce.get("code", "").strip(), ce.get("codeSystem", "")
    if kind != "CE" or not code or not is_oid(scheme):
        raise ValueError("the value is not a CE with a code and the OID of its code system")
    return Code(code, scheme, ce.get("displayName", ""))


Reading = Callable[[_Element, Asked], Any]

READINGS: Mapping[str, Reading] = MappingProxyType(
    {
        "text": text,
        "oid-urn": oid_urn,
        "oid": oid,
        "cx": patient_id,
        "cx-with-type": typed_patient_id,
        "ce": coded,
        "code": bare_code,
        "xon": organization,
        "ii": instance,
        "npi": provider,
    }
)
