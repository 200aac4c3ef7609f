"""Where in its source a finding stands: the line, and what there is marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SEGMENT = re.compile(r"([A-Z][A-Z0-9]{2})\^?(\d*)\^?(\d*)")
NAMED = re.compile(r"\(([^()]+)\)|(\$\w+)|([A-Za-z][\w:.-]*)(?:\[\d+\])?$")
LONGEST = 160
LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One line of the message, in three parts; the second is what the finding is about."""

    line: int
    before: str
    marked: str
    after: str


def excerpt(source: bytes, location: str, line: int | None = None) -> Excerpt | None:
    """The place of a location, as far as it can be found in the text; None where it cannot."""
    lines = LINE_END.split(source.decode("utf-8", "replace"))
    if line is not None:
        return _shortened(Excerpt(line, "", lines[line - 1].strip(), "")) if line <= len(lines) else None
    found = _of_segment(lines, location) or _of_name(lines, location)
    return found and _shortened(found)


def _of_segment(lines: list[str], location: str) -> Excerpt | None:
    """``PID^1^3``: the third field of the first PID."""
    place = SEGMENT.match(location)
    if place is None:
        return None
    there = [(number, line) for number, line in enumerate(lines, 1) if line.lstrip("\x0b").startswith(place[1])]
    occurrence = int(place[2] or 1)
    if len(there) < occurrence:
        return None
    number, line = there[occurrence - 1]
    start, end = _field(line, int(place[3] or 0))
    return Excerpt(number, line[:start], line[start:end], line[end:])


def _field(line: str, number: int) -> tuple[int, int]:
    """Where a field begins and ends; the whole segment where there is no such field."""
    separator = line[3:4] or "|"
    number -= line.startswith("MSH")  # MSH-1 is the separator itself
    starts = [index + 1 for index, character in enumerate(line) if character == separator]
    if not 0 < number <= len(starts):
        return 0, len(line)
    end = line.find(separator, starts[number - 1])
    return starts[number - 1], len(line) if end < 0 else end


def _of_name(lines: list[str], location: str) -> Excerpt | None:
    """The object, parameter or element that the location names."""
    for word in _words(location):
        for number, line in enumerate(lines, 1):
            at = line.find(word)
            if at >= 0:
                return Excerpt(number, line[:at], word, line[at + len(word) :])
    return None


def _words(location: str) -> Iterator[str]:
    for found in NAMED.finditer(location):
        yield f'"{found[1]}"' if found[1] else found[2] or found[3]


def _shortened(found: Excerpt) -> Excerpt:
    """What is near the mark, so that it fits on a screen."""
    before, after = found.before.lstrip(), found.after.rstrip()
    room = max(LONGEST - len(found.marked), 20)
    before = before if len(before) <= room // 2 else f"…{before[-room // 2 :]}"
    after = after if len(after) <= room // 2 else f"{after[: room // 2]}…"
    marked = found.marked if len(found.marked) <= LONGEST else f"{found.marked[:LONGEST]}…"
    return Excerpt(found.line, before, marked, after)
