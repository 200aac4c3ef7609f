"""Metadata attributes as people type them, in options and in TOML, into the model's fields (ITI TF-3: 4.2.3).

An attribute has the name of the standard. Codes are ``CODE^^SCHEME^DISPLAY``, or ``CODE`` where the domain has it;
authors are tables with the names of the standard; everything else is a text, or a list of texts.
"""

from collections.abc import Mapping
from typing import Any

from affinity.client.codebook import CodeBook
from xds.attribute_tables import AUTHOR
from xds.attributes import (
    Attribute,
    AuthorList,
    Classification,
    ClassificationList,
    ExternalIdentifier,
    ObjectTable,
    Slot,
    SlotList,
    Text,
    XMLAttribute,
)
from xds.model import Author, LocalizedString

Spelled = Mapping[str, Any]
"""Attributes by name."""


def fields(table: ObjectTable, spelled: Spelled, codes: CodeBook) -> dict[str, Any]:
    """The model's fields for what is spelled. ValueError names the attribute that is unknown or cannot be read."""
    rows = {row.name: row for row in table.attributes}
    unknown = sorted(spelled.keys() - rows.keys())
    if unknown:
        raise ValueError(f"{table.kind.value} has no {', '.join(unknown)}; it has {', '.join(sorted(rows))}")
    return {rows[name].field: _value(rows[name], value, codes) for name, value in spelled.items()}


def _value(row: Attribute, value: Any, codes: CodeBook) -> Any:
    match row.coding:
        case Classification():
            return codes.read(row.name, _text(row, value))
        case ClassificationList():
            return tuple(codes.read(row.name, _text(row, each)) for each in _list(value))
        case SlotList():
            return tuple(_text(row, each) for each in _list(value))
        case Text():
            return (LocalizedString(_text(row, value)),)
        case AuthorList():
            return tuple(map(_author, _list(value)))
        case XMLAttribute(_, type) | Slot(_, type) | ExternalIdentifier(_, _, type):
            return _read(row, type.read, value)
    raise ValueError(f"{row.name} is not yours to say")


def _read(row: Attribute, read: Any, value: Any) -> Any:
    try:
        return read(_text(row, value))
    except ValueError as error:
        raise ValueError(f"{row.name} {value!r}: {error}") from None


def _author(value: Any) -> Author:
    if not isinstance(value, Mapping) or not value or value.keys() - AUTHOR.keys():
        raise ValueError(f"an author is a table of {', '.join(AUTHOR)}")
    said = {AUTHOR[name]: tuple(_list(each)) for name, each in value.items()}
    person = said.pop("author_person", ())
    return Author(author_person=person[0] if person else None, **said)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(row: Attribute, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{row.name} is a text, not {value!r}")
    return str(value)
