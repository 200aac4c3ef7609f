"""Build segments, messages and answers (ITI TF-2: C.2.2). Escaping, MSH-1, MSH-2 and MSH-18 are done here.

A field is a text, a tuple of components (each a text or a tuple of subcomponents), or a list of such repetitions;
None is an empty one and ``NULL`` the explicit null.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from hl7v2.encoding import STANDARD, Charset, Encoding, read_text, write_text
from hl7v2.message import HEADERS, Message, Segment
from ihe.exchange import Exchange

Component = str | tuple[str | None, ...] | None
Value = str | tuple[Component, ...] | None
FieldValue = Value | list[Value] | list[str] | list[tuple[Component, ...]]

RESPELLED = re.compile(r"\\X|[\x00-\x08\x0a-\x1f]")
"""What may not be copied: bytes of another character set, and control characters, which end an MLLP frame."""

APPLICATION = FACILITY = "AFFINITY"
"""Who answers a message that does not say whom it was sent to."""


def segment(name: str, fields: Mapping[int, FieldValue]) -> Segment:
    """Build a segment from its fields by number. ValueError if a text holds NUL, which cannot be written."""
    last = max([number for number, value in fields.items() if value is not None], default=0)
    return Segment(name, tuple([_field(fields.get(number)) for number in range(1, last + 1)]), STANDARD)


def compose(header: Mapping[int, FieldValue], segments: Iterable[Segment], prefer: Charset = Charset.UTF_8) -> Message:
    """Build a message from the fields 3 and following of MSH and the segments after it.

    Segments taken from another message are spelled anew in the standard's own delimiters. MSH-18 is left out where
    ASCII suffices (ITI TF-2: C.2.2); else it is ``prefer``, or UTF-8 where ``prefer`` cannot write the message.
    """
    return _assemble(segment("MSH", header), segments, prefer)


def answer(
    question: Message,
    exchange: Exchange,
    message_type: tuple[str, ...],
    segments: Iterable[Segment],
    header: Mapping[int, FieldValue] | None = None,
) -> Message:
    """Build the answer to ``question``: its receiver sends it to its sender (ITI TF-2: 3.21.4.1.3.1).

    Version and processing id are echoed; ``header`` adds or replaces fields of MSH, for example 14 (continuation).
    """
    asked = _standard(question.header)
    said: dict[int, FieldValue] = {
        7: _dtm(exchange.received_at),
        9: message_type,
        10: exchange.correlation_id[-20:],
    }
    fields = [""] * max(12, *said, *(header or said))
    sent = (*asked.fields, *[""] * 12)
    fields[2:6] = sent[4] or APPLICATION, sent[5] or FACILITY, sent[2], sent[3]
    fields[10:12] = sent[10] or "P", sent[11] or "2.5"
    for number, value in (said | dict(header) if header else said).items():
        fields[number - 1] = _field(value) or fields[number - 1]
    return _assemble(Segment("MSH", tuple(fields), STANDARD), segments, question.encoding.charset)


def _dtm(at: datetime) -> str:
    """To the second, with the zone: strftime takes several times as long."""
    day, _, time = at.isoformat(timespec="seconds").partition("T")
    return day.replace("-", "") + time.replace(":", "")


def _assemble(header: Segment, segments: Iterable[Segment], prefer: Charset) -> Message:
    body = [_standard(each) for each in segments]
    text = "".join(["".join(each.fields) for each in (header, *body)])
    encoding = STANDARD if text.isascii() else replace(STANDARD, charset=_charset(text, prefer))
    fields = [*header.fields, *[""] * (18 - len(header.fields))]
    fields[:2] = encoding.field, encoding.characters
    fields[17] = "" if text.isascii() else encoding.charset.value
    while not fields[-1]:
        fields.pop()
    return Message(tuple(_numbered((Segment("MSH", tuple(fields), encoding), *body), encoding)), encoding)


def _charset(text: str, prefer: Charset) -> Charset:
    try:
        text.encode(prefer.codec)
    except UnicodeEncodeError:
        return Charset.UTF_8
    return prefer


def _numbered(segments: Iterable[Segment], encoding: Encoding) -> list[Segment]:
    seen: dict[str, int] = {}
    numbered = []
    for each in segments:
        count = seen[each.name] = seen.get(each.name, 0) + 1
        kept = each.encoding is encoding and each.occurrence == count
        numbered.append(each if kept else Segment(each.name, each.fields, encoding, count))
    return numbered


def _standard(source: Segment) -> Segment:
    """Spell a segment in the standard's delimiters, its hexadecimal escapes as text and its control characters not."""
    standard = source.encoding is STANDARD or source.encoding.delimiters == STANDARD.delimiters
    if standard and not RESPELLED.search("".join(source.fields)):
        return source
    fields = (
        raw if source.name in HEADERS and number < 2 else _respelled(raw, source.encoding)
        for number, raw in enumerate(source.fields)
    )
    return replace(source, fields=tuple(fields), encoding=STANDARD)


def _respelled(raw: str, source: Encoding) -> str:
    for old, new in _separators(source):
        if old is not None and old in raw:
            return new.join(_respelled(part, source) for part in raw.split(old))
    return write_text(read_text(raw, source), STANDARD)


def _separators(source: Encoding) -> tuple[tuple[str | None, str], ...]:
    return (
        (source.repetition, STANDARD.repetition),
        (source.component, STANDARD.component),
        (source.subcomponent, STANDARD.subcomponent or ""),
    )


def _field(value: FieldValue) -> str:
    if not value:
        return ""
    if isinstance(value, str):
        return write_text(value, STANDARD)
    if isinstance(value, list):
        return STANDARD.repetition.join(_repetition(each) for each in value)
    return _repetition(value)


def _repetition(value: Value) -> str:
    if isinstance(value, tuple):
        return _joined([_component(each) if each else "" for each in value], STANDARD.component)
    return _component(value)


def _component(value: Component) -> str:
    if isinstance(value, tuple):
        return _joined([write_text(each, STANDARD) if each else "" for each in value], STANDARD.subcomponent or "")
    return write_text(value, STANDARD) if value else ""


def _joined(parts: list[str], delimiter: str) -> str:
    return delimiter.join(parts).rstrip(delimiter)
