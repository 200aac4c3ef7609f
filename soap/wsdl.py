"""The WSDL 1.1 of an endpoint, by the naming rules of ITI TF-2: V.3.2.1; made once, from the configured address.

Spyne assembles the document; names, messages, actions and types are ours, because Spyne's names are not IHE's and its
types would be guesses. Two variants: ``?wsdl`` imports the schemas of ``schemas/``, ``?wsdl&lax`` leaves content open.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lxml.etree import Element, QName, SubElement, _Element

import schemas
from soap.service import Operation, SOAPService
from soap.spyne_compat import Wsdl11
from soap.xml import escape

WSDL = "http://schemas.xmlsoap.org/wsdl/"
WSOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
WSAW = "http://www.w3.org/2006/05/addressing/wsdl"
XSD = "http://www.w3.org/2001/XMLSchema"
HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"


@dataclass(frozen=True, slots=True)
class Documents:
    """What an endpoint publishes about itself, by query string."""

    wsdl: bytes
    lax_wsdl: bytes
    xsd: Mapping[str, bytes]

    def find(self, query: str) -> bytes | None:
        """Find what a GET asks for: ``wsdl``, ``wsdl&lax``, ``xsd=NAME``; None for anything else."""
        words = {word.lower() for word in query.split("&")}
        if "wsdl" in words:
            return self.lax_wsdl if "lax" in words else self.wsdl
        return self.xsd.get(query.removeprefix("xsd=")) if query.startswith("xsd=") else None


def publish(service: SOAPService, location: str) -> Documents:
    """Build every document of an endpoint that clients reach at ``location``."""
    return Documents(
        wsdl=_build(service, location, _imports(service.operations, location)),
        lax_wsdl=_build(service, location, _open_types(_elements(service.operations))),
        xsd=MappingProxyType({name: _located(name, location) for name in schemas.FILES.values()}),
    )


class IHEWsdl(Wsdl11):  # type: ignore[misc]
    """Spyne's WSDL writer with IHE's names; Spyne calls these methods in this order."""

    def __init__(self, service: SOAPService, types: Iterable[_Element]) -> None:
        super().__init__(service.application.interface)
        self._operations = service.operations
        self._name = service.name.name
        self._types = tuple(types)

    def build_schema_nodes(self, with_schema_suffix: object = False) -> None:
        """Types are given, not guessed."""
        self.schema_dict = dict(enumerate(self._types))

    def add_messages_for_methods(self, service: object, root: _Element, messages: object) -> None:
        """One message each way, with the single part Body (IHE-WSP205, IHE-WSP206)."""
        for name, element in _messages(self._operations).items():
            qname = QName(element)
            message = SubElement(root, f"{{{WSDL}}}message", name=name)
            part = SubElement(message, f"{{{WSDL}}}part", nsmap={"body": qname.namespace or ""}, name="Body")
            part.set("element", f"body:{qname.localname}")

    def add_port_type(self, service: object, root: _Element, name: str, types: object, url: str) -> None:
        """The operations with their wsaw:Action (IHE-WSP207, IHE-WSP208), and the address."""
        port_type = SubElement(root, f"{{{WSDL}}}portType", name=f"{self._name}_PortType")
        for each in self._operations:
            operation = SubElement(port_type, f"{{{WSDL}}}operation", name=each.binding.operation)
            documentation = SubElement(operation, f"{{{WSDL}}}documentation")
            documentation.text = f"{each.transaction.name} [{each.transaction.id}] ({each.transaction.citation})"
            for tag, action in (("input", each.binding.action), ("output", each.binding.reply_action)):
                way = SubElement(operation, f"{{{WSDL}}}{tag}", nsmap={"wsaw": WSAW})
                way.set("message", f"tns:{_message_name(action)}")
                way.set(f"{{{WSAW}}}Action", action)
        self._add_address(url)

    def add_bindings_for_methods(self, service: object, root: _Element, name: str, callbacks: object) -> None:
        """The SOAP 1.2 binding, document and literal (IHE-WSP212, IHE-WSP215)."""
        binding = SubElement(root, f"{{{WSDL}}}binding", name=f"{self._name}_Binding_Soap12")
        binding.set("type", f"tns:{self._name}_PortType")
        SubElement(binding, f"{{{WSOAP12}}}binding", style="document", transport=HTTP_TRANSPORT)
        SubElement(binding, f"{{{WSAW}}}UsingAddressing", nsmap={"wsaw": WSAW})
        for each in self._operations:
            operation = SubElement(binding, f"{{{WSDL}}}operation", name=each.binding.operation)
            SubElement(operation, f"{{{WSOAP12}}}operation", soapAction=each.binding.action)
            for tag in ("input", "output"):
                SubElement(SubElement(operation, f"{{{WSDL}}}{tag}"), f"{{{WSOAP12}}}body", use="literal")

    def _add_address(self, url: str) -> None:
        service = self._get_or_create_service_node(self._get_applied_service_name(None))
        port = SubElement(service, f"{{{WSDL}}}port", name=f"{self._name}_Port_Soap12")
        port.set("binding", f"tns:{self._name}_Binding_Soap12")
        SubElement(port, f"{{{WSOAP12}}}address", location=url)

    def _get_applied_service_name(self, service: object) -> str:
        return f"{self._name}_Service"


def _build(service: SOAPService, location: str, types: Iterable[_Element]) -> bytes:
    writer = IHEWsdl(service, types)
    writer.build_interface_document(location)
    document: bytes = writer.get_interface_document()
    return document


def _elements(operations: Iterable[Operation]) -> set[str]:
    return {element for each in operations for element in (each.binding.request, each.binding.reply)}


def _messages(operations: Iterable[Operation]) -> dict[str, str]:
    """The element of each message; operations with the same answer share its message."""
    messages: dict[str, str] = {}
    for each in operations:
        messages[_message_name(each.binding.action)] = each.binding.request
        messages.setdefault(_message_name(each.binding.reply_action), each.binding.reply)
    return messages


def _message_name(action: str) -> str:
    """``{Transaction Name}_Message`` (ITI TF-2: V.3.2.1.1): the last word of an action is the transaction's name."""
    return f"{action.replace('/', ':').rpartition(':')[2]}_Message"


