"""Prepared answers: the fragments of a node's own answer, cut out once, so that floor and tier send the same bytes."""

from dataclasses import dataclass
from pathlib import Path

STATUS = b' status="'
APPROVED = b"urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
ENTRY_END = b"</rim:ExtrinsicObject>"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The AdhocQueryResponse in pieces: its start, three pieces for each entry, its end."""

    start: bytes
    entries: tuple[tuple[bytes, bytes], ...]
    end: bytes

    def splice(self) -> tuple[bytes, ...]:
        """Put the pieces together as an answer does: what may change goes between the halves of each entry."""
        return (self.start, *(b"".join((head, APPROVED, rest)) for head, rest in self.entries), self.end)


def cut(response: bytes) -> Prepared:
    """Take an AdhocQueryResponse apart."""
    opening, closing = response.find(b"<rim:RegistryObjectList>"), response.rfind(b"</rim:RegistryObjectList>")
    inside = opening + len(b"<rim:RegistryObjectList>")
    pieces = response[inside:closing].split(ENTRY_END)[:-1]
    return Prepared(response[:inside], tuple(_halves(piece + ENTRY_END) for piece in pieces), response[closing:])


def load(file: Path) -> Prepared:
    """Read a stored AdhocQueryResponse and take it apart."""
    return cut(file.read_bytes())


def _halves(entry: bytes) -> tuple[bytes, bytes]:
    start = entry.index(STATUS) + len(STATUS)
    return entry[:start], entry[entry.index(b'"', start) :]
