"""WS-Addressing 1.0 headers of requests and answers (ITI TF-2: V.3.2.2; WS-Addressing 1.0 SOAP Binding: 6.4)."""

from collections.abc import Iterable
from dataclasses import dataclass

from lxml.etree import QName, _Element

from soap.faults import SOAPFault, sender_fault
from soap.names import ANONYMOUS, WSA, WSA_2004

INVALID_HEADER = f"{{{WSA}}}InvalidAddressingHeader"
HEADER_REQUIRED = f"{{{WSA}}}MessageAddressingHeaderRequired"
ACTION_NOT_SUPPORTED = f"{{{WSA}}}ActionNotSupported"

_SINGLE = {f"{{{WSA}}}{name}": name for name in ("Action", "MessageID", "To", "From", "ReplyTo", "FaultTo")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """The message addressing properties of a request; an answer to it goes back on its own connection.

    A request without MessageID is answered without RelatesTo: Appendix V does not ask for it, and test engines omit it.
    """

    action: str
    message_id: str | None = None
    to: str | None = None


def read_addressing(headers: Iterable[_Element]) -> Addressing:
    """Take the properties from the header blocks that are meant for us; a SOAPFault names the block that is wrong."""
    blocks: dict[str, _Element] = {}
    texts: dict[str, str] = {}
    for header in headers:
        name = _SINGLE.get(str(header.tag))
        if name in blocks:
            raise _invalid(name, "InvalidCardinality", "appears twice")
        if name is not None:
            blocks[name] = header
            texts[name] = (header.text or "").strip()
    _answer_on_the_same_connection(blocks)
    if not texts.get("Action"):
        raise _no_action(headers)
    return Addressing(action=texts["Action"], message_id=texts.get("MessageID") or None, to=texts.get("To"))


def _no_action(headers: Iterable[_Element]) -> SOAPFault:
    old = any(QName(header).namespace == WSA_2004 for header in headers)
    hint = f"; the headers are in {WSA_2004}, the namespace must be {WSA}" if old else ""
    return sender_fault(
        f"The SOAP header wsa:Action is required and was not found{hint} (ITI TF-2: V.3.2.2)",
        HEADER_REQUIRED,
        detail=_problem_header("Action"),
    )


def _answer_on_the_same_connection(blocks: dict[str, _Element]) -> None:
    """Only synchronous exchange is offered: no transaction of Affinity specifies another (ITI TF-2: V.5.3)."""
    for name in ("ReplyTo", "FaultTo"):
        if name not in blocks:
            continue
        address = blocks[name].find(f"{{{WSA}}}Address")
        if address is None:
            raise _invalid(name, "MissingAddressInEPR", "has no wsa:Address")
        if (address.text or "").strip() != ANONYMOUS:
            raise _invalid(name, "OnlyAnonymousAddressSupported", f"must be {ANONYMOUS}: answers are synchronous only")


def _invalid(name: str, subcode: str, what: str) -> SOAPFault:
    return sender_fault(
        f"The SOAP header wsa:{name} {what} (ITI TF-2: V.3.2.2, V.5.3)",
        INVALID_HEADER,
        f"{{{WSA}}}{subcode}",
        detail=_problem_header(name),
    )


def _problem_header(name: str) -> bytes:
    problem = b'<wsa:ProblemHeaderQName xmlns:wsa="%b">wsa:%b</wsa:ProblemHeaderQName>'
    return problem % (WSA.encode(), name.encode())
