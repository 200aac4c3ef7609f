"""How a stored query spells values inside a Slot (ITI TF-2: 3.18.4.1.2.3.5): ``123``, ``'it''s'``, ``('a','b')``.

Reading takes only values whose meaning is certain; what it cannot read is named, never guessed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SLOT_VALUE_LIMIT = 256
"""Most characters of one rim:Value (ebRIM: LongName); longer lists are split between values."""

_LITERAL = re.compile(r"\s*(?:'(?P<string>(?:[^']|'')*+)'|(?P<bare>[^\s'\"(),]+))\s*")
_BARE = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Literal:
    """One value as it was written. ``quoted`` tells a string from a number."""

    text: str
    quoted: bool


class Unreadable(ValueError):
    """The text is neither a single value nor a parenthesised list of values."""


def read(text: str) -> tuple[Literal, ...]:
    """Read one rim:Value: a single value, or a list in parentheses. Blank text holds no value."""
    stripped = text.strip()
    if not stripped:
        return ()
    if stripped.startswith("(") and stripped.endswith(")"):
        return tuple(_elements(stripped[1:-1]))
    literal, end = _literal(stripped, 0)
    if end != len(stripped):
        raise Unreadable(f"unexpected text after character {end}")
    return (literal,)


def _elements(inside: str) -> Iterator[Literal]:
    if not inside.strip():
        return
    position = 0
    while True:
        literal, position = _literal(inside, position)
        yield literal
        if position == len(inside):
            return
        if inside[position] != ",":
            raise Unreadable(f"a comma is missing after character {position + 1}")
        position += 1


def _literal(text: str, position: int) -> tuple[Literal, int]:
    match = _LITERAL.match(text, position)
    if match is None:
        raise Unreadable(f"no value at character {position + 1}")
    quoted = match["string"]
    if quoted is None:
        return Literal(match["bare"], quoted=False), match.end()
    return Literal(quoted.replace("''", "'"), quoted=True), match.end()


def is_number(literal: Literal) -> bool:
    """Claim that the value was written as a number."""
    return not literal.quoted and _BARE.fullmatch(literal.text) is not None


def quote(text: str) -> str:
    """Spell a string: ``Children''s Hospital`` in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def write_list(spelled: Iterable[str]) -> tuple[str, ...]:
    """Spell a list of ready values as one or more rim:Value texts, split between values at the schema's limit."""
    chunks: list[list[str]] = []
    room = 0
    for value in spelled:
        if not chunks or len(value) + 1 > room:
            chunks.append([])
            room = SLOT_VALUE_LIMIT - 1
        chunks[-1].append(value)
        room -= len(value) + 1
    return tuple("(" + ",".join(chunk) + ")" for chunk in chunks)
