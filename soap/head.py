"""How every envelope that we send begins and ends (ITI TF-2: V.9.2)."""

from functools import lru_cache

from ihe.identifiers import new_uuid
from soap.names import ANONYMOUS, SOAP12, WSA
from soap.xml import escape

ENVELOPE_END = b"</soap:Body></soap:Envelope>"

_BEGINNING = (
    b'<soap:Envelope xmlns:soap="%b" xmlns:wsa="%b"><soap:Header><wsa:Action soap:mustUnderstand="1">%%b</wsa:Action>'
) % (SOAP12.encode(), WSA.encode())
_HEAD_END = b"</soap:Header><soap:Body>"


def reply_head(action: str, relates_to: str | None, header: bytes = b"") -> bytes:
    """Spell an answer from its start to the open Body (ITI TF-2: V.9.2.2); IHE-WSA101: Action must be understood."""
    related = b"<wsa:RelatesTo>%b</wsa:RelatesTo>" % escape(relates_to) if relates_to else b""
    message_id = b"<wsa:MessageID>urn:uuid:%b</wsa:MessageID>" % new_uuid().encode()
    return b"".join((_beginning(action), message_id, related, header, _HEAD_END))


def request_head(action: str, message_id: str, to: str, header: bytes = b"") -> bytes:
    """Spell a request from its start to the open Body (ITI TF-2: V.9.2.1); IHE-WSA102 wants ReplyTo."""
    reply_to = b"<wsa:ReplyTo><wsa:Address>%b</wsa:Address></wsa:ReplyTo>" % ANONYMOUS.encode()
    own = b"<wsa:MessageID>%b</wsa:MessageID>%b" % (escape(message_id), reply_to)
    addressed = b'<wsa:To soap:mustUnderstand="1">%b</wsa:To>' % escape(to)
    return b"".join((_beginning(action), own, addressed, header, _HEAD_END))


@lru_cache(maxsize=256)
def _beginning(action: str) -> bytes:
    """The action is one of a binding, or of a fault."""
    return _BEGINNING % escape(action)
