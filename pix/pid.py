"""PID to Demographics and back: one table, read in both directions (ITI TF-2: Table 3.30-3, Table 3.8-2)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import Any

from hl7v2.compose import Component, FieldValue, Value, segment
from hl7v2.encoding import NULL, Encoding, read_text
from hl7v2.message import Repetition, Segment
from ihe.datatypes import CX, HD
from pix.model import Address, Coded, Demographics, PersonName, Telecom
from pix.remembering import Last

Position = tuple[int, int]
"""Component and subcomponent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataType:
    """A composite data type: which attribute stands at which position, in order and without gaps."""

    value: Callable[..., Any]
    parts: Mapping[str, Position]
    names: Mapping[Position, str] = field(init=False)
    first: tuple[str | None, ...] = field(init=False)
    """What stands in the first subcomponent of each component."""
    texts: Callable[[Any], tuple[str, ...]] = field(init=False)
    """All attributes of a value, in the order of their positions."""
    components: tuple[tuple[int, int], ...] = field(init=False)
    """Where among these the texts of each component begin and end."""

    def __post_init__(self) -> None:
        names = {position: name for name, position in self.parts.items()}
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "first", tuple(names.get((number, 1)) for number in range(1, max(names)[0] + 1)))
        object.__setattr__(self, "texts", attrgetter(*self.parts))
        numbers = [component for component, _ in self.parts.values()]
        begins = list(map(numbers.index, dict.fromkeys(numbers)))
        object.__setattr__(self, "components", tuple(pairwise([*begins, len(numbers)])))

    def read(self, raw: str, encoding: Encoding) -> Any:
        """One repetition as a value; None if it says nothing."""
        parts = raw.split(encoding.component)
        if encoding.is_plain(raw):
            named = zip(self.first, parts, strict=False)
            known = {name: part for name, part in named if part and name and part != NULL}
        else:
            known = {self.names[position]: text for position, text in _texts(parts, encoding) if position in self.names}
        return self.value(**known) if known else None

    def write(self, value: Any) -> Value:
        """A value as the components of one repetition."""
        texts = self.texts(value)
        return tuple(
            [_component(texts[first:last]) if last - first > 1 else texts[first] for first, last in self.components]
        )


class Text:
    """ST, IS, ID, NM, TS: the first component is the value."""

    def read(self, raw: str, encoding: Encoding) -> str | None:
        """The text; None if there is none."""
        return raw if raw.isalnum() else _said(Repetition(raw, encoding).text()) or None

    def write(self, value: str) -> Value:
        """The text itself."""
        return value


class Identification:
    """CX: an id, its assigning authority and its type (ITI TF-2: Table E-3)."""

    def read(self, raw: str, encoding: Encoding) -> CX | None:
        """The identifier as sent, whatever is known of its authority; None without an id."""
        sent = Repetition(raw, encoding)
        id = _said(sent.text())
        return CX(id, HD(*map(_said, sent.texts(4)[:3])), _said(sent.text(5))) if id else None

    def write(self, value: CX) -> Value:
        """The identifier with what is known of its authority."""
        authority = value.authority
        return (
            value.id,
            "",
            "",
            (authority.namespace_id, authority.universal_id, authority.universal_id_type),
            value.type_code,
        )


NAME = DataType(
    value=PersonName,
    parts={
        "family": (1, 1),
        "own_family_prefix": (1, 2),
        "own_family": (1, 3),
        "partner_family_prefix": (1, 4),
        "partner_family": (1, 5),
        "given": (2, 1),
        "further_given": (3, 1),
        "suffix": (4, 1),
        "prefix": (5, 1),
        "degree": (6, 1),
        "type_code": (7, 1),
    },
)
ADDRESS = DataType(
    value=Address,
    parts={
        "street": (1, 1),
        "street_name": (1, 2),
        "house_number": (1, 3),
        "other_designation": (2, 1),
        "city": (3, 1),
        "state": (4, 1),
        "postal_code": (5, 1),
        "country": (6, 1),
        "type_code": (7, 1),
        "other_geographic": (8, 1),
        "county": (9, 1),
    },
)
TELECOM = DataType(
    value=Telecom,
    parts={
        "number": (1, 1),
        "use": (2, 1),
        "equipment": (3, 1),
        "email": (4, 1),
        "country_code": (5, 1),
        "area_code": (6, 1),
        "local_number": (7, 1),
        "extension": (8, 1),
        "text": (9, 1),
    },
)
CODED = DataType(value=Coded, parts={"code": (1, 1), "text": (2, 1), "scheme": (3, 1)})
DESIGNATOR = DataType(value=HD, parts={"namespace_id": (1, 1), "universal_id": (2, 1), "universal_id_type": (3, 1)})
TEXT, IDENTIFICATION = Text(), Identification()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of PID. ``repeats``: the attribute is a tuple of all repetitions, else the first that has a value."""

    attribute: str
    number: int
    data_type: DataType | Text | Identification
    repeats: bool = False

    def read(self, raw: str, encoding: Encoding) -> Any:
        """The attribute's value; ValueError never, None or an empty tuple if nothing is there."""
        values = [found for each in raw.split(encoding.repetition) if (found := self.data_type.read(each, encoding))]
        if self.repeats:
            return tuple(values)
        return values[0] if values else None

    def write(self, value: Any) -> FieldValue:
        """The attribute as a field."""
        if not self.repeats:
            return self.data_type.write(value)
        repetitions: list[Value] = [self.data_type.write(each) for each in value]
        return repetitions


