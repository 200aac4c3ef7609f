"""Send a message of another system through the door it belongs to, and say in one line what came back."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from affinity.catalogue import PATHS, TRANSACTIONS
from hl7v2.er7 import parse
from ihe.datatypes import CX
from ihe.exchange import Part
from ihe.identifiers import new_oid
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from soap.client import FaultReceived, NoAnswer, SOAPClient
from soap.mtom import pack
from soap.xml import parse as parse_xml
from soap.xml import serialize
from tests.end_to_end.conftest import RunningNode

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
HL7 = "{urn:hl7-org:v3}"
V2_FOLDERS = ("ITI-8", "ITI-9", "ITI-10", "ITI-21", "ITI-22", "ITI-30-31", "ITI-64", "OHIE-CR")
XML_FOLDERS = tuple(
    f"ITI-{number}" for number in ("18", "41", "42", "43", "44", "45", "47", "51", "57", "61", "62", "86")
)
UNIQUE_IDS = ("urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a")
"""The schemes of SubmissionSet.uniqueId and Folder.uniqueId (ITI TF-3: 4.2.5)."""
BINDINGS = {
    (transaction.id, binding.request): (binding, PATHS[transaction.responder])
    for transaction in reversed(TRANSACTIONS)  # ITI-44 has two doors; the PIX Manager's comes first
    for binding in transaction.bindings
    if isinstance(binding, SOAPBinding)
}


def send(node: RunningNode, sample: Path, patients: tuple[CX, CX], repository: str) -> str:
    """Send one sample; say its status and error codes, the codes of a fault, or how the line went dead."""
    if sample.parent.name in V2_FOLDERS:
        return _send_v2(node, sample.read_bytes())
    if sample.suffix == ".http":
        return _send_http(node, sample.read_bytes())
    return _send_xml(node, sample.parent.name, filled(sample.read_text("utf-8"), patients, repository).encode())


def filled(text: str, patients: tuple[CX, CX], repository: str) -> str:
    """Fill in the placeholders of the NIST toolkit as its engine does: fresh ids at every use of the message."""
    first, second = (str(patient).replace("&", "&amp;") for patient in patients)
    now = datetime.now(UTC)
    values = {
        "patient_id": first,
        "patientid": first,
        "patient_id1": first,
        "patient_id2": second,
        "repuid": repository,
    }
    values |= {"now": now.strftime("%Y%m%d%H%M%S"), "lastyear": str(now.year - 1)}

    def value(name: str) -> str:
        made = f"urn:uuid:{uuid.uuid4()}" if "uuid" in name else new_oid()
        return values.setdefault(name, made)

    return re.sub(r"\$([a-z0-9_]+)\$", lambda match: value(match[1]), text)


def with_fresh_unique_ids(request: bytes) -> bytes:
    """Give SubmissionSets and Folders uniqueIds of their own, as the NIST engine does: no sample hides another."""
    root = parse_xml(request)
    for identifier in root.iter("{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}ExternalIdentifier"):
        if identifier.get("identificationScheme") in UNIQUE_IDS:
            identifier.set("value", new_oid())
    return serialize(root)


def with_documents(request: bytes) -> bytes:
    """Add the documents that the NIST engine attaches to its metadata, one for each DocumentEntry without one."""
    end = re.search(rb"</([A-Za-z0-9]+:)?ProvideAndRegisterDocumentSetRequest>", request)
    if end is None or re.search(rb"<([A-Za-z0-9]+:)?Document[ >]", request):
        return request
    entries = re.findall(rb"<(?:[A-Za-z0-9]+:)?ExtrinsicObject\b[^>]*?\bid=['\"]([^'\"]+)", request)
    document = b'<Document xmlns="urn:ihe:iti:xds-b:2007" id="%s">U2FtcGxl</Document>'
    return request[: end.start()] + b"".join(document % entry for entry in entries) + request[end.start() :]


def _send_v2(node: RunningNode, message: bytes) -> str:
    address = mllp.Address(host="127.0.0.1", port=node.ports["mllp"])
    try:
        with mllp.Connection(address, timeout=20) as connection:
            answer = parse(connection.exchange(message))
    except mllp.MLLPError:
        return "hung up"
    codes = sorted({error.text(3) for error in answer.all("ERR")})
    status = answer["QAK"].text(2) if "QAK" in answer else ""
    return " ".join(part for part in (answer["MSA"].text(1), status, *codes) if part)


def _send_http(node: RunningNode, logged: bytes) -> str:
    """Send a logged HTTP message with its own Content-Type and body; the log has lost its carriage returns."""
    head, _, body = logged.replace(b"\r\n", b"\n").partition(b"\n\n")
    content_type = re.search(rb"(?im)^content-type:\s*(.+)$", head)
    if not head.startswith(b"POST") or content_type is None:
        return "no HTTP request"
    wire = body.replace(b"\n", b"\r\n")
    client = SOAPClient(url=node.url("/xds/repository"))
    return _outcome(lambda: client.post(content_type[1].decode(), len(wire), iter((wire,))).body)


def _send_xml(node: RunningNode, folder: str, document: bytes) -> str:
    try:
        root = parse_xml(document)
    except ValueError as error:
        return f"no XML: {type(error).__name__}"
    body = root.find(f"{{{SOAP}}}Body") if root.tag == f"{{{SOAP}}}Envelope" else None
    content = root if body is None else next(iter(body), root)
    found = BINDINGS.get((folder, str(content.tag)))
    if found is None:
        return f"no request of {folder}"
    binding, path = found
    if folder in ("ITI-41", "ITI-42"):
        document = with_documents(with_fresh_unique_ids(document))
    envelope = _envelope(binding.action, document) if body is None else document
    client = SOAPClient(url=node.url(path), spool=_Discarded)
    if binding.mtom:
        return _outcome(lambda: client.post(*pack(envelope, (), binding.action)).body)
    media_type = "application/soap+xml; charset=UTF-8"
    return _outcome(lambda: client.post(media_type, len(envelope), iter((envelope,))).body)


def _envelope(action: str, body: bytes) -> bytes:
    declaration = re.compile(rb"^\s*(<\?xml[^>]*\?>)?\s*")
    return (
        (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{WSA}"><s:Header><a:Action s:mustUnderstand="1">{action}</a:Action>'
            f"<a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID></s:Header><s:Body>"
        ).encode()
        + declaration.sub(b"", body)
        + b"</s:Body></s:Envelope>"
    )


def _outcome(call: "Callable[[], etree._Element]") -> str:
    try:
        answer = call()
    except FaultReceived as fault:
        return " ".join(("fault", fault.code, *fault.subcodes))
    except (NoAnswer, OSError) as error:
        return f"no answer: {type(error).__name__}"
    return " ".join(_said(answer))


def _said(answer: etree._Element) -> Iterator[str]:
    """Status and distinct error codes of an ebXML or an HL7 v3 answer."""
    status = next((each.get("status") for each in answer.iter() if each.get("status")), None)
    if status:
        yield status.rpartition(":")[2]
        yield from sorted({code for each in answer.iter() if (code := each.get("errorCode"))})
        return
    for path in (f"{HL7}acknowledgement/{HL7}typeCode", f".//{HL7}queryResponseCode"):
        found = answer.find(path)
        if found is not None:
            yield found.get("code", "")
    yield from sorted({each.get("code", "") for each in answer.iterfind(f".//{HL7}acknowledgementDetail/{HL7}code")})


class _Discarded:
    """A sink for documents that a sample's answer brings along."""

    def __init__(self) -> None:
        self._size = 0

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)

    def finish(self, content_id: str, media_type: str) -> Part:
        return Part(
            content_id=content_id, media_type=media_type, size=self._size, sha1="", sha256="", spooled="discarded"
        )

    def discard(self) -> None:
        self._size = 0
