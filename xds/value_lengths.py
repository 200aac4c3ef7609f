"""How long a value may be in ebRIM (ITI TF-3: 4.2.3.1.1; ebRIM 3.0: LongName, FreeFormText)."""

from collections.abc import Iterable
from itertools import repeat
from typing import Any

from ihe.datatypes import CX, Code
from xds.model import Author, LocalizedString

LONG_NAME, FREE_FORM_TEXT = 256, 1024
"""Most characters of a Slot's value, an identifier or a code; and of a title, a comment or a display name."""


def too_long(values: Iterable[Any]) -> list[str]:
    """The texts of attributes' values that are longer than their place."""
    return [text for text, limit in _texts(values) if len(text) > limit]


def _texts(values: Iterable[Any]) -> list[tuple[str, int]]:
    """The texts of attributes' values, each with its limit."""
    found: list[tuple[str, int]] = []
    for value in values:
        for each in value if isinstance(value, tuple) else (value,):
            match each:
                case str():
                    found.append((each, LONG_NAME))
                case CX():
                    found.append((str(each), LONG_NAME))
                case LocalizedString():
                    found.append((each.value, FREE_FORM_TEXT))
                case Code():
                    found += ((each.code, LONG_NAME), (each.scheme, LONG_NAME), (each.display, FREE_FORM_TEXT))
                case Author():
                    found += zip(_of_author(each), repeat(LONG_NAME), strict=False)
    return found


def _of_author(author: Author) -> tuple[str, ...]:
    return (
        author.author_person or "",
        *author.author_institution,
        *author.author_role,
        *author.author_specialty,
        *author.author_telecommunication,
    )
