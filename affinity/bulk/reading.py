"""A file of patients, read from any byte on: lines become feeds, or the rules that they break."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from affinity.bulk.checks import breaches
from affinity.bulk.formats import Format, Read
from affinity.bulk.line import Unreadable
from ihe.domain import AffinityDomain
from pix.model import Feed
from pix.rendering import Rendering, render
from pix.scouting import Sighting

FIRST, BATCH = 1000, 8000
"""Lines that are stored, and counted, in one transaction, of the first one and at most: each is twice the last one.

The more, the more of them share a page of an index, which a million people have by the hundred thousand: with 8000 a
record writes ten pages, with 2000 sixteen. Who stores waits for the first of them, so these are soon read.
"""
LONGEST = 2**20
"""Bytes of one line; what is longer is no patient."""
Breaches = tuple[tuple[str, str], ...]
"""The name of each rule that is broken, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to be read. ``source`` is ``application|facility`` for lines that name none."""

    file: Path
    format: Format
    source: str = ""


class Sound(NamedTuple):
    """A line that keeps every rule, all that its patient makes, and what a scout saw of the index, if one looked."""

    number: int
    source: str
    patient: Rendering
    sighting: Sighting | None = None


class Unsound(NamedTuple):
    """A line that does not."""

    number: int
    breaches: Breaches


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines; ``end`` is the byte after them, ``line`` the number of the last one.

    ``seen`` is the event before which scouts, if any, saw everything, those of later batches as well.
    """

    lines: tuple[Sound | Unsound, ...]
    end: int
    line: int
    seen: int = 0


def batches(source: Source, domain: AffinityDomain, position: int = 0, line: int = 0) -> Iterator[Batch]:
    """The lines after the byte ``position``, which are the first ``line`` of the file. Unreadable: a wrong header."""
    with source.file.open("rb") as opened:
        read = source.format.reader(_header(opened) if source.format.has_header else "", domain)
        if position:
            opened.seek(position)
        elif source.format.has_header:
            line = 1
        size = min(FIRST, BATCH)
        while raw := tuple(islice(_lines(opened), size)):
            lines = tuple(
                prepare(number, each, read, source.source) for number, each in enumerate(raw, line + 1) if each.strip()
            )
            line += len(raw)
            yield Batch(lines, opened.tell(), line)
            size = min(2 * size, BATCH)


def prepare(number: int, raw: bytes, read: Read, source: str) -> Sound | Unsound:
    """One line as a feed, or with every rule that it breaks."""
    try:
        line = read(_text(raw))
    except Unreadable as error:
        return Unsound(number, ((error.rule, str(error)),))
    if not line.source:
        line = replace(line, source=source)
    broken = breaches(line)
    if broken:
        return Unsound(number, tuple(broken))
    return Sound(number, line.source, render(Feed(identifiers=line.identifiers, demographics=line.demographics)))


def digest(file: Path) -> str:
    """The SHA-256 of a file, by which it is known when the rest of it is loaded."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _header(opened: BinaryIO) -> str:
    return _text(opened.readline(LONGEST))


def _lines(opened: BinaryIO) -> Iterator[bytes]:
    """Each line; of a line that is too long the beginning, which is too long as well."""
    while line := opened.readline(LONGEST + 1):
        if len(line) > LONGEST:
            _skip(opened, line)
        yield line


def _skip(opened: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = opened.readline(LONGEST)


def _text(raw: bytes) -> str:
    if len(raw) > LONGEST:
        raise Unreadable("length", f"a line is longer than {LONGEST} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", f"byte {error.start + 1} of the line is no UTF-8") from None
    if "\0" in text or "\\u0000" in text:
        raise Unreadable("encoding", "the line holds a NUL")
    return text.rstrip("\r\n")
