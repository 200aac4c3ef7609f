"""The WSDL of an endpoint: IHE's names, our address, and a foreign toolkit that loads and calls it."""

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml.etree import _Element

import schemas
from soap.context import SOAPTransaction
from soap.service import SOAPService
from soap.wsdl import Documents, publish
from soap.xml import parse, schema

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
ACTION = "{http://www.w3.org/2006/05/addressing/wsdl}Action"


def _unanswered(*_: object) -> Any:
    raise AssertionError("nobody asks")


@pytest.fixture(scope="module")
def documents(transactions: tuple[SOAPTransaction, SOAPTransaction]) -> Documents:
    return publish(SOAPService(transactions[1:], _unanswered), "https://affinity.example/xds/repository")


@pytest.fixture(scope="module")
def wsdl(documents: Documents) -> _Element:
    return parse(documents.wsdl)


def named(root: _Element, tag: str) -> list[str | None]:
    return [element.get("name") for element in root.iter(f"{WSDL}{tag}")]


def test_everything_has_the_name_that_ihe_gives_it(wsdl: _Element) -> None:
    """ITI TF-2: V.3.2.1.1, IHE-WSP201 and IHE-WSP202."""
    assert wsdl.get("name") == "DocumentRepository"
    assert wsdl.get("targetNamespace") == "urn:ihe:iti:xds-b:2007"
    assert named(wsdl, "portType") == ["DocumentRepository_PortType"]
    assert named(wsdl, "binding") == ["DocumentRepository_Binding_Soap12"]
    assert named(wsdl, "port") == ["DocumentRepository_Port_Soap12"]
    assert named(wsdl, "message") == [
        "ProvideAndRegisterDocumentSet-b_Message",
        "ProvideAndRegisterDocumentSet-bResponse_Message",
    ]


def test_the_names_are_those_of_the_official_wsdl(transactions: tuple[SOAPTransaction, ...], shared: Path) -> None:
    """The official one of the Document Repository breaks the rule: it says DocumentRepository_Binding."""
    ours = parse(publish(SOAPService(transactions[:1], _unanswered), "http://affinity.example").wsdl)
    official = parse((shared / "schemas" / "wsdl" / "XDS.b_DocumentRegistry.wsdl").read_bytes())
    for tag in ("operation", "message", "portType", "binding", "port", "service"):
        assert set(named(ours, tag)) <= set(named(official, tag))


def test_every_direction_has_its_action_and_every_message_its_body(wsdl: _Element) -> None:
    """IHE-WSP205 to IHE-WSP208."""
    ways = [*wsdl.iterfind(f".//{WSDL}portType//*[@message]")]
    assert [way.get(ACTION) for way in ways] == [
        "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
        "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
    ]
    assert {part.get("name") for part in wsdl.iter(f"{WSDL}part")} == {"Body"}


def test_the_address_is_the_configured_one(wsdl: _Element) -> None:
    addresses = [e.get("location") for e in wsdl.iter("{http://schemas.xmlsoap.org/wsdl/soap12/}address")]
    assert addresses == ["https://affinity.example/xds/repository"]


@pytest.mark.parametrize(
    ("query", "found"),
    [("wsdl", True), ("WSDL", True), ("wsdl&lax", True), ("xsd=rim.xsd", True), ("", False), ("xsd=../x", False)],
)
def test_documents_are_found_by_query(documents: Documents, query: str, *, found: bool) -> None:
    assert (documents.find(query) is not None) is found


@pytest.mark.parametrize("name", schemas.FILES.values())
def test_imports_of_a_published_schema_lead_back_to_the_endpoint(documents: Documents, name: str) -> None:
    published = documents.find(f"xsd={name}")
    assert published is not None
    for imported in parse(published).iter("{http://www.w3.org/2001/XMLSchema}import"):
        location = imported.get("schemaLocation", "")
        prefix, _, target = location.partition("?")
        assert prefix == "https://affinity.example/xds/repository"
        assert documents.find(target) is not None


