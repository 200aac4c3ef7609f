"""CDA documents: content model, header, identifiers and references, values; then the body (CDA Release 2)."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element

from conformance.catalogue import Level
from conformance.findings import Finding
from conformance.kinds import HL7V3
from conformance.validators.cda_body import body
from conformance.validators.cda_elements import CDA, cda_finding
from conformance.validators.content import deviations, untold
from conformance.validators.xd_lab import laboratory_report
from ihe.datatypes import is_dtm
from pix.v3_elements import XSI_TYPE, children, name_of, time_stamp

TYPE_ID = ("2.16.840.1.113883.1.3", "POCD_HD000040")
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
"""RFC 3066 and its successors."""
TIMES = frozenset({"effectiveTime", "time", "birthTime", "low", "high"})
WITHOUT_CODE_SYSTEM = frozenset({"realmCode", "languageCode", "statusCode", "signatureCode"})
"""Elements of type CS, whose code system the model fixes."""


@dataclass(frozen=True, slots=True)
class Required:
    """One element that the header has, as a path below ClinicalDocument, and attributes one of which it has."""

    path: str
    attributes: tuple[str, ...] = ()


HEADER = (
    Required("typeId", ("root",)),
    Required("id", ("root",)),
    Required("code", ("code", "nullFlavor")),
    Required("effectiveTime", ("value", "nullFlavor")),
    Required("confidentialityCode", ("code", "nullFlavor")),
    Required("recordTarget/patientRole/id", ("root", "nullFlavor")),
    Required("author/time", ("value", "nullFlavor")),
    Required("author/assignedAuthor/id", ("root", "nullFlavor")),
    Required("custodian/assignedCustodian/representedCustodianOrganization/id", ("root", "nullFlavor")),
    Required("component"),
)
"""CDA Release 2, R-MIM POCD_RM000040: what has a cardinality of at least one."""


def validate(root: _Element) -> tuple[Finding, ...]:
    """What is wrong with a document."""
    found = (*_header(root), *_identifiers(root), *_values(root), *body(root), *laboratory_report(root))
    return (*found, *untold(deviations(root, "cda", CDA), found))


def _header(root: _Element) -> Iterator[Finding]:
    names = {"c": HL7V3}
    for each in HEADER:
        found = root.findall("/".join(f"c:{part}" for part in each.path.split("/")), names)
        if not found:
            yield cda_finding(f"A CDA document has {each.path}", root, each.path)
        elif each.attributes and not any(found[0].get(name) for name in each.attributes):
            yield cda_finding(f"{each.path} has {' or '.join(each.attributes)}", root, each.path)
    type_id = root.find("c:typeId", names)
    if type_id is not None and (type_id.get("root"), type_id.get("extension")) != TYPE_ID:
        yield cda_finding("typeId names Release 2", root, "typeId", expected="^".join(TYPE_ID))


def _identifiers(root: _Element) -> Iterator[Finding]:
    """IDs are of one element each, and what refers to an ID finds it (4.3.5, XML Schema: ID and IDREF)."""
    elements = [each for each in root.iter(f"{{{HL7V3}}}*") if each.get("ID")]
    counted = Counter(str(each.get("ID")) for each in elements)
    seen: set[str] = set()
    for each in elements:
        name = str(each.get("ID"))
        if counted[name] > 1 and name in seen:
            yield cda_finding("An ID is that of one element alone", each, "@ID", name)
        seen.add(name)
    for each in root.iter(f"{{{HL7V3}}}*"):
        for attribute, name in _referred(each):
            if name not in counted:
                level = Level.SHOULD if attribute == "value" else Level.SHALL
                text = "What is referred to stands in the document"
                yield cda_finding(text, each, f"@{attribute}", name, level=level)


def _referred(element: _Element) -> Iterator[tuple[str, str]]:
    name = name_of(element)
    if name == "reference" and element.get("value", "").startswith("#"):
        yield "value", element.get("value", "")[1:]
    elif name == "footnoteRef":
        yield "IDREF", element.get("IDREF", "")
    elif name == "renderMultiMedia":
        yield from (("referencedObject", each) for each in element.get("referencedObject", "").split())


def _values(root: _Element) -> Iterator[Finding]:
    for each in root.iter(f"{{{HL7V3}}}*"):
        name, value = name_of(each), each.get("value")
        if name in TIMES and value and value[0].isdigit() and not _is_number(each) and not is_dtm(time_stamp(value)):
            yield cda_finding("A time is one of the calendar", each, "@value", value)
        if each.get("nullFlavor") and (value or each.get("code")):
            text = "What has a nullFlavor has no value and no code beside it"
            yield cda_finding(text, each, "@nullFlavor", value or each.get("code"))
        if each.get("code") and not each.get("codeSystem") and not _is_cs(each):
            yield cda_finding("A code names its code system", each, "@codeSystem", level=Level.SHOULD)
    for each in children(root, "languageCode"):
        if not LANGUAGE.fullmatch(each.get("code", "")):
            yield cda_finding("languageCode is a language tag", each, "@code", each.get("code"), "as fr-LU")


def _is_cs(element: _Element) -> bool:
    """Claim that the model fixes the code system: of the elements named, and of the shape of a region of interest."""
    parent = element.getparent()
    if parent is not None and name_of(parent) == "regionOfInterest":
        return True
    return name_of(element) in WITHOUT_CODE_SYSTEM or (element.get(XSI_TYPE) or "").endswith("CS")


def _is_number(element: _Element) -> bool:
    """Claim that a bound is of an interval of quantities, not of times."""
    parent = element.getparent()
    return name_of(element) in ("low", "high") and (parent is None or name_of(parent) not in TIMES)
