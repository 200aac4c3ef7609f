"""A PIX Consumer that a PIX Manager under test tells: ITI-10 and ITI-46 (ITI TF-2: 3.10, 3.46); it accepts all."""

import uuid
from datetime import UTC, datetime

from conformance.exchanges import Payload
from conformance.simulators.reading import Read
from conformance.simulators.refusing import http_answer
from hl7v2.ack import ack
from hl7v2.er7 import serialize
from ihe.exchange import Exchange
from pix.v3_answers import accept_acknowledgement
from soap.faults import render, sender_fault
from soap.head import ENVELOPE_END, reply_head
from soap.media import SOAP_XML
from soap.xml import serialize as serialize_xml


def told_by_message(read: Read) -> Payload | None:
    """Accept ADT^A31; of what is no message there is nothing to acknowledge."""
    if read.message is None:
        return None
    answer = ack(read.message, None, _circumstances())
    return Payload(content=serialize(answer)) if answer is not None else None


def told_by_soap(read: Read) -> Payload:
    """Accept PRPA_IN201302UV02; anything else is a fault of its sender."""
    if read.name != "ITI-46" or read.body is None or read.binding is None:
        fault = sender_fault("A PIX Consumer takes PRPA_IN201302UV02 of ITI-46 (ITI TF-2: 3.46.4.1)")
        content = render(fault, uuid.uuid4().hex, read.message_id or None)
        return http_answer(fault.status, f"{SOAP_XML}; charset=UTF-8", content)
    accepted = serialize_xml(accept_acknowledgement(read.body, _circumstances()))
    head = reply_head(read.binding.reply_action, read.message_id or None)
    kind = f'{SOAP_XML}; charset=UTF-8; action="{read.binding.reply_action}"'
    return http_answer(200, kind, b"".join((head, accepted, ENVELOPE_END)))


def _circumstances() -> Exchange:
    return Exchange(correlation_id=uuid.uuid4().hex, received_at=datetime.now(UTC))