def _imports(operations: Iterable[Operation], location: str) -> list[_Element]:
    """One import for each namespace that has a schema of ours; open types for others."""
    elements = _elements(operations)
    schema = Element(f"{{{XSD}}}schema", nsmap={"xsd": XSD})
    for namespace in sorted({QName(element).namespace or "" for element in elements} & schemas.FILES.keys()):
        source = f"{location}?xsd={schemas.FILES[namespace]}"
        SubElement(schema, f"{{{XSD}}}import", namespace=namespace, schemaLocation=source)
    return [schema, *_open_types({each for each in elements if QName(each).namespace not in schemas.FILES})]


def _open_types(elements: Iterable[str]) -> list[_Element]:
    """Declare elements by their names alone, for toolkits that stumble over the real schemas."""
    found: dict[str, _Element] = {}
    for name in map(QName, sorted(elements)):
        namespace = name.namespace or ""
        if namespace not in found:
            found[namespace] = Element(f"{{{XSD}}}schema", nsmap={"xsd": XSD}, targetNamespace=namespace)
        element = SubElement(found[namespace], f"{{{XSD}}}element", name=name.localname)
        kind = SubElement(element, f"{{{XSD}}}complexType")
        content = SubElement(kind, f"{{{XSD}}}sequence")
        anything = {"namespace": "##any", "processContents": "skip"}
        SubElement(content, f"{{{XSD}}}any", {"minOccurs": "0", "maxOccurs": "unbounded", **anything})
        SubElement(kind, f"{{{XSD}}}anyAttribute", anything)
    return list(found.values())


def _located(name: str, location: str) -> bytes:
    """A schema whose imports lead back to this server."""
    text = schemas.path(name).read_bytes()
    return text.replace(b'schemaLocation="', b'schemaLocation="%b?xsd=' % escape(location))
