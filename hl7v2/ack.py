"""Acknowledgements: MSA and ERR, in original and enhanced mode (ITI TF-2: C.2.3; HL7 v2.5: 2.9)."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from hl7v2.compose import FieldValue, answer, segment
from hl7v2.message import Message, Segment
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Rejected, Severity
from ihe.exchange import Exchange

LOCATION = re.compile(r"([A-Z][A-Z0-9]{2})((?:\^\d+){1,5})")

MOST = 2048
"""The length of ERR-7, Diagnostic Information (HL7 v2.5: 2.15.5)."""

SENTENCES: Mapping[HL7ErrorCode, str] = {
    HL7ErrorCode.SEGMENT_SEQUENCE_ERROR: "Segment sequence error",
    HL7ErrorCode.REQUIRED_FIELD_MISSING: "Required field missing",
    HL7ErrorCode.DATA_TYPE_ERROR: "Data type error",
    HL7ErrorCode.TABLE_VALUE_NOT_FOUND: "Table value not found",
    HL7ErrorCode.UNSUPPORTED_MESSAGE_TYPE: "Unsupported message type",
    # Table 0357 says "event code"; the table of ERR-3 says "trigger event" and is the stricter text (ITI TF-2: C.2.3).
    HL7ErrorCode.UNSUPPORTED_EVENT_CODE: "Unsupported trigger event",
    HL7ErrorCode.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    HL7ErrorCode.UNSUPPORTED_VERSION_ID: "Unsupported version id",
    HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER: "Unknown key identifier",
    HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER: "Duplicate key identifier",
    HL7ErrorCode.APPLICATION_RECORD_LOCKED: "Application record locked",
    HL7ErrorCode.APPLICATION_INTERNAL_ERROR: "Application internal error",
}
"""HL7 table 0357 (ITI TF-2: C.2.3.2)."""

REJECTIONS = frozenset(
    {
        HL7ErrorCode.UNSUPPORTED_MESSAGE_TYPE,
        HL7ErrorCode.UNSUPPORTED_EVENT_CODE,
        HL7ErrorCode.UNSUPPORTED_PROCESSING_ID,
        HL7ErrorCode.UNSUPPORTED_VERSION_ID,
        HL7ErrorCode.APPLICATION_RECORD_LOCKED,
        HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
    }
)
"""AR, not AE: what is wrong with MSH, and what may go well when it is sent again (ITI TF-2: Table C.2.3.1-2).

Table 0357 files 204 and 205 under rejection too, but ITI-9 and ITI-21 answer 204 with AE (3.9.4.2.2.6, 3.21.4.2.2.8).
"""


class Outcome(StrEnum):
    """What became of the message; the value is the second letter of MSA-1 (HL7 table 0008)."""

    ACCEPT = "A"
    ERROR = "E"
    REJECT = "R"


class Mode(StrEnum):
    """Who acknowledges; the value is the first letter of MSA-1 (HL7 table 0008)."""

    ORIGINAL = "A"
    ENHANCED = "C"


def outcome(rejected: Rejected | None) -> Outcome:
    """Judge the breaches as one: accepted if there are none or only warnings."""
    if rejected is None:
        return Outcome.ACCEPT
    errors = [breach for breach in rejected.breaches if breach.severity is Severity.ERROR]
    if not errors:
        return Outcome.ACCEPT
    return Outcome.REJECT if any(_code(breach) in REJECTIONS for breach in errors) else Outcome.ERROR


def mode(message: Message) -> Mode:
    """Which mode the sender asks for: enhanced if MSH-15 or MSH-16 has a value (HL7 v2.5: 2.9).

    Ask only in a transaction that provides for enhanced mode, as ITI-30 does; all others use the original mode whatever
    MSH-15 says (ITI TF-2: C.2.3).
    """
    header = message.header
    return Mode.ENHANCED if header.text(15) or header.text(16) else Mode.ORIGINAL


def ack(message: Message, rejected: Rejected | None, exchange: Exchange, mode: Mode = Mode.ORIGINAL) -> Message | None:
    """Acknowledge ``message``; None if the sender wants no answer to such an outcome (enhanced mode only).

    One answer goes back on the connection. In enhanced mode it is the application acknowledgement if MSH-16 wants one,
    because the message is stored and handled by then; else the commit acknowledgement that MSH-15 wants.
    """
    result = outcome(rejected)
    letter = mode if mode is Mode.ORIGINAL else _enhanced(message, result)
    if letter is None:
        return None
    message_type = ("ACK", message.event, "ACK") if message.event else ("ACK",)
    return answer(message, exchange, message_type, (msa(message, letter + result), *errors(message, rejected)))


def msa(message: Message, code: str) -> Segment:
    """MSA: the code of table 0008, and MSH-10 of what is acknowledged (ITI TF-2: C.2.3.1)."""
    return segment("MSA", {1: code, 2: message.control_id})


def errors(message: Message, rejected: Rejected | None) -> Iterable[Segment]:
    """One ERR for each breach, in the form that the version of ``message`` knows (ITI TF-2: C.2.3.2)."""
    for breach in rejected.breaches if rejected else ():
        yield segment("ERR", _err(breach) | (_err_1(breach) if message.version.startswith("2.3") else {}))


def _enhanced(message: Message, result: Outcome) -> Mode | None:
    if _wanted(message.header.text(16), result):
        return Mode.ORIGINAL
    return Mode.ENHANCED if _wanted(message.header.text(15), result) else None


def _wanted(condition: str, result: Outcome) -> bool:
    """HL7 table 0155; an unknown condition is answered, since silence looks like a dead connection."""
    accepted = result is Outcome.ACCEPT
    return {"AL": True, "NE": False, "": False, "ER": not accepted, "SU": accepted}.get(condition, True)


def _err(breach: Breach) -> dict[int, FieldValue]:
    code = _code(breach)
    located = LOCATION.fullmatch(breach.location)
    return {
        2: tuple(breach.location.split("^")) if located else None,
        3: (str(code.value), SENTENCES[code], "HL70357"),
        4: "W" if breach.severity is Severity.WARNING else "E",
        7: _diagnosis(breach),
        8: breach.text[:250],
    }


def _err_1(breach: Breach) -> dict[int, FieldValue]:
    """ERR-1 as HL7 v2.3.1 has it, its only field: segment, sequence, field position, code."""
    code = _code(breach)
    located = LOCATION.fullmatch(breach.location)
    position = breach.location.split("^")[:3] if located else []
    return {1: (*position, *[None] * (3 - len(position)), (str(code.value), SENTENCES[code], "HL70357"))}


def _diagnosis(breach: Breach) -> str:
    unlocated = breach.location and not LOCATION.fullmatch(breach.location)
    where = f" [{breach.location}]" if unlocated else ""
    return (breach.within(MOST - len(where)).code_context + where)[:MOST]


def _code(breach: Breach) -> HL7ErrorCode:
    """The v2 code of a breach; one that only Document Sharing has a code for is an internal error here."""
    return HL7ErrorCode.APPLICATION_INTERNAL_ERROR if isinstance(breach.code, ErrorCode) else breach.code
