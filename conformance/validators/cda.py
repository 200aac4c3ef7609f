"""The header of a CDA document: what every reader of a laboratory report relies on (CDA Release 2; ITI TF-3: 4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element

from conformance.catalogue import Level
from conformance.findings import Finding
from conformance.kinds import HL7V3
from ihe.citations import Citation

TYPE_ID = ("2.16.840.1.113883.1.3", "POCD_HD000040")


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
SOURCE = Citation("CDA Release 2", "4.2")


def validate(root: _Element) -> tuple[Finding, ...]:
    """What the header lacks."""
    return tuple(_lacking(root))


def _lacking(root: _Element) -> Iterator[Finding]:
    names = {"c": HL7V3}
    for each in HEADER:
        found = root.findall("/".join(f"c:{part}" for part in each.path.split("/")), names)
        if not found:
            yield _finding(f"A CDA document has {each.path}", f"ClinicalDocument/{each.path}")
        elif each.attributes and not any(found[0].get(name) for name in each.attributes):
            yield _finding(f"{each.path} has {' or '.join(each.attributes)}", f"ClinicalDocument/{each.path}")
    type_id = root.find("c:typeId", names)
    if type_id is not None and (type_id.get("root"), type_id.get("extension")) != TYPE_ID:
        yield _finding("typeId names Release 2", "ClinicalDocument/typeId", "^".join(TYPE_ID))


def _finding(text: str, location: str, expected: str | None = None) -> Finding:
    return Finding(level=Level.SHALL, text=text, location=location, expected=expected, citation=SOURCE)
