"""How every envelope that we send begins and ends (ITI TF-2: V.9.2)."""

import uuid

from soap.names import ANONYMOUS, SOAP12, WSA
from soap.xml import escape

ENVELOPE_END = b"</soap:Body></soap:Envelope>"

_HEAD = (
    b'<soap:Envelope xmlns:soap="%b" xmlns:wsa="%b"><soap:Header><wsa:Action soap:mustUnderstand="1">%%b</wsa:Action>'
    b"%%b</soap:Header><soap:Body>"
) % (SOAP12.encode(), WSA.encode())


def reply_head(action: str, relates_to: str | None, header: bytes = b"") -> bytes:
    """Spell an answer from its start to the open Body (ITI TF-2: V.9.2.2); IHE-WSA101: Action must be understood."""
    related = b"<wsa:RelatesTo>%b</wsa:RelatesTo>" % escape(relates_to) if relates_to else b""
    return _head(action, b"<wsa:MessageID>urn:uuid:%b</wsa:MessageID>%b%b" % (_uuid(), related, header))


def request_head(action: str, message_id: str, to: str, header: bytes = b"") -> bytes:
    """Spell a request from its start to the open Body (ITI TF-2: V.9.2.1); IHE-WSA102 wants ReplyTo."""
    reply_to = b"<wsa:ReplyTo><wsa:Address>%b</wsa:Address></wsa:ReplyTo>" % ANONYMOUS.encode()
    own = b"<wsa:MessageID>%b</wsa:MessageID>%b" % (escape(message_id), reply_to)
    return _head(action, b'%b<wsa:To soap:mustUnderstand="1">%b</wsa:To>%b' % (own, escape(to), header))


def _head(action: str, headers: bytes) -> bytes:
    return _HEAD % (escape(action), headers)


def _uuid() -> bytes:
    return str(uuid.uuid4()).encode()
