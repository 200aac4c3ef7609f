"""FHIR resources in XML, from their JSON (FHIR R4: XML Representation): RESTful ATNA demands both (3.81.4.1.2.3).

The members of an object must stand in the order of FHIR's definition, as ``atna.fhir`` writes them.
"""

from lxml.etree import Element, SubElement, _Element, tostring

from atna.fhir_coding import JSON

FHIR = "http://hl7.org/fhir"


def xml(resource: JSON) -> bytes:
    """A resource as an XML document in UTF-8."""
    root = Element(f"{{{FHIR}}}{resource['resourceType']}", nsmap={None: FHIR})  # type: ignore[dict-item]
    _members(root, resource)
    return tostring(root, encoding="UTF-8", xml_declaration=True)


def _members(parent: _Element, members: JSON) -> None:
    for name, value in members.items():
        if name == "resourceType":
            continue
        if name == "url" and parent.tag == f"{{{FHIR}}}extension":
            parent.set("url", value)
            continue
        for each in value if isinstance(value, list) else [value]:
            _member(SubElement(parent, f"{{{FHIR}}}{name}"), each)


def _member(element: _Element, value: object) -> None:
    if not isinstance(value, dict):
        element.set("value", str(value).lower() if isinstance(value, bool) else str(value))
        return
    if "resourceType" in value:
        element = SubElement(element, f"{{{FHIR}}}{value['resourceType']}")
    _members(element, value)
