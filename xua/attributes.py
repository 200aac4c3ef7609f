"""The SAML attributes that become claims, as one table (ITI TF-2: 3.40.4.1.2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element

from ihe.datatypes import Code, parse_patient_id
from ihe.identifiers import is_oid
from xua.names import clark

TYPE = clark("xsi:type")


@dataclass(frozen=True, slots=True)
class Claim:
    """One field of the Principal: the SAML attribute, how one AttributeValue is read, whether there may be several.

    ``read`` raises ValueError for a value that is not of the form the standard prints.
    """

    field: str
    name: str
    read: Callable[[_Element], Any]
    repeatable: bool = False


def text(value: _Element) -> str:
    """Plain text, without the white space around it."""
    read = (value.text or "").strip()
    if len(value) or not read:
        raise ValueError("the value is not a text")
    return read


def community(value: _Element) -> str:
    """``urn:oid:`` and an OID."""
    read = text(value)
    if not read.startswith("urn:oid:") or not is_oid(read.removeprefix("urn:oid:")):
        raise ValueError("the value is not urn:oid: and an OID")
    return read


def patient_id(value: _Element) -> str:
    """A patient identifier in CX form (ITI TF-3: Table 4.2.3.1.7-2)."""
    return str(parse_patient_id(text(value)))


def coded(element: str) -> Callable[[_Element], Code]:
    """Read the HL7 v3 CE in the child of that name; code and the OID of its code system are demanded."""
    tag = clark(element)

    def read(value: _Element) -> Code:
        if len(value) != 1 or value[0].tag != tag:
            raise ValueError(f"the value is not a {element}")
        return _code(value[0])

    return read


def provider(value: _Element) -> str:
    """A text; a CE is permitted for backward compatibility, its code is the identifier."""
    return _code(value[0]).code if len(value) else text(value)


def _code(ce: _Element) -> Code:
    kind = ce.get(TYPE, "CE").rpartition(":")[2]
    code, scheme = ce.get("code", "").strip(), ce.get("codeSystem", "")
    if kind != "CE" or not code or not is_oid(scheme):
        raise ValueError("the value is not a CE with a code and the OID of its code system")
    return Code(code, scheme, ce.get("displayName", ""))


CLAIMS = (
    Claim("subject_id", "urn:oasis:names:tc:xspa:1.0:subject:subject-id", text),
    Claim("organization", "urn:oasis:names:tc:xspa:1.0:subject:organization", text, repeatable=True),
    Claim("organization_id", "urn:oasis:names:tc:xspa:1.0:subject:organization-id", text, repeatable=True),
    Claim("roles", "urn:oasis:names:tc:xacml:2.0:subject:role", coded("hl7:Role"), repeatable=True),
    Claim(
        "purpose_of_use",
        "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
        coded("hl7:PurposeOfUse"),
        repeatable=True,
    ),
    Claim("home_community_id", "urn:ihe:iti:xca:2010:homeCommunityId", community),
    Claim("resource_id", "urn:oasis:names:tc:xacml:2.0:resource:resource-id", patient_id),
    Claim("npi", "urn:oasis:names:tc:xspa:1.0:subject:npi", provider),
)
CLAIMS_BY_NAME = {claim.name: claim for claim in CLAIMS}


def read_claims(attributes: Iterable[_Element]) -> dict[str, Any]:
    """Read the claims of all Attribute elements, of whichever statement: repetition at both levels means the same.

    ValueError names the attribute that is malformed, or has several values where one person, one patient or one
    community is meant: which of them counts is not ours to choose. Other attributes are passed over.
    """
    read: dict[str, Any] = {}
    for attribute in attributes:
        claim = CLAIMS_BY_NAME.get(attribute.get("Name", ""))
        if claim is not None:
            _add(read, claim, attribute)
    return read


def _add(read: dict[str, Any], claim: Claim, attribute: _Element) -> None:
    try:
        values = tuple(claim.read(value) for value in attribute)
    except ValueError as error:
        raise ValueError(f"{claim.name}: {error}") from error
    if claim.repeatable:
        read[claim.field] = read.get(claim.field, ()) + values
    elif len(values) != 1 or claim.field in read:
        raise ValueError(f"{claim.name} has not exactly one value")
    else:
        read[claim.field] = values[0]