FIELDS = (
    Field("names", 5, NAME, repeats=True),
    Field("mothers_maiden_names", 6, NAME, repeats=True),
    Field("birth_time", 7, TEXT),
    Field("sex", 8, TEXT),
    Field("aliases", 9, NAME, repeats=True),
    Field("races", 10, CODED, repeats=True),
    Field("addresses", 11, ADDRESS, repeats=True),
    Field("county", 12, TEXT),
    Field("home_phones", 13, TELECOM, repeats=True),
    Field("business_phones", 14, TELECOM, repeats=True),
    Field("languages", 15, CODED, repeats=True),
    Field("marital_status", 16, CODED),
    Field("religion", 17, CODED),
    Field("accounts", 18, IDENTIFICATION, repeats=True),
    Field("ssn", 19, TEXT),
    Field("drivers_license", 20, TEXT),
    Field("mothers_identifiers", 21, IDENTIFICATION, repeats=True),
    Field("ethnic_groups", 22, CODED, repeats=True),
    Field("birth_place", 23, TEXT),
    Field("multiple_birth", 24, TEXT),
    Field("birth_order", 25, TEXT),
    Field("citizenships", 26, CODED, repeats=True),
    Field("veterans_status", 27, CODED),
    Field("nationality", 28, CODED),
    Field("death_time", 29, TEXT),
    Field("death_indicator", 30, TEXT),
    Field("identity_unknown", 31, TEXT),
    Field("identity_reliability", 32, TEXT, repeats=True),
    Field("last_update_time", 33, TEXT),
    Field("last_update_facility", 34, DESIGNATOR),
)


NONE_DELETED: frozenset[str] = frozenset()
_all_of: Callable[[Demographics], tuple[Any, ...]] = attrgetter(*(each.attribute for each in FIELDS))


@Last
def read_demographics(pid: Segment) -> Demographics:
    """What PID says of the patient, whom rules look at, too; fields that are empty or deleted say nothing here."""
    sent, encoding = pid.fields, pid.encoding
    said = {
        each.attribute: each.read(raw, encoding)
        for each in FIELDS
        if each.number <= len(sent) and (raw := sent[each.number - 1])
    }
    return Demographics(**said)


def deleted_attributes(pid: Segment) -> frozenset[str]:
    """The attributes whose field is the explicit null ``""`` (ITI TF-2: C.2.6)."""
    if NULL not in pid.fields:
        return NONE_DELETED
    return frozenset(field.attribute for field in FIELDS if pid.raw(field.number) == NULL)


def write_pid(set_id: int, identifiers: Iterable[CX], demographics: Demographics) -> Segment:
    """Build PID with every attribute that is known (ITI TF-2: 3.21.4.2.2.5)."""
    listed: list[Value] = [IDENTIFICATION.write(each) for each in identifiers]
    fields: dict[int, FieldValue] = {1: str(set_id), 3: listed}
    for each, value in zip(FIELDS, _all_of(demographics), strict=True):
        if value:
            fields[each.number] = each.write(value)
    return segment("PID", fields)


def _component(texts: tuple[str, ...]) -> Component:
    """The texts of one component, without those at its end that say nothing."""
    last = max([number for number, text in enumerate(texts, 1) if text], default=1)
    return texts[:last] if last > 1 else texts[0]


def _texts(components: Iterable[str], encoding: Encoding) -> Iterator[tuple[Position, str]]:
    """Every subcomponent that says something, with its position."""
    for component, raw in enumerate(components, 1):
        parts = raw.split(encoding.subcomponent) if encoding.subcomponent else (raw,)
        for subcomponent, part in enumerate(parts, 1):
            if part and (text := read_text(part, encoding)) and text != NULL:
                yield (component, subcomponent), text


def _said(text: str) -> str:
    return "" if text == NULL else text
