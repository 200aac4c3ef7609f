"""Invented values in place of real ones: the same for the same, by a key; of the same form, length and characters.

A value of a patient becomes another value of its kind, wherever it stands. Without the key nobody finds the way back;
with the key kept, captures of different days agree.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from itertools import count
from pathlib import Path

from conformance.capture.recorded import CHUNK
from pix import matricule

KEY_BYTES = 32
VOWELS, CONSONANTS = "aeiou", "bcdfghjklmnprstvz"
ACCENTED = {"a": "â", "e": "é", "i": "î", "o": "ô", "u": "ü"}
"""Letters that ISO 8859-1, -2, -3, -4, -9 and -15 all have."""
LETTERS = {
    "CYRILLIC": "абвгдежзиклмнопрстуфхц",
    "GREEK": "αβγδεζηθικλμνξοπρτυφχψω",
    "HEBREW": "אבגדהוזחטילמנסעפצקרשת",
    "ARABIC": "ابتثجحدذرزسشصضطظعغفقلمنهوي",
}
DATE = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})")
YEAR = re.compile(r"[0-9]{4}")
UUID = re.compile(r"(urn:uuid:)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
WORD = re.compile(r"[^\W\d_]+|\d+")
SCHEME = re.compile(r"(?:tel|fax|mailto|http|https|sip):", re.IGNORECASE)
OLDEST_SHIFT = 1500
"""By how many days a birth date is moved into the past at most: nobody is born after today."""


class Kind(Enum):
    """What a value is."""

    ID = auto()
    NAME = auto()
    DATE = auto()
    PLACE = auto()
    """Street, town, postal code, telephone number, mail address."""
    TEXT = auto()
    """Free text, of which only the length is kept."""
    SECRET = auto()
    """Signatures, digests, tokens."""
    PERSON = auto()
    """The name under which a user signs in."""


def key_in(file: Path | None) -> bytes:
    """The key of a file, made there if there is none; without a file one that nobody keeps. ValueError: too short."""
    if file is None:
        return secrets.token_bytes(KEY_BYTES)
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(KEY_BYTES) + "\n", encoding="ascii")
    key = file.read_bytes().strip()
    if len(key) < KEY_BYTES:
        raise ValueError(f"{file} holds {len(key)} bytes; a key of pseudonyms has at least {KEY_BYTES}")
    return key


@dataclass(slots=True)
class Pseudonyms:
    """Makes them. ``taken`` are values that really occur: no pseudonym is one of them."""

    key: bytes
    taken: frozenset[str] = frozenset()
    _known: dict[tuple[Kind, str], str] = field(default_factory=dict)

    def of(self, kind: Kind, value: str) -> str:
        """The pseudonym of a value; a value without letters and digits stays."""
        if not any(map(str.isalnum, value)):
            return value
        if (kind, value) not in self._known:
            self._known[kind, value] = self._new(kind, value)
        return self._known[kind, value]

    def _new(self, kind: Kind, value: str) -> str:
        """The first attempt that is no real value."""
        for attempt in range(100):
            made = MAKERS[kind](value, self._stream(attempt))
            if made != value and made not in self.taken:
                return made
        return self._filler(value)

    def _stream(self, attempt: int) -> "Draw":
        def draw(*about: str) -> Iterator[int]:
            for block in count():
                yield from hmac.digest(self.key, "\0".join((str(attempt), str(block), *about)).encode(), "sha256")

        return draw

    def _filler(self, value: str) -> str:
        """Of a value so short that every other one is taken."""
        return "".join("x" if each.isalpha() else "0" if each.isdigit() else each for each in value)


Draw = Callable[..., Iterator[int]]
"""Bytes that depend on the key and on what they are about, without end."""


def _name(value: str, draw: Draw) -> str:
    """Word by word, whatever the accents and the case: Léonie, LEONIE and Leonie remain the same person's name."""
    scheme = SCHEME.match(value)
    start = scheme.end() if scheme else 0
    return value[:start] + WORD.sub(lambda word: _word(word[0], draw("name", _folded(word[0]))), value[start:])


def _word(word: str, drawn: Iterator[int]) -> str:
    letters = iter(_folded(word))
    return "".join(_letter(each, next(letters, "x"), next(drawn)) for each in word)


