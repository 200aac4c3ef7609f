"""ER7: bytes to Message and back (HL7 v2.5: 2.6, 2.7; ITI TF-2: C.2.2). Unknown content survives the way.

Read more widely than written, by name: CR, LF or CRLF end a segment; the last end and empty lines do not matter; a
message with no MSH-18 is read as UTF-8, which contains ASCII and does not mistake another character set for itself.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from hl7v2.encoding import UNDECLARED, Charset, Encoding, charset
from hl7v2.message import HEADERS, Message, Segment
from ihe.citations import Citation, tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected

SEGMENT_NAME = re.compile("[A-Z][A-Z0-9]{2}")
LINE_END = re.compile("[\r\n]+")
BLANK = " \t\r\n\0"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


MOST_SEGMENTS = 100_000
MOST_FIELDS = 1_000_000
"""Fields and repetitions in one message: far above honest ones, and low enough for our memory."""

MOST_BREACHES = 20


class NotHL7(Exception):
    """There is no MSH segment, so there is nothing that an acknowledgement could answer."""


class Malformed(Rejected):
    """The message cannot be read, but its MSH can be answered: ``header`` is a message of that segment alone."""

    def __init__(self, header: Message, *breaches: Breach) -> None:
        super().__init__(*breaches)
        self.header = header


def parse(data: bytes, undeclared: Charset | Callable[[Message], Charset] = UNDECLARED) -> Message:
    """Read one message. ``undeclared`` is the character set of a source that leaves MSH-18 empty, or finds it by MSH.

    Raises NotHL7 if there is no MSH, Malformed with every breach found if there is one but the rest cannot be read.
    """
    start = data.removeprefix(BYTE_ORDER_MARK).lstrip(BLANK.encode())
    header = parse_header(start)
    declared = _declared(header, undeclared)
    lines = _lines(_decode(start, declared, header), header)
    encoding = header.encoding if declared is header.encoding.charset else _with_charset(header.encoding, declared)
    return Message(_segments(lines, encoding, header), encoding)


def parse_header(data: bytes) -> Message:
    """Read the MSH segment alone, whatever follows, to answer what cannot be read or is too long.

    Raises NotHL7 if there is no MSH, Malformed if its delimiters are unusable.
    """
    if len(data) < 5 or not data.startswith(b"MSH"):
        raise NotHL7(f"the input of {len(data)} bytes does not begin with an MSH segment (HL7 v2.5: 2.5)")
    line = LINE_END.split(data[:65536].decode("latin-1"), 1)[0].replace("\0", "")
    if not _is_delimiter(line[3:4]):
        raise NotHL7("MSH is not followed by a field separator (HL7 v2.5: 2.5.4)")
    encoding = _encoding(line)
    return Message((_segment(line, encoding, 1),), encoding)


def serialize(message: Message) -> bytes:
    """Write one message; every segment ends with CR. UnicodeEncodeError (a ValueError) if a text is outside MSH-18."""
    field = message.encoding.field
    lines = [_line(segment, field) for segment in message.segments]
    return "".join(lines).encode(message.encoding.charset.codec)


def _line(segment: Segment, field: str) -> str:
    if segment.name in HEADERS:
        return f"{segment.name}{field}{field.join(segment.fields[1:])}\r"
    return f"{segment.name}{field}{field.join(segment.fields)}\r" if segment.fields else f"{segment.name}\r"


def _encoding(line: str) -> Encoding:
    characters = line[4:].split(line[3], 1)[0]
    encoding = _declared_by(line[3], characters) if len(characters) <= 5 else None
    if encoding is None:
        raise Malformed(_best_effort(line), _unusable(line[3] + characters))
    return encoding


@lru_cache(maxsize=64)
def _declared_by(field: str, characters: str) -> Encoding | None:
    """What MSH-1 and MSH-2 declare; None if they cannot be told apart, or are too few."""
    distinct = len({field, *characters}) == len(characters) + 1
    if len(characters) < 2 or not distinct or not all(map(_is_delimiter, characters)):
        return None
    component, repetition, escape, subcomponent, truncation = (*characters, None, None, None)[:5]
    return Encoding(
        field=field,
        component=component,
        repetition=repetition,
        escape=escape,
        subcomponent=subcomponent,
        truncation=truncation,
    )


def _best_effort(line: str) -> Message:
    """The header as the standard's own delimiters read it, so that the answer can name the message."""
    encoding = Encoding(field=line[3]) if line[3] not in Encoding().characters else Encoding()
    return Message((_segment(line, encoding, 1),), encoding)


def _is_delimiter(character: str) -> bool:
    return "!" <= character <= "~" and not character.isalnum() and character != '"'


