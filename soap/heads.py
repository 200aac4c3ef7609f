"""Heads of requests that came before: clients send the same lines with every message, but for its length.

What Twisted's parser made of a head holds for every other of the same bytes, so it is not asked line by line again.
Whatever it has not taken before, it reads itself, and so refuses what it always refuses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

END = b"\r\n\r\n"
LONGEST, MOST = 2048, 256
"""Bytes of a head that is kept, and how many are: a sender of ever new ones fills some hundred KB."""
METHOD = b"POST "
LENGTH = b"Content-Length"
_LENGTH_LINE = re.compile(rb"\r\nContent-Length: ([1-9][0-9]{0,8})\r\n")

Key = tuple[bytes, int, bytes]
"""All of a head but the digits of its length: what stands before them, how many they are, what follows."""
Fields = Mapping[bytes, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Begun:
    """What arrived, if it is a head and at most one body: the digits of its length, and what there is of the body."""

    key: Key
    digits: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What was read in a head: method, target and version, and its fields."""

    line: tuple[bytes, bytes, bytes]
    fields: Fields

    def fields_with(self, digits: bytes) -> dict[bytes, list[bytes]]:
        """The fields of a request of this length."""
        fields = {name: [*values] for name, values in self.fields.items()}
        fields[LENGTH] = [digits]
        return fields


def begun(data: bytes) -> Begun | None:
    """Take apart what arrives at the beginning of a request; None leaves it to Twisted."""
    end = data.find(END, 0, LONGEST)
    found = _LENGTH_LINE.search(data, 0, end + 2) if end > 0 and data.startswith(METHOD) else None
    if found is None:
        return None
    start, stop = found.span(1)
    body = data[end + len(END) :]
    if len(body) > int(found[1]):  # another request follows
        return None
    return Begun((data[:start], stop - start, data[stop:end]), found[1], body)


class Heads:
    """The heads that were taken lately."""

    def __init__(self) -> None:
        self._known: dict[Key, Head] = {}

    def find(self, key: Key) -> Head | None:
        """What a head of these bytes says, if there was one."""
        return self._known.get(key)

    def note(self, key: Key, line: tuple[bytes, bytes, bytes], fields: Iterable[tuple[bytes, Sequence[bytes]]]) -> None:
        """Keep what was read in a head; the oldest makes room."""
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = Head(line, {name: (*values,) for name, values in fields})
