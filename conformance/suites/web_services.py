"""How a Document Registry speaks web services: envelopes, WS-Addressing, faults (ITI TF-2: Appendix V)."""

import uuid

from affinity.client.bindings import soap_binding
from affinity.client.stored_queries import find_query
from affinity.client.xds import quoted, stored_query
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.soap import Called
from conformance.counterparts.wires import Call
from conformance.covering import Suite, covers
from conformance.expectations import faulted, related, spelled, succeeded
from ihe.datatypes import CX, HD
from ihe.transactions import Actor
from soap.head import ENVELOPE_END, request_head
from xds.iti18 import ITI_18
from xds.model import AvailabilityStatus

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
ACTION = soap_binding(ITI_18).action
NOBODY = CX("CT-NOBODY", HD("", "2.999", "ISO"))


def _question(patient: CX) -> bytes:
    whose = ("$XDSDocumentEntryPatientId", (quoted(spelled(patient)),))
    status = ("$XDSDocumentEntryStatus", (f"('{AvailabilityStatus.APPROVED.value}')",))
    return stored_query(find_query("FindDocuments").id, (whose, status))


def _post(
    documents: DocumentActors,
    edit: tuple[bytes, bytes] = (b"", b""),
    *,
    patient: CX = NOBODY,
    content_type: str = "",
    header: bytes = b"",
) -> Called:
    """A good query with one change of its envelope or of its Content-Type."""
    url = documents.system.url(Actor.DOCUMENT_REGISTRY)
    message_id = f"urn:uuid:{uuid.uuid4()}"
    head = request_head(ACTION, message_id, url, documents.caller.security(url) + header)
    good = head + _question(patient) + ENVELOPE_END
    message = good.replace(*edit) if edit[0] else good
    call = Call(transaction="ITI-18", initiator=Actor.DOCUMENT_CONSUMER, responder=Actor.DOCUMENT_REGISTRY)
    media = content_type or f'application/soap+xml; charset=UTF-8; action="{ACTION}"'
    return documents.caller.post(call, url, media, message, message_id)


@covers("TF2-V-021", "TF2-V-025", "TF2-V-009", "TF2-V-046", "TF2-V-031", "TF2-V-036")
def test_a_good_envelope(documents: DocumentActors, patient: CX) -> None:
    """SOAP 1.2 is answered on the same connection, with RelatesTo and Action."""
    called = _post(documents, patient=patient)
    succeeded(called)
    related(called)


@covers("TF2-V-001")
def test_an_unknown_action(documents: DocumentActors) -> None:
    """A wsa:Action that nobody knows is a fault."""
    faulted(_post(documents, (ACTION.encode(), b"urn:nobody:knows:this")), "ActionNotSupported", "Sender")


@covers("TF2-V-002")
def test_a_header_that_must_be_understood(documents: DocumentActors) -> None:
    """A header with mustUnderstand that nobody knows is a fault."""
    header = b'<x:strange xmlns:x="urn:nobody:knows" soap:mustUnderstand="1">this</x:strange>'
    faulted(_post(documents, header=header), "MustUnderstand")


@covers("TF2-V-003")
def test_other_prefixes(documents: DocumentActors, patient: CX) -> None:
    """Other prefixes for the same namespaces are understood."""
    question = _question(patient)
    for before, after in ((b"xmlns:query=", b"xmlns:q="), (b"<query:", b"<q:"), (b"</query:", b"</q:")):
        question = question.replace(before, after)
    succeeded(documents.ask(question))


@covers("TF2-V-028")
def test_must_understand_as_a_word(documents: DocumentActors, patient: CX) -> None:
    """mustUnderstand "true" is as good as "1"."""
    succeeded(_post(documents, (b'mustUnderstand="1"', b'mustUnderstand="true"'), patient=patient))


@covers("TF2-V-020")
def test_another_soap_action(documents: DocumentActors, patient: CX) -> None:
    """A wrong soapAction of the media type does not count."""
    media = 'application/soap+xml; charset=UTF-8; action="urn:another:one"'
    succeeded(_post(documents, patient=patient, content_type=media))


@covers("TF2-V-021")
def test_what_is_no_xml(documents: DocumentActors) -> None:
    """A message that is cut off is a fault of the sender."""
    faulted(_post(documents, (ENVELOPE_END, b"")), "Sender")


@covers("TF2-V-021")
def test_a_document_type_definition(documents: DocumentActors) -> None:
    """A message with a DTD is refused (SOAP 1.2 Part 1: 5)."""
    dtd = b'<!DOCTYPE x [<!ENTITY e "e">]><soap:Envelope'
    faulted(_post(documents, (b"<soap:Envelope", dtd)), "Sender")
