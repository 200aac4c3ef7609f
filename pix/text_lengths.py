"""How long a text about a patient may be: nothing longer is a name or a number, and PostgreSQL indexes no such text.

HL7 v2.5 bounds an XPN, an XAD, an XTN and a CX at 250 characters each (2.A.14, 2.A.84, 2.A.86, 2.A.89), HL7 v3 nothing.
"""

import re
from collections.abc import Iterator
from typing import Any

from hl7v2.encoding import Encoding
from hl7v2.message import HEADERS, Message, Segment
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.model import Demographics
from pix.snapshot import known, to_json

LONGEST = 256
"""Characters of a component, or of a subcomponent."""
READ = frozenset({"MSH", "PID", "MRG", "PV1", "PV2", "ZBE", "QPD", "QID"})
"""Segments of which something is kept, or looked for."""


def refuse_long_fields(message: Message) -> None:
    """Refuse a message in which a text that we would keep, or look for, is too long. Rejected: each of them."""
    long = [each for each in message.segments if each.name in READ and max(map(len, each.fields), default=0) > LONGEST]
    found = [breach for each in long for breach in _long_fields(each)]
    if found:
        raise Rejected(*found)


def long_attributes(demographics: Demographics) -> Iterator[tuple[str, int]]:
    """The attributes that hold a text that is too long, and how long it is."""
    if len(to_json(demographics)) > LONGEST:
        for name, value in known(demographics).items():
            if (length := _longest(value)) > LONGEST:
                yield name, length


def _long_fields(segment: Segment) -> Iterator[Breach]:
    for number, raw in enumerate(segment.fields, 1):
        length = max(map(len, _cut(raw, segment.encoding))) if len(raw) > LONGEST else 0
        if length > LONGEST and not (number <= 2 and segment.name in HEADERS):
            yield Breach(
                code=HL7ErrorCode.DATA_TYPE_ERROR,
                text=f"No component is longer than {LONGEST} characters",
                observed=f"{length} characters",
                location=segment.location(number),
                citation=tf2("Table 3.8-2"),
            )


def _cut(raw: str, encoding: Encoding) -> list[str]:
    delimiters = encoding.component + encoding.repetition + (encoding.subcomponent or "")
    return re.split(f"[{re.escape(delimiters)}]", raw)


def _longest(value: Any) -> int:
    """The length of the longest text in a value as JSON has it."""
    if isinstance(value, str):
        return len(value)
    parts = value.values() if isinstance(value, dict) else value
    return max(map(_longest, parts), default=0)
