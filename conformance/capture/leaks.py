"""The proof that a redacted capture holds no real value: every file is searched for every one, in every spelling."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from conformance.capture.pseudonyms import Kind
from conformance.capture.sweeping import GRAM, LONG, is_looked_for, stands_alone
from hl7v2.encoding import STANDARD, write_text
from soap.xml import escape

WINDOW = 2**20
LONGEST = 1024
"""So many first characters of a long text are looked for."""
OVERLAP = 8 * LONGEST
MARKUP = re.compile(r"</?[\w:.-]+|\s[\w:.-]+(?=\s*=\s*[\"'])")
"""Names of elements and attributes: a patient may be called Name."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A real value that was found; the value itself is not told."""

    file: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.file} ({self.kind.name.lower()})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A real value in every spelling; ``anywhere``: within a longer word, too."""

    kind: Kind
    spelled: tuple[str, ...]
    anywhere: bool


def leaks(directory: Path, real: Iterable[tuple[Kind, str]]) -> list[Leak]:
    """Every file in which a real value is left, names of files too."""
    wanted = [_wanted(kind, value) for kind, value in real if is_looked_for(kind, value)]
    found = []
    for file in sorted(each for each in directory.rglob("*") if each.is_file()):
        name = str(file.relative_to(directory))
        for text in (name, *_texts(file)):
            found += [Leak(name, each.kind) for each in _found(text, wanted)]
    return found


def spellings(kind: Kind, value: str) -> Iterator[str]:
    """The value as XML, ER7, URLs and base64 spell it."""
    yield from {value, escape(value).decode(), quote(value), quote(value, safe="")}
    if "\0" not in value:
        yield write_text(value, STANDARD)
    if len(value) >= LONG and kind in (Kind.ID, Kind.NAME, Kind.PERSON):  # towns stand in certificates
        for shift in range(3):
            encoded = b64encode(b"\0" * shift + value.encode()).decode()
            yield encoded[(0, 2, 3)[shift] : len(encoded) - 4]


def _wanted(kind: Kind, value: str) -> Wanted:
    shown = value[:LONGEST]
    anywhere = len(value) >= LONG and kind is not Kind.DATE
    return Wanted(kind, tuple(dict.fromkeys(spellings(kind, shown))), anywhere)


def _found(text: str, wanted: Iterable[Wanted]) -> Iterator[Wanted]:
    """What stands in a text. Most values do not even begin there, which is cheap to see."""
    grams = {text[at : at + GRAM] for at in range(len(text) - GRAM + 1)}
    bare = MARKUP.sub(" ", text)
    for each in wanted:
        begun = [one for one in each.spelled if len(one) < GRAM or one[:GRAM] in grams]
        if any(one in bare if each.anywhere else _alone(bare, one) for one in begun):
            yield each


def _texts(file: Path) -> Iterator[str]:
    """What a file says, in windows that overlap where it is long."""
    if file.stat().st_size <= WINDOW:
        yield _decoded(file.read_bytes())
        return
    with file.open("rb") as reading:
        before = b""
        while piece := reading.read(WINDOW):
            window = before + piece
            if not window.isspace():
                yield window.decode("latin-1")
                yield window.decode("utf-8", "ignore")
            before = window[-OVERLAP:]


def _alone(text: str, value: str) -> bool:
    start = text.find(value)
    while start >= 0:
        if stands_alone(text, start, value):
            return True
        start = text.find(value, start + 1)
    return False


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
