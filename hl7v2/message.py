"""A message as values: segments, fields, repetitions, components, numbered from 1 as the standard does (HL7 v2.5: 2.5).

Text is kept as it was sent and split when asked for, so unknown content survives and reading stays cheap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from hl7v2.encoding import NULL, Encoding, read_text
from ihe.citations import Citation
from ihe.errors import Breach, HL7ErrorCode, Rejected

HEADERS = frozenset({"MSH", "FHS", "BHS"})
"""Segments whose first two fields are the delimiters themselves."""


class Presence(Enum):
    """Whether a field says something. Only NULL and VALUED change what the receiver has (ITI TF-2: C.2.6)."""

    ABSENT = "the segment or field ends before it"
    EMPTY = "nothing between the delimiters"
    NULL = 'the explicit null ""'
    VALUED = "a value"


@dataclass(frozen=True, slots=True)
class Repetition:
    """One value of a field, for example one of the CX of PID-3."""

    raw: str
    encoding: Encoding

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """Read a subcomponent without escapes. ``""`` (no characters): nothing was sent. ``NULL``: delete."""
        return _text(self.raw, self.encoding, component, subcomponent)

    def texts(self, component: int) -> list[str]:
        """Every subcomponent of a component that was sent, as ``text`` reads each."""
        encoding = self.encoding
        components = self.raw.split(encoding.component, component)
        if component > len(components):
            return []
        raw = components[component - 1]
        parts = raw.split(encoding.subcomponent) if encoding.subcomponent else [raw]
        return [read_text(each, encoding) for each in parts] if encoding.escape and encoding.escape in raw else parts

    def presence(self, component: int) -> Presence:
        """Tell absent, empty, null and valued components apart."""
        parts = self.raw.split(self.encoding.component)
        return _presence(parts[component - 1], self.encoding) if component <= len(parts) else Presence.ABSENT


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. ``fields`` are as sent; ``occurrence`` counts the segments of this name in the message from 1."""

    name: str
    fields: tuple[str, ...]
    encoding: Encoding
    occurrence: int = field(default=1, compare=False)

    def raw(self, number: int) -> str:
        """A whole field as sent, escapes and repetitions included; ``""`` if it is not there."""
        return self.fields[number - 1] if 0 < number <= len(self.fields) else ""

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Read a subcomponent of the field's first repetition, without escapes (see ``Repetition.text``)."""
        raw = self.fields[number - 1] if 0 < number <= len(self.fields) else ""
        if raw.isalnum():
            return raw if component == subcomponent == 1 else ""
        if not raw or (number <= 2 and self.name in HEADERS):
            return raw
        encoding = self.encoding
        return _text(raw.partition(encoding.repetition)[0], encoding, component, subcomponent)

    def repetitions(self, number: int) -> tuple[Repetition, ...]:
        """All repetitions of a field, empty ones included because locations count them; none if it is empty."""
        raw = self.raw(number)
        if not raw:
            return ()
        if self.encoding.repetition not in raw or (self.name in HEADERS and number <= 2):
            return (Repetition(raw, self.encoding),)
        return tuple(Repetition(each, self.encoding) for each in raw.split(self.encoding.repetition))

    def presence(self, number: int) -> Presence:
        """Tell absent, empty, null and valued fields apart."""
        return _presence(self.fields[number - 1], self.encoding) if number <= len(self.fields) else Presence.ABSENT

    def location(self, *position: int) -> str:
        """Spell ERR-2 for a field, repetition, component, subcomponent of this segment: ``PID^1^3^1^4``."""
        return "^".join([self.name, str(self.occurrence), *map(str, position)])


@dataclass(frozen=True, slots=True)
class Group:
    """An ordered run of segments, for example one PID with its MRG and PV1."""

    segments: tuple[Segment, ...]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __contains__(self, name: object) -> bool:
        return any(segment.name == name for segment in self.segments)

    def __getitem__(self, name: str) -> Segment:
        """The first segment of that name. Rejected (100) if there is none."""
        found = self.find(name)
        if found is None:
            raise Rejected(_missing(name))
        return found

    def find(self, name: str) -> Segment | None:
        """The first segment of that name, or None."""
        for segment in self.segments:
            if segment.name == name:
                return segment
        return None

    def all(self, name: str) -> tuple[Segment, ...]:
        """Every segment of that name in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def groups(self, first: str) -> tuple["Group", ...]:
        """Cut into groups that begin with each segment named ``first``; what stands before is left out."""
        starts = [index for index, segment in enumerate(self.segments) if segment.name == first]
        ends = [*starts[1:], len(self.segments)]
        return tuple([Group(self.segments[start:end]) for start, end in zip(starts, ends, strict=False)])


@dataclass(frozen=True)
class Message(Group):
    """A whole message: MSH first, and the encoding that MSH declares. What MSH says is asked for again and again."""

    encoding: Encoding

    @cached_property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @cached_property
    def trigger(self) -> str:
        """MSH-9.1 and MSH-9.2: ``ADT^A28``, or ``ACK`` alone."""
        return "^".join(filter(None, (self.header.text(9), self.event)))

    @cached_property
    def event(self) -> str:
        """MSH-9.2: ``A28``."""
        return self.header.text(9, 2)

    @cached_property
    def structure(self) -> str:
        """MSH-9.3: ``ADT_A05``."""
        return self.header.text(9, 3)

    @cached_property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.text(10)

    @cached_property
    def processing_id(self) -> str:
        """MSH-11.1: P, D or T."""
        return self.header.text(11)

    @cached_property
    def version(self) -> str:
        """MSH-12.1: ``2.5``, ``2.3.1``."""
        return self.header.text(12)

    @cached_property
    def sending_application(self) -> str:
        """MSH-3: the namespace id, or the universal id where only that is sent."""
        return self.header.text(3) or self.header.text(3, 2)

    @cached_property
    def sending_facility(self) -> str:
        """MSH-4: the namespace id, or the universal id where only that is sent."""
        return self.header.text(4) or self.header.text(4, 2)

    @cached_property
    def receiving_application(self) -> str:
        """MSH-5: the namespace id, or the universal id where only that is sent."""
        return self.header.text(5) or self.header.text(5, 2)

    @cached_property
    def receiving_facility(self) -> str:
        """MSH-6: the namespace id, or the universal id where only that is sent."""
        return self.header.text(6) or self.header.text(6, 2)


def _text(raw: str, encoding: Encoding, component: int, subcomponent: int) -> str:
    """No delimiter is a letter or digit, so that most texts need not be cut."""
    components = raw.split(encoding.component, component)
    if component > len(components):
        return ""
    raw = components[component - 1]
    if raw.isalnum():
        return raw if subcomponent == 1 else ""
    subcomponents = raw.split(encoding.subcomponent, subcomponent) if encoding.subcomponent else [raw]
    if subcomponent > len(subcomponents):
        return ""
    raw = subcomponents[subcomponent - 1]
    return read_text(raw, encoding) if encoding.escape and encoding.escape in raw else raw


def _presence(raw: str, encoding: Encoding) -> Presence:
    if raw == NULL:
        return Presence.NULL
    delimiters = encoding.component + encoding.repetition + (encoding.subcomponent or "")
    return Presence.VALUED if raw.strip(delimiters) else Presence.EMPTY


def _missing(name: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
        text=f"The message has no {name} segment",
        location=f"{name}^1",
        citation=Citation("ITI TF-2", "C.1.1"),
    )
