"""Values that are others in a replay: fresh ids for those of the capture, times moved to now, what answers gave."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from conformance.capture.pseudonyms import Kind, Pseudonyms
from ihe.identifiers import is_oid, new_oid
from pix import matricule

TOKEN = re.compile(rb"[0-9A-Za-z](?:[0-9A-Za-z_.-]*[0-9A-Za-z_-])?")
DTM = re.compile(rb"(?<![\d.])(20\d{12})(?!\d)")
INSTANT = re.compile(rb"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)(?=(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))")
PADDING = timedelta(days=1)
"""Times so far around a capture are of its exchanges; others (of birth, of an old visit) stay."""


@dataclass(slots=True)
class Carried:
    """From the values of the capture to those of the replay. ``pseudonyms`` makes ids of patients, None: they stay."""

    pseudonyms: Pseudonyms | None
    values: dict[bytes, bytes] = field(default_factory=dict)
    _phrases: dict[bytes, bytes] = field(default_factory=dict)

    def fresh(self, value: str) -> None:
        """Give an id of a message or an object a successor of its form."""
        bare = value.removeprefix("urn:uuid:").removeprefix("urn:oid:").partition("^")[0]
        if bare.encode() not in self.values and bare:
            self.put(bare, _successor(bare))

    def fresh_patient(self, value: str) -> None:
        """Give an id of a patient a successor of its form; a matricule keeps the birth date."""
        if self.pseudonyms is None or value.encode() in self.values or len(value) < 2:
            return
        self.put(value, _other_matricule(value) or self.pseudonyms.of(Kind.ID, value))

    def put(self, value: str, new: str) -> None:
        """Replace a value from here on."""
        kept = self.values if TOKEN.fullmatch(value.encode()) else self._phrases
        kept[value.encode()] = new.encode()

    def __call__(self, text: bytes) -> bytes:
        """The text with each value replaced that stands there as a word."""
        for value, new in self._phrases.items():
            text = text.replace(value, new)
        return TOKEN.sub(lambda token: self.values.get(token[0], token[0]), text)


def moved(text: bytes, span: tuple[datetime, datetime], by: timedelta) -> bytes:
    """The text with the times of its exchanges moved; ``span`` is when the capture was made."""
    text = DTM.sub(lambda found: _moved(found[1], "%Y%m%d%H%M%S", span, by), text)
    return INSTANT.sub(lambda found: _moved(found[1], "%Y-%m-%dT%H:%M:%S", span, by), text)


def _moved(written: bytes, form: str, span: tuple[datetime, datetime], by: timedelta) -> bytes:
    try:
        instant = datetime.strptime(written.decode(), form).replace(tzinfo=UTC)
    except ValueError:
        return written
    within = span[0] - PADDING <= instant <= span[1] + PADDING
    return (instant + by).strftime(form).encode() if within else written


def _successor(value: str) -> str:
    try:
        return str(uuid.uuid4()) if uuid.UUID(value).hex else value
    except ValueError:
        return new_oid() if is_oid(value) else uuid.uuid4().hex[: max(len(value), 12)][:20]


def _other_matricule(value: str) -> str | None:
    if not matricule.is_valid(value):
        return None
    serial = f"{(int(value[8:11]) + uuid.uuid4().int % 998 + 1) % 1000:03}"
    return matricule.complete(value[:8] + serial)
