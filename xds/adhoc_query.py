"""AdhocQueryRequest: the request of ITI-18 and ITI-51 as a value, and back (ITI TF-2: 3.18.4.1.2.3, 3.51.4.1.2)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import SOAPRequest
from ihe.vocabulary import Vocabulary
from soap.xml import escape
from xds.query_parameters import QueryParameters, decode, encode
from xds.stored_query import Kind, StoredQuery

if TYPE_CHECKING:
    from lxml.etree import _Element

QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
REQUEST = f"{{{QUERY}}}AdhocQueryRequest"
RESPONSE = f"{{{QUERY}}}AdhocQueryResponse"
SLOT, VALUE_LIST, VALUE = (f"{{{RIM}}}{name}" for name in ("Slot", "ValueList", "Value"))
RETURN_TYPE = tf2("3.18.4.1.2.3.1")
QUERY_ID = tf2("3.18.4.1.2.3.2")


class ReturnType(Vocabulary):
    """What an answer holds (ITI TF-2: 3.18.4.1.2.3.1)."""

    LEAF_CLASS = "LeafClass"
    OBJECT_REF = "ObjectRef"


RETURN_TYPES: Mapping[str | None, ReturnType] = {each.value: each for each in ReturnType}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdhocQuery:
    """A valid query. ``home`` is accepted and restricts nothing: this registry is no gateway (3.18.4.1.3)."""

    query: StoredQuery
    parameters: QueryParameters
    return_type: ReturnType
    home: str | None = None


def reader(queries: Iterable[StoredQuery]) -> Callable[[SOAPRequest], AdhocQuery]:
    """Make the ``decode`` of a transaction that answers these queries; it raises Rejected with every breach."""
    known = {query.id: query for query in queries}

    def read(wire: SOAPRequest) -> AdhocQuery:
        element = wire.body.find(f"{{{RIM}}}AdhocQuery")
        query_id = "" if element is None else (element.get("id") or "").strip()
        return_type, breaches = _return_type(wire.body)
        query = known.get(query_id)
        if element is None or query is None:
            raise Rejected(*breaches, _unknown(query_id, known.values()))
        parameters, wrong = decode(query, slots(element))
        if return_type is None or wrong:
            raise Rejected(*breaches, *wrong)
        return AdhocQuery(query=query, parameters=parameters, return_type=return_type, home=element.get("home"))

    return read


def queried_patients(asked: AdhocQuery) -> Iterator[CX]:
    """The patients whom the query names."""
    for parameter in asked.query.parameters:
        if parameter.kind is Kind.PATIENT_ID:
            yield from asked.parameters.any_of(parameter.name, CX)


def write(asked: AdhocQuery) -> Iterator[bytes]:
    """Spell the AdhocQueryRequest of a Document Consumer."""
    home = b"" if asked.home is None else b' home="%s"' % escape(asked.home)
    yield (
        (
            f'<query:AdhocQueryRequest xmlns:query="{QUERY}" xmlns:rim="{RIM}">'
            f'<query:ResponseOption returnComposedObjects="true" returnType="{asked.return_type.value}"/>'
            f'<rim:AdhocQuery id="{asked.query.id}"'
        ).encode()
        + home
        + b">"
    )
    for name, texts in encode(asked.query, asked.parameters):
        values = b"".join(b"<rim:Value>%s</rim:Value>" % escape(text) for text in texts)
        yield b'<rim:Slot name="%s"><rim:ValueList>%s</rim:ValueList></rim:Slot>' % (escape(name), values)
    yield b"</rim:AdhocQuery></query:AdhocQueryRequest>"


def slots(element: "_Element") -> list[tuple[str, list[str]]]:
    """The parameters of an AdhocQuery as they are spelled: names, and texts of their values."""
    found = []
    for slot in element.iterchildren(SLOT):
        values = [value.text or "" for each in slot.iterchildren(VALUE_LIST) for value in each.iterchildren(VALUE)]
        found.append(((slot.get("name") or "").strip(), values))
    return found


def _return_type(body: "_Element") -> tuple[ReturnType | None, tuple[Breach, ...]]:
    option = body.find(f"{{{QUERY}}}ResponseOption")
    asked = None if option is None else option.get("returnType")
    if asked in RETURN_TYPES:
        return RETURN_TYPES[asked], ()
    breach = Breach(
        code=ErrorCode.REGISTRY_ERROR,
        text="The returnType is not one that Registry Stored Query supports",
        location="ResponseOption/@returnType",
        observed=asked or "none, which means RegistryObject",
        expected="LeafClass or ObjectRef",
        citation=RETURN_TYPE,
    )
    return None, (breach,)


def _unknown(query_id: str, known: Iterable[StoredQuery]) -> Breach:
    return Breach(
        code=ErrorCode.UNKNOWN_STORED_QUERY,
        text="The Query ID is not recognized by this transaction",
        location="AdhocQuery/@id",
        observed=query_id[:100],
        expected=", ".join(f"{query.name} {query.id}" for query in known),
        citation=QUERY_ID,
    )
