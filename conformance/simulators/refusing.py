"""Error answers by name, in the words of the transaction that was asked, or of SOAP, or of HTTP."""

from http import HTTPStatus

from conformance.exchanges import Payload
from conformance.simulators.codes import TOLD, error_code, soap_fault
from conformance.simulators.faults import Fault, FaultKind
from conformance.simulators.reading import Read
from hl7v2.er7 import serialize
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.exchange import OutgoingPart as Part
from soap.faults import SOAPFault, render
from soap.head import ENVELOPE_END, reply_head
from soap.media import SOAP_XML
from soap.mtom import pack

NO_PARTS: tuple[Part, ...] = ()


def refusal(fault: Fault, read: Read, exchange: Exchange) -> Payload | None:
    """The error answer that ``fault`` names. None: the request cannot be read, so there is nothing to refuse."""
    if fault.kind is FaultKind.HTTP_STATUS:
        return http_answer(int(fault.detail), "text/plain", TOLD.encode())
    if fault.kind is FaultKind.SOAP_FAULT:
        return _soap_fault(fault.detail, read, exchange)
    if read.transaction is None:
        return None
    rejected = Rejected(Breach(code=error_code(fault.detail), text=TOLD, location="simulator"))
    if read.message is not None:
        answer = read.transaction.refuse(read.message, rejected, exchange)
        return Payload(content=serialize(answer)) if answer is not None else None
    if read.body is None or read.binding is None:
        return None
    try:
        reply: SOAPReply = read.transaction.refuse(SOAPRequest(read.body, read.parts), rejected, exchange)
    except SOAPFault as raised:
        return _rendered(raised, read, exchange)
    head = reply_head(read.binding.reply_action, read.message_id or None)
    return _spelled(b"".join((head, *reply.body, ENVELOPE_END)), read)


def http_answer(status: int, content_type: str, content: bytes) -> Payload:
    """An answer of HTTP/1.1."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    headers = (("Content-Type", content_type), ("Content-Length", str(len(content))))
    return Payload(start_line=f"HTTP/1.1 {status} {phrase}", headers=headers, content=content)


def _soap_fault(name: str, read: Read, exchange: Exchange) -> Payload:
    return _rendered(soap_fault(name), read, exchange)


def _rendered(fault: SOAPFault, read: Read, exchange: Exchange) -> Payload:
    content = render(fault, exchange.correlation_id, read.message_id or None)
    return http_answer(fault.status, f'{SOAP_XML}; charset=UTF-8; action="{fault.action}"', content)


def _spelled(envelope: bytes, read: Read) -> Payload:
    assert read.binding is not None
    action = read.binding.reply_action
    if not read.binding.mtom:
        return http_answer(200, f'{SOAP_XML}; charset=UTF-8; action="{action}"', envelope)
    content_type, _, chunks = pack(envelope, NO_PARTS, action)
    return http_answer(200, content_type, b"".join(chunks))
