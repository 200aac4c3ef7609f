"""As whom a message speaks: MSH-3 and MSH-4, the sender's device in v3, the sourceId of a submission."""

from collections.abc import Iterator
from typing import Any

from affinity.partners import SourceId, SourceKind
from hl7v2.message import Message
from ihe.exchange import SOAPRequest
from pix.adt import source
from pix.v3_elements import NAMESPACE
from pix.v3_wrappers import party
from xds.adhoc_query import RIM
from xds.attribute_tables import SOURCE_ID_SCHEME

LOCATIONS = {
    SourceKind.HL7V2: "MSH^1^3^1^1",
    SourceKind.HL7V3: "sender/device/id",
    SourceKind.DOCUMENTS: "SubmissionSet.sourceId",
}


def sender_ids(wire: Any) -> tuple[SourceId, ...]:
    """Every id under which a message speaks; a stored query has none."""
    if isinstance(wire, Message):
        return (SourceId(SourceKind.HL7V2, source(wire)),)
    return tuple(_in_body(wire)) if isinstance(wire, SOAPRequest) else ()


def _in_body(request: SOAPRequest) -> Iterator[SourceId]:
    if request.body.tag.startswith(f"{{{NAMESPACE}}}"):
        for device in party(request.body, "sender").devices:
            yield SourceId(SourceKind.HL7V3, str(device))
        return
    for element in request.body.iter(f"{{{RIM}}}ExternalIdentifier"):
        # Read more generously than the profile does: what it would take for the sourceId must not pass by here.
        if element.get("identificationScheme", "").strip().lower() == SOURCE_ID_SCHEME:
            yield SourceId(SourceKind.DOCUMENTS, element.get("value", "").strip())
