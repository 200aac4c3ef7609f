"""The proof that a redacted capture holds no real value: every file is searched for every one, in every spelling."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from conformance.capture.pseudonyms import Kind
from conformance.capture.sweeping import LONG, is_looked_for, stands_alone
from hl7v2.encoding import STANDARD, write_text
from soap.xml import escape

MARKUP = re.compile(r"</?[\w:.-]+|\s[\w:.-]+(?=\s*=\s*[\"'])")
"""Names of elements and attributes: a patient may be called Name."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A real value that was found; the value itself is not told."""

    file: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.file} ({self.kind.name.lower()})"


def leaks(directory: Path, real: Iterable[tuple[Kind, str]]) -> list[Leak]:
    """Every file in which a real value is left, names of files too."""
    wanted = [(kind, value, tuple(spellings(kind, value))) for kind, value in real if is_looked_for(kind, value)]
    found = []
    for file in sorted(each for each in directory.rglob("*") if each.is_file()):
        name = str(file.relative_to(directory))
        text = f"{name}\n{_decoded(file.read_bytes())}"
        bare = MARKUP.sub(" ", text)
        found += [Leak(name, kind) for kind, value, spelled in wanted if _is_in(text, bare, kind, value, spelled)]
    return found


def spellings(kind: Kind, value: str) -> Iterator[str]:
    """The value as XML, ER7, URLs and base64 spell it."""
    yield from {value, escape(value).decode(), quote(value), quote(value, safe=""), write_text(value, STANDARD)}
    if len(value) >= LONG and kind is not Kind.PLACE:  # towns stand in certificates
        for shift in range(3):
            encoded = b64encode(b"\0" * shift + value.encode()).decode()
            yield encoded[(0, 2, 3)[shift] : len(encoded) - 4]


def _is_in(text: str, bare: str, kind: Kind, value: str, spelled: tuple[str, ...]) -> bool:
    if len(value) >= LONG and kind is not Kind.DATE:
        return any(each in text for each in spelled)
    return any(_alone(bare, each) for each in spelled)


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
