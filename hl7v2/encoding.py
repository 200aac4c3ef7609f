"""How a message is spelled: delimiters, character set, escape sequences (HL7 v2.5: 2.5.4, 2.7; ITI TF-2: C.2.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import Enum
from functools import lru_cache

NULL = '""'
"""The explicit null: remove what you have (ITI TF-2: C.2.6)."""


class Charset(Enum):
    """Character sets of MSH-18 (HL7 table 0211); the value is the wire spelling."""

    # Enum hashes by name, in Python; these are part of an encoding, by which much is looked up.
    __hash__ = object.__hash__

    ASCII = "ASCII"
    LATIN_1 = "8859/1"
    LATIN_2 = "8859/2"
    LATIN_3 = "8859/3"
    LATIN_4 = "8859/4"
    CYRILLIC = "8859/5"
    ARABIC = "8859/6"
    GREEK = "8859/7"
    HEBREW = "8859/8"
    LATIN_5 = "8859/9"
    LATIN_9 = "8859/15"
    UTF_8 = "UNICODE UTF-8"

    def __init__(self, spelling: str) -> None:
        self.codec = f"iso{spelling.replace('/', '-')}" if "/" in spelling else spelling.split()[-1].lower()
        """The name of Python's codec. All of them agree with ASCII in the lower half."""


UNDECLARED = Charset.UTF_8
"""How a message without MSH-18 is read: UTF-8 contains ASCII, and other character sets are hardly ever valid in it."""

MISSPELLED: Mapping[str, Charset] = {
    "UTF-8": Charset.UTF_8,
    "UTF8": Charset.UTF_8,
    "UNICODE": Charset.UTF_8,
    "UNICODE UTF8": Charset.UTF_8,
    "ISO-8859-1": Charset.LATIN_1,
    "ISO8859-1": Charset.LATIN_1,
    "8859-1": Charset.LATIN_1,
    "ISO-8859-15": Charset.LATIN_9,
    "8859-15": Charset.LATIN_9,
    "ISO IR6": Charset.ASCII,
    "US-ASCII": Charset.ASCII,
}
"""Names outside table 0211 that can mean only one thing, read but never sent."""
SPELLED: Mapping[str, Charset] = {each.value: each for each in Charset}


def charset(name: str) -> Charset | None:
    """Find the character set that MSH-18 names; None if we do not speak it."""
    spelled = name.strip().upper()
    return SPELLED.get(spelled) or MISSPELLED.get(spelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """MSH-1, MSH-2 and MSH-18. ``escape``, ``subcomponent`` and ``truncation`` are None where MSH-2 stops short.

    ``characters`` are the encoding characters, as MSH-2 spells them; ``delimiters`` MSH-1 and MSH-2 in one string.
    """

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str | None = "\\"
    subcomponent: str | None = "&"
    truncation: str | None = None
    charset: Charset = UNDECLARED
    characters: str = attribute(init=False, repr=False, compare=False)
    delimiters: str = attribute(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spelled = (self.component, self.repetition, self.escape, self.subcomponent, self.truncation)
        object.__setattr__(self, "characters", "".join(each or "" for each in spelled))
        object.__setattr__(self, "delimiters", self.field + self.characters)

    def is_plain(self, raw: str) -> bool:
        """Claim that a text has no escapes, and no subcomponents but one in each component."""
        escaped = self.escape is not None and self.escape in raw
        return not escaped and (self.subcomponent is None or self.subcomponent not in raw)


STANDARD = Encoding()


def read_text(raw: str, encoding: Encoding) -> str:
    r"""Undo the escapes of one subcomponent: ``\F\ \S\ \T\ \R\ \E\`` and ``\Xhh\`` (HL7 v2.5: 2.7).

    Escapes for formatting, private use and character-set switching, and hexadecimal that is no text in the message's
    character set, stay as they were sent.
    """
    if encoding.escape is None or encoding.escape not in raw:
        return raw
    meaning = _meanings(encoding)

    def replace(match: re.Match[str]) -> str:
        return meaning.get(match[0]) or _read_bytes(match[0], encoding)

    return _escapes(encoding.escape).sub(replace, raw)


def write_text(text: str, encoding: Encoding) -> str:
    """Escape delimiters and control characters. ValueError if the encoding has no escape character for it."""
    if text.isalnum() or not _specials(encoding).search(text):
        return text
    spelling = _spellings(encoding)
    return _specials(encoding).sub(lambda match: _spell(match[0], spelling), text)


def _spell(character: str, spelling: Mapping[str, str]) -> str:
    if character not in spelling:
        raise ValueError(f"the character {character!r} cannot be written in this message")
    return spelling[character]


def _read_bytes(escaped: str, encoding: Encoding) -> str:
    digits = escaped.replace(encoding.escape or "", "").replace("X", "")
    try:
        text = bytes.fromhex(digits).decode(encoding.charset.codec)
    except ValueError:
        return escaped
    return escaped if "\0" in text else text


@lru_cache(maxsize=64)
def _escapes(escape: str) -> re.Pattern[str]:
    # Neighbouring hexadecimal escapes belong together: one character may have been cut between its bytes.
    e = re.escape(escape)
    return re.compile(f"{e}[FSTRE]{e}|(?:{e}X(?:[0-9A-Fa-f]{{2}})+{e})+")


@lru_cache(maxsize=64)
def _meanings(encoding: Encoding) -> Mapping[str, str]:
    e = encoding.escape
    letters = zip("FSTRE", _escapable(encoding), strict=True)
    return {f"{e}{letter}{e}": character for letter, character in letters if character}


@lru_cache(maxsize=64)
def _spellings(encoding: Encoding) -> Mapping[str, str]:
    if encoding.escape is None:
        return {}
    controls = {chr(code): f"{encoding.escape}X{code:02X}{encoding.escape}" for code in range(1, 32)}
    return controls | {character: sequence for sequence, character in _meanings(encoding).items()}


@lru_cache(maxsize=64)
def _specials(encoding: Encoding) -> re.Pattern[str]:
    delimiters = "".join(re.escape(character) for character in _escapable(encoding) if character)
    return re.compile(f"[{delimiters}\x00-\x08\x0a-\x1f]")


def _escapable(encoding: Encoding) -> tuple[str | None, ...]:
    """The characters that F, S, T, R and E stand for."""
    return (encoding.field, encoding.component, encoding.subcomponent, encoding.repetition, encoding.escape)