def _letter(original: str, folded: str, number: int) -> str:
    if original.isdigit():
        return str(number % 10)
    if folded in VOWELS:
        plain = VOWELS[number % len(VOWELS)]
        made = plain if original.isascii() else ACCENTED[plain]
    else:
        alphabet = _alphabet(original)
        made = alphabet[number % len(alphabet)]
    return made.upper() if original.isupper() else made


def _alphabet(character: str) -> str:
    script = unicodedata.name(character, "").partition(" ")[0]
    return LETTERS.get(script, CONSONANTS)


def _folded(word: str) -> str:
    """Without accents and case, letter for letter."""
    return "".join(each.lower()[0] for each in unaccented(word))


def unaccented(text: str) -> str:
    """Letter for letter."""
    return "".join(unicodedata.normalize("NFD", each)[0] for each in text)


def _id(value: str, draw: Draw) -> str:
    """A digit for a digit, a letter for a letter; a matricule stays one, of the invented birth date."""
    if matricule.is_valid(value):
        drawn = draw("serial", value)
        serial = "".join(str(next(drawn) % 10) for _ in range(3))
        return matricule.complete(_shifted(value[:8], draw) + serial)
    if UUID.fullmatch(value):
        return _hexadecimal(value, draw("id", value.lower()))
    drawn, zeros = draw("id", value), len(value) - len(value.lstrip("0"))
    kept = zeros if zeros < len(value) else 0
    return value[:kept] + "".join(_character(each, next(drawn)) for each in value[kept:])


def _character(original: str, number: int) -> str:
    if original.isdigit():
        return str(number % 10)
    return _letter(original, "x", number) if original.isalpha() else original


def _hexadecimal(value: str, drawn: Iterator[int]) -> str:
    start = len("urn:uuid:") if value.startswith("urn:") else 0
    made = (f"{next(drawn) % 16:x}" if each.isalnum() else each for each in value[start:])
    return value[:start] + "".join(made)


def _date(value: str, draw: Draw) -> str:
    """Moved into the past by a number of days that depends on the date alone; written as it was."""
    found = DATE.match(value)
    if found is None:
        return _short_date(value, draw)
    moved = _shifted("".join(found.group(1, 3, 4)), draw)
    dash = found[2]
    return f"{moved[:4]}{dash}{moved[4:6]}{dash}{moved[6:8]}{value[found.end() :]}"


def _short_date(value: str, draw: Draw) -> str:
    """YYYY or YYYYMM."""
    if YEAR.match(value) is None:
        return _id(value, draw)
    return f"{int(value[:4]) - 1 - next(draw('date', value[:4])) % 4:04}{value[4:]}"


def _shifted(digits: str, draw: Draw) -> str:
    drawn = draw("date", digits)
    days = 1 + (next(drawn) * 256 + next(drawn)) % OLDEST_SHIFT
    try:
        return (date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) - timedelta(days=days)).strftime("%Y%m%d")
    except (ValueError, OverflowError):
        return _id_digits(digits, drawn)


def _id_digits(digits: str, drawn: Iterator[int]) -> str:
    return "".join(str(next(drawn) % 10) for _ in digits)


def _text(value: str, draw: Draw) -> str:
    """As many characters, which say how many they are and which text it was, to those who have the key."""
    drawn = draw("text", value)
    told = f"{len(value)} characters {bytes(next(drawn) for _ in range(8)).hex()} "
    return (told * (len(value) // len(told) + 1))[: len(value)]


MAKERS: Mapping[Kind, Callable[[str, Draw], str]] = {
    Kind.ID: _id,
    Kind.NAME: _name,
    Kind.DATE: _date,
    Kind.PLACE: _name,
    Kind.TEXT: _text,
    Kind.SECRET: _id,
    Kind.PERSON: _id,
}


def placeholder(key: bytes, sha256: str, size: int, *, xml: bool) -> Iterator[bytes]:
    """A document of the same size that says only which one it stands for, in pieces."""
    mark = hmac.new(key, sha256.encode(), hashlib.sha256).hexdigest()
    told = f"document of {size} bytes, {mark}"
    start, end = ('<?xml version="1.0"?>\n<redacted>', "</redacted>\n") if xml else ("", "\n")
    room = size - len(start) - len(told) - len(end)
    if room < 0:
        yield (mark * (size // len(mark) + 1))[:size].encode()
        return
    yield (start + told).encode()
    for at in range(0, room, CHUNK):
        yield b" " * min(CHUNK, room - at)
    yield end.encode()