@pytest.fixture
def foreign_toolkit(serve: Callable[..., Any]) -> Callable[[str], zeep.Client]:
    """zeep, which follows the public address to a server that listens elsewhere, as behind a proxy."""
    server = serve(public_url="http://affinity.example")

    class Proxy(zeep.Transport):  # type: ignore[misc]
        def _load_remote_data(self, url: str) -> Any:
            return super()._load_remote_data(url.replace("http://affinity.example", server.url))

        def post(self, address: str, message: Any, headers: Any) -> Any:
            return super().post(address.replace("http://affinity.example", server.url), message, headers)

    return lambda path: zeep.Client(f"http://affinity.example{path}", transport=Proxy())


@pytest.mark.parametrize("variant", ["wsdl", "wsdl&lax"])
@pytest.mark.parametrize("path", ["/xds/registry", "/xds/repository"])
def test_a_foreign_toolkit_loads_every_wsdl(
    foreign_toolkit: Callable[[str], zeep.Client], path: str, variant: str
) -> None:
    assert len(foreign_toolkit(f"{path}?{variant}").service._operations) == 1


SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"


def test_a_foreign_toolkit_calls_by_the_strict_wsdl(foreign_toolkit: Callable[[str], zeep.Client]) -> None:
    client = foreign_toolkit("/xds/registry?wsdl")
    answer = client.service.DocumentRegistry_RegistryStoredQuery(
        ResponseOption={"returnType": "LeafClass"},
        AdhocQuery={
            "id": "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
            "Slot": [{"name": "$XDSDocumentEntryPatientId", "ValueList": {"Value": ["'1^^^&1.2&ISO'"]}}],
        },
    )
    assert answer.status == SUCCESS


def test_a_foreign_toolkit_calls_by_the_lax_wsdl(foreign_toolkit: Callable[[str], zeep.Client]) -> None:
    answer = foreign_toolkit("/xds/registry?wsdl&lax").service.DocumentRegistry_RegistryStoredQuery()
    assert "RegistryObjectList" in answer._value_1[0].tag


def test_the_wsdl_is_served_as_xml(server: Any) -> None:
    connection = HTTPConnection("localhost", server.port, timeout=20)
    connection.request("GET", "/xds/registry?wsdl", headers={"Host": "evil.example"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert (response.status, response.getheader("Content-Type")) == (200, "text/xml; charset=UTF-8")
    assert b"evil.example" not in body


@pytest.mark.parametrize("name", schemas.FILES.values())
def test_each_schema_of_ours_is_a_schema(name: str) -> None:
    assert schema(schemas.path(name)) is not None


def test_a_schema_that_is_not_ours_is_not_served() -> None:
    with pytest.raises(KeyError):
        schemas.path("__init__.py")


OFFICIAL = {
    "query.xsd": "ebRS/query.xsd",
    "lcm.xsd": "ebRS/lcm.xsd",
    "rs.xsd": "ebRS/rs.xsd",
    "xds-b.xsd": "IHE/XDS.b_DocumentRepository.xsd",
    "rmd.xsd": "IHE/RMD.xsd",
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_what_the_official_schema_accepts_ours_accepts(shared: Path, name: str) -> None:
    """Over every payload among the samples: ours may be narrower only where no real system goes."""
    official, ours = schema(shared / "schemas" / OFFICIAL[name]), schema(schemas.path(name))
    namespace = next(namespace for namespace, file in schemas.FILES.items() if file == name)
    valid = [payload for payload in _payloads(shared, namespace) if official.validate(payload)]
    assert valid
    for payload in valid:
        assert ours.validate(payload), ours.error_log


def _payloads(shared: Path, namespace: str) -> Iterator[_Element]:
    for path in sorted((shared / "samples").glob("ITI-*/*.xml")):
        try:
            root = parse(path.read_bytes())
        except ValueError:
            continue
        bodies = root.xpath("/*[local-name()='Envelope']/*[local-name()='Body']/*") or [root]
        for payload in bodies if isinstance(bodies, list) else []:
            if str(payload.tag).startswith(f"{{{namespace}}}"):  # type: ignore[union-attr]
                yield payload  # type: ignore[misc]