def _declared(header: Message, undeclared: Charset | Callable[[Message], Charset]) -> Charset:
    repetitions = header.header.repetitions(18)
    name = repetitions[0].text() if repetitions else ""
    if not name:
        return undeclared if isinstance(undeclared, Charset) else undeclared(header)
    found = charset(name)
    if found is None:
        raise Malformed(header, _unknown_charset(name))
    return found


@lru_cache(maxsize=64)
def _with_charset(encoding: Encoding, declared: Charset) -> Encoding:
    return replace(encoding, charset=declared)


def _decode(data: bytes, declared: Charset, header: Message) -> str:
    try:
        return data.decode(declared.codec)
    except UnicodeDecodeError as undecodable:
        location = _location_of(data, undecodable.start, header.encoding.field)
        raise Malformed(header, _undecodable(declared, location)) from None


def _location_of(data: bytes, offset: int, field: str) -> str:
    lines = LINE_END.split(data[:offset].decode("latin-1"))
    name = lines[-1][:3]
    if not SEGMENT_NAME.fullmatch(name):
        return ""
    occurrence = sum(line[:3] == name for line in lines)
    number = lines[-1].count(field) + (name in HEADERS)
    return f"{name}^{occurrence}^{number}"


def _lines(text: str, header: Message) -> list[str]:
    fields = text.count(header.encoding.field) + text.count(header.encoding.repetition)
    if fields > MOST_FIELDS or text.count("\r") + text.count("\n") > 2 * MOST_SEGMENTS:
        raise Malformed(header, _too_many())
    lines = LINE_END.split(text) if "\n" in text else text.split("\r")
    return [line for line in lines if line.strip(BLANK)]


def _segments(lines: list[str], encoding: Encoding, header: Message) -> tuple[Segment, ...]:
    seen: dict[str, int] = {}
    segments = []
    breaches = []
    for number, line in enumerate(lines, 1):
        name = line[:3]
        occurrence = seen[name] = seen.get(name, 0) + 1
        segment = _segment(line, encoding, occurrence)
        segments.append(segment)
        if not SEGMENT_NAME.fullmatch(segment.name):
            breaches.append(_unnamed(number))
        elif "\0" in line:
            breaches.append(_has_nul(segment))
    if seen.get("MSH", 0) > 1:
        breaches.append(_second_header())
    if breaches:
        raise Malformed(header, *breaches[:MOST_BREACHES])
    return tuple(segments)


def _segment(line: str, encoding: Encoding, occurrence: int) -> Segment:
    name, *fields = line.split(encoding.field)
    if name in HEADERS:
        fields.insert(0, encoding.field)
    return Segment(name, tuple(fields), encoding, occurrence)


def _unusable(observed: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.DATA_TYPE_ERROR,
        text="MSH-1 and MSH-2 do not name usable delimiters",
        location="MSH^1^2",
        observed=observed[:10],
        expected="two to five different punctuation characters, as in |^~\\&",
        citation=tf2("C.2.2"),
    )


def _unknown_charset(name: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
        text="MSH-18 names a character set that is not supported here",
        location="MSH^1^18",
        observed=name[:40],
        expected=", ".join(each.value for each in Charset),
        citation=tf2("C.2.2"),
    )


def _undecodable(declared: Charset, location: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.DATA_TYPE_ERROR,
        text=f"The message holds bytes that are no characters of {declared.value}",
        location=location,
        citation=tf2("C.2.2"),
        remedy="Name the character set that the message is written in, in MSH-18, for example 8859/1 or UNICODE UTF-8",
    )


def _unnamed(number: int) -> Breach:
    return Breach(
        code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
        text=f"Line {number} does not begin with a segment name of three capital letters or digits",
        citation=Citation("HL7 v2.5", "2.5.2"),
        remedy=r"A line break inside a text is written as the escape \.br\ or \X0A\ ",
    )


def _has_nul(segment: Segment) -> Breach:
    number = next(index for index, field in enumerate((segment.name, *segment.fields)) if "\0" in field)
    return Breach(
        code=HL7ErrorCode.DATA_TYPE_ERROR,
        text="A field holds the character NUL, which no HL7 data type allows",
        location=segment.location(number),
        citation=Citation("HL7 v2.5", "2.6"),
    )


def _too_many() -> Breach:
    return Breach(
        code=HL7ErrorCode.APPLICATION_INTERNAL_ERROR,
        text=f"The message has more than {MOST_SEGMENTS} segments or {MOST_FIELDS} fields and was not read",
        citation=tf2("C.2.5"),
    )


def _second_header() -> Breach:
    return Breach(
        code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
        text="A second MSH stands in the same frame",
        location="MSH^2",
        citation=tf2("C.2.5"),
        remedy="Send each message in an MLLP frame of its own",
    )
