"""Which ids a captured request brings into the world, so that a replay needs others in their place."""

import re
from collections.abc import Iterator

from conformance.capture import readable
from conformance.capture.carried import Carried
from conformance.capture.pseudonyms import Kind
from conformance.capture.recorded import Recorded
from conformance.capture.xml_fields import Scope
from conformance.exchanges import Wire
from hl7v2.er7 import Malformed, NotHL7, parse_header
from soap.xml import XMLRefused, parse

FEEDS = frozenset({"ITI-8", "ITI-30", "ITI-31", "ITI-44", "ITI-64"})
SUBMISSIONS = frozenset({"ITI-41", "ITI-42", "ITI-57", "ITI-61"})
UNIQUE_IDS = frozenset(
    {
        "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab",
        "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8",
        "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a",
    }
)
"""identificationScheme of the uniqueId of XDSDocumentEntry, XDSSubmissionSet, XDSFolder (ITI TF-3: 4.2.5)."""
SCHEME, UUID_URN = "identificationScheme", re.compile(r"urn:uuid:[0-9a-fA-F-]{36}")
OBJECTS = ["{*}ExtrinsicObject", "{*}RegistryPackage", "{*}Association", "{*}Classification", "{*}ExternalIdentifier"]


def introduce(recorded: Recorded, carried: Carried) -> None:
    """Give every id that the request introduces its successor."""
    ids = _of_er7(recorded) if recorded.wire is Wire.MLLP else _of_xml(recorded)
    for each in ids:
        carried.fresh(each)
    if recorded.transaction in FEEDS:
        _patients(recorded, carried)


def _of_er7(recorded: Recorded) -> Iterator[str]:
    """MSH-10 and QPD-2."""
    try:
        message = parse_header(recorded.request.text.content())
    except (Malformed, NotHL7):
        return
    yield message.control_id
    for line in re.split(r"[\r\n]+", recorded.request.text.content().decode("latin-1")):
        parts = line.split(message.encoding.field)
        if parts[0] == "QPD" and len(parts) > 2:
            yield parts[2]


def _of_xml(recorded: Recorded) -> Iterator[str]:
    """wsa:MessageID; ids of objects and uniqueIds of a submission; the message id and the queryId of HL7 v3."""
    envelope = readable.envelope(recorded.request)
    try:
        root = parse(envelope) if envelope else None
    except XMLRefused:
        root = None
    if root is None:
        return
    yield (root.findtext("{*}Header/{*}MessageID") or "").strip()
    if recorded.transaction in SUBMISSIONS:
        yield from (each.get("id", "") for each in root.iter(*OBJECTS) if UUID_URN.fullmatch(each.get("id", "")))
        identifiers = root.iter("{*}ExternalIdentifier")
        yield from (each.get("value", "") for each in identifiers if each.get(SCHEME) in UNIQUE_IDS)
    for path in ("{*}Body/{*}*/{urn:hl7-org:v3}id", ".//{urn:hl7-org:v3}queryId"):
        yield from (each.get("extension", each.get("root", "")) for each in root.iterfind(path))


def _patients(recorded: Recorded, carried: Carried) -> None:
    def note(kind: Kind | None, value: str) -> str:
        if kind is Kind.ID:
            carried.fresh_patient(value)
        return value

    unchanged = readable.Documents(text=lambda text: text, blob=lambda attachment: None)
    readable.rewrite(recorded.request, note, Scope(authors=False, texts=False, document=lambda it: it), unchanged)
