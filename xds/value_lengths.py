"""How long a value may be in ebRIM (ITI TF-3: 4.2.3.1.1; ebRIM 3.0: LongName, FreeFormText)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ihe.datatypes import CX, Code
from xds.attribute_tables import AUTHOR
from xds.model import Author, LocalizedString

LONG_NAME, FREE_FORM_TEXT = 256, 1024
"""Most characters of a Slot's value, an identifier or a code; and of a title, a comment or a display name."""


def fits(value: Any) -> bool:
    """Claim that a value is short, as nearly all are; of others it is said which text is too long."""
    kind = type(value)
    if kind is str:
        return len(value) <= LONG_NAME
    if kind is tuple:
        return all(map(fits, value))
    if kind is Code:
        return len(value.code) <= LONG_NAME >= len(value.scheme) and len(value.display) <= FREE_FORM_TEXT
    if kind is Author:
        return _has_short_texts(value)
    return next(too_long(value), None) is None


@lru_cache(maxsize=1024)
def _has_short_texts(author: Author) -> bool:
    return next(too_long(author), None) is None


def too_long(value: Any) -> Iterator[str]:
    """The texts of an attribute's value that are longer than their place."""
    return (text for text, limit in _texts(value) if len(text) > limit)


def _texts(value: Any) -> Iterator[tuple[str, int]]:
    """The texts of an attribute's value, each with its limit."""
    match value:
        case tuple():
            for each in value:
                yield from _texts(each)
        case str() | CX():
            yield str(value), LONG_NAME
        case LocalizedString():
            yield value.value, FREE_FORM_TEXT
        case Code():
            yield from ((value.code, LONG_NAME), (value.scheme, LONG_NAME), (value.display, FREE_FORM_TEXT))
        case Author():
            yield from _texts(tuple(text for field in AUTHOR.values() for text in _tuple(getattr(value, field))))


def _tuple(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()
