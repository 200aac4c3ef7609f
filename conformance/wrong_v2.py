"""HL7 v2 messages with one field wrong: a sentence, the field, the code and place of the refusal."""

from dataclasses import dataclass

from conformance.covering import Covering
from hl7v2.er7 import serialize
from hl7v2.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A field of a good message that is something else. ``location`` is due in ERR-2 of the refusal; empty: any."""

    id: str
    sentence: str
    segment: str
    field: int
    value: str
    codes: tuple[str, ...]
    covering: Covering
    location: str = ""

    def made(self, good: Message) -> bytes:
        """The wrong message."""
        lines = serialize(good).decode().split("\r")
        return "\r".join(map(self._changed, lines)).encode()

    def _changed(self, line: str) -> str:
        if not line.startswith(f"{self.segment}|"):
            return line
        fields = line.split("|")
        number = self.field - (self.segment == "MSH")
        fields += [""] * (number + 1 - len(fields))
        fields[number] = self.value
        return "|".join(fields)


def breaking(*assertions: str) -> Covering:
    """Assertions of senders, which the message breaks."""
    return Covering((), assertions)
