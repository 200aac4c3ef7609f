"""What an answer comes to: status, error codes, how many results, which ids; no times, no ids of messages."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lxml.etree import QName, _Element

from conformance.capture import readable
from conformance.capture.http_framing import status
from conformance.capture.introduced import SCHEME, UNIQUE_IDS
from conformance.capture.recorded import Message
from hl7v2.er7 import Malformed, NotHL7, parse
from hl7v2.message import Message as ER7Message
from hl7v2.message import Segment
from ihe.errors import Rejected
from soap.xml import XMLRefused
from soap.xml import parse as parse_xml

Outcome = dict[str, str]
"""By aspect."""
RESPONSES = ("{*}RegistryResponse", "{*}AdhocQueryResponse")
RESULTS = ("ExtrinsicObject", "RegistryPackage", "Association", "ObjectRef", "DocumentResponse")


def outcome(answer: Message | None, failure: str, carried: Callable[[bytes], bytes]) -> Outcome:
    """Sum up an answer; ``carried`` puts the ids of the replay for those of the capture."""
    if answer is None:
        return {"answer": f"none: {_kind_of_failure(failure)}"}
    if not answer.head:
        return _of_er7(carried(answer.text.content()))
    told = {"HTTP status": str(status(answer.head))}
    envelope = readable.envelope(answer)
    if envelope:
        told |= _of_xml(carried(envelope))
    documents = Counter(each.blob.size for each in answer.attachments)
    if documents:
        told["documents"] = ", ".join(f"{size} bytes" for size in sorted(documents.elements()))
    return told


def _kind_of_failure(failure: str) -> str:
    """Addresses and details of an operating system are not compared."""
    return failure.partition(":")[0] or "not known why"


def _of_er7(content: bytes) -> Outcome:
    try:
        message = parse(content)
    except (Malformed, NotHL7, Rejected):
        return {"answer": "no HL7 v2 message"}
    return _without_gaps(
        {
            "message": message.trigger,
            "MSA-1": _first(message, "MSA", 1),
            "ERR": _listed(each.text(3) or each.text(1, 4) for each in message.all("ERR")),
            "QAK-2": _first(message, "QAK", 2),
            "results": str(len(message.all("PID"))) if message.find("QAK") else "",
            "ids": _listed(_cx(each) for each in _identifiers(message.all("PID"))),
            "more": "DSC" if _first(message, "DSC", 1) else "",
        }
    )


def _identifiers(segments: Iterable[Segment]) -> Iterator[Any]:
    for each in segments:
        yield from each.repetitions(3)


def _cx(repetition: Any) -> str:
    return f"{repetition.text(1)}^^^{repetition.text(4, 2) or repetition.text(4)}"


def _first(message: ER7Message, segment: str, field: int) -> str:
    found = message.find(segment)
    return found.text(field) if found else ""


def _of_xml(envelope: bytes) -> Outcome:
    try:
        root = parse_xml(envelope)
    except XMLRefused:
        return {"answer": "no XML that can be read"}
    names = Counter(QName(each).localname for each in root.iter("{*}*"))
    return _without_gaps(
        {
            "fault": _listed(_local(each.text) for each in root.iterfind(".//{*}Fault/{*}Code//{*}Value")),
            "status": _listed(
                _local(each.get("status")) for each in root.iter("{*}RegistryResponse", "{*}AdhocQueryResponse")
            ),
            "errors": _listed(each.get("errorCode") for each in root.iter("{*}RegistryError")),
            "results": ", ".join(f"{names[name]} {name}" for name in RESULTS if names[name]),
            "uniqueIds": _listed(_unique_ids(root)),
        }
        | _of_v3(root)
    )


def _of_v3(root: _Element) -> Outcome:
    v3 = "{urn:hl7-org:v3}"
    patients = list(root.iter(f"{v3}patient"))
    ids = (each for patient in patients for each in patient.iter(f"{v3}id") if each.get("extension"))
    return {
        "acknowledgement": _listed(each.get("code") for each in root.iterfind(f".//{v3}acknowledgement/{v3}typeCode")),
        "details": _listed(each.get("code") for each in root.iterfind(f".//{v3}acknowledgementDetail/{v3}code")),
        "queryResponseCode": _listed(each.get("code") for each in root.iter(f"{v3}queryResponseCode")),
        "patients": str(len(patients)) if patients else "",
        "ids": _listed(f"{each.get('extension')}^^^{each.get('root')}" for each in ids),
    }


def _unique_ids(root: _Element) -> Iterator[str | None]:
    for each in root.iter("{*}ExternalIdentifier"):
        if each.get(SCHEME) in UNIQUE_IDS:
            yield each.get("value")
    yield from (each.text for each in root.iterfind(".//{*}DocumentResponse/{*}DocumentUniqueId"))


def _local(value: str | None) -> str:
    return (value or "").strip().rpartition(":")[2]


def _listed(values: Iterable[str | None]) -> str:
    return ", ".join(sorted(filter(None, values)))


def _without_gaps(told: Outcome) -> Outcome:
    return {aspect: value for aspect, value in told.items() if value}
