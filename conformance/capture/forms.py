"""How a message stands in a file: in lines, so that a person reads it and git compares it, and byte for byte the same.

Every form can be undone: a break is only put where the message itself has none of the kind.
"""

from dataclasses import dataclass
from enum import StrEnum

BREAKS = ("\n", "\n\t", "\n \t", "\n\t ")
"""What is put between two tags; the first that the message does not have there."""


class Form(StrEnum):
    """What was done to a message."""

    AS_SENT = "as sent"
    SEGMENTS = "segments"
    """Each line end of the file is a carriage return on the wire (HL7 v2)."""
    FOLDED = "folded"
    """The line break that is named stands between tags that followed each other at once (XML)."""


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes of a file and how they are read back; ``line_break`` of the folded form alone."""

    content: bytes
    form: Form
    line_break: str = ""


def write(message: bytes) -> Written:
    """Choose the form and write the message in it."""
    if b"\r" in message and b"\n" not in message:
        return Written(message.replace(b"\r", b"\n"), Form.SEGMENTS)
    for each in BREAKS if b"><" in message else ():
        between = f">{each}<".encode()
        if between not in message:
            return Written(message.replace(b"><", between), Form.FOLDED, each)
    return Written(message, Form.AS_SENT)


def read(written: Written) -> bytes:
    """The message, as it was sent."""
    match written.form:
        case Form.SEGMENTS:
            return written.content.replace(b"\n", b"\r")
        case Form.FOLDED:
            return written.content.replace(f">{written.line_break}<".encode(), b"><")
    return written.content
