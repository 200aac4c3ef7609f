"""SOAP faults: the one edge that turns trouble with a message into a Fault (SOAP 1.2 Part 1: 5.4; Part 2: 7.5.2.2).

A fault is for the envelope, the addressing, the security and what we did not foresee. What a transaction itself refuses
is answered in the transaction's own words.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from lxml.etree import QName

from soap.head import ENVELOPE_END, reply_head
from soap.names import SOAP11, SOAP12, WSA, WSSE
from soap.xml import escape

SOAP_FAULT_ACTION = "http://www.w3.org/2005/08/addressing/soap/fault"
"""The wsa:Action of faults that SOAP or we define (WS-Addressing 1.0 SOAP Binding: 6)."""
WSA_FAULT_ACTION = "http://www.w3.org/2005/08/addressing/fault"
"""The wsa:Action of faults that WS-Addressing defines (WS-Addressing 1.0 SOAP Binding: 6.4)."""

RETRY_AFTER = 10
"""Seconds after which a busy server, or one without room on its disk, is worth another try."""

PREFIXES: Mapping[str, str] = MappingProxyType({SOAP12: "soap", WSA: "wsa", WSSE: "wsse"})


class FaultCode(StrEnum):
    """The five codes of SOAP 1.2 (Part 1: 5.4.6)."""

    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"
    DATA_ENCODING_UNKNOWN = "DataEncodingUnknown"
    SENDER = "Sender"
    RECEIVER = "Receiver"


class SOAPFault(Exception):
    """A message cannot be processed. ``reason`` is a sentence for its sender and holds no data of patients.

    ``subcodes`` are QNames in Clark notation, the general one first. ``detail`` and ``header`` are ready XML with its
    own namespace declarations. ``status`` is the HTTP status when it differs from what the code implies. After ``wait``
    seconds another try is worth it, if it is.
    """

    def __init__(
        self,
        code: FaultCode,
        reason: str,
        *subcodes: str,
        detail: bytes = b"",
        header: bytes = b"",
        status: int = 0,
        wait: int = 0,
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.subcodes = subcodes
        self.detail = detail
        self.header = header
        self.status = status or (400 if code is FaultCode.SENDER else 500)
        self.wait = wait

    @property
    def action(self) -> str:
        """The wsa:Action under which this fault travels."""
        of_addressing = self.subcodes and QName(self.subcodes[0]).namespace == WSA
        return WSA_FAULT_ACTION if of_addressing else SOAP_FAULT_ACTION


def sender_fault(reason: str, *subcodes: str, detail: bytes = b"", status: int = 0) -> SOAPFault:
    """The message itself is wrong; sending it again unchanged cannot help."""
    return SOAPFault(FaultCode.SENDER, reason, *subcodes, detail=detail, status=status)


def busy(why: str) -> SOAPFault:
    """The message may be good, and we cannot take it now."""
    return SOAPFault(FaultCode.RECEIVER, f"The server is busy: {why}; send again later", status=503, wait=RETRY_AFTER)


def too_many(why: str, wait: int) -> SOAPFault:
    """The message may be good, and its sender has sent too many (RFC 6585: 4)."""
    return SOAPFault(FaultCode.RECEIVER, why, status=429, wait=wait)


def unforeseen(correlation_id: str) -> SOAPFault:
    """What we did not foresee: the log has the story, the sender gets the number to ask for."""
    return SOAPFault(FaultCode.RECEIVER, f"The request could not be processed; ask the operator for {correlation_id}")


def render(fault: SOAPFault, correlation_id: str, relates_to: str | None = None) -> bytes:
    """Spell a fault as a SOAP 1.2 envelope; its text ends with the correlation id."""
    text = escape(f"{fault.reason} [{correlation_id}]")
    return b"".join(
        (
            reply_head(fault.action, relates_to, fault.header),
            b"<soap:Fault><soap:Code><soap:Value>soap:%b</soap:Value>" % fault.code.value.encode(),
            _subcodes(fault.subcodes),
            b'</soap:Code><soap:Reason><soap:Text xml:lang="en">%b</soap:Text></soap:Reason>' % text,
            b"<soap:Detail>%b</soap:Detail>" % fault.detail if fault.detail else b"",
            b"</soap:Fault>",
            ENVELOPE_END,
        )
    )


def render_version_mismatch_for_soap11(fault: SOAPFault, correlation_id: str) -> bytes:
    """Spell VersionMismatch so that a SOAP 1.1 node can read it (SOAP 1.2 Part 1: Appendix A)."""
    return (
        b'<env:Envelope xmlns:env="%b"><env:Header>%b</env:Header><env:Body><env:Fault>'
        b"<faultcode>env:VersionMismatch</faultcode><faultstring>%b</faultstring></env:Fault></env:Body></env:Envelope>"
    ) % (SOAP11.encode(), fault.header, escape(f"{fault.reason} [{correlation_id}]"))


def _subcodes(names: tuple[str, ...]) -> bytes:
    """Nest the subcodes, each with the declaration of its prefix."""
    if not names:
        return b""
    name = QName(names[0])
    prefix = PREFIXES.get(name.namespace or "", "sub")
    return b'<soap:Subcode><soap:Value xmlns:%b="%b">%b:%b</soap:Value>%b</soap:Subcode>' % (
        prefix.encode(),
        escape(name.namespace or ""),
        prefix.encode(),
        escape(name.localname),
        _subcodes(names[1:]),
    )
