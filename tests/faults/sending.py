"""What senders of tests of faults send to a node, and how."""

from pathlib import Path

from affinity.client import hl7, xds
from affinity.client.hl7 import Announced, Route
from affinity.domain import load
from hl7v2.er7 import serialize
from ihe.datatypes import CX, HD, Code
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from soap.client import SOAPAnswer, SOAPClient
from tests.end_to_end.conftest import RunningNode
from xds.file_store import FileStore
from xds.iti43 import ITI_43

RED = HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO")
REPOSITORY_PATH, REGISTRY_PATH = "/xds/repository", "/xds/registry"
AT_ONCE = 500
"""Documents that are asked for in one request; the client takes at most 1,000 parts in an answer."""
CODING = xds.Coding(
    class_code=Code("REPORTS", "1.3.6.1.4.1.19376.1.2.6.1", "REPORTS"),
    type_code=Code("11502-2", "2.16.840.1.113883.6.1", "11502-2"),
    format_code=Code("urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3", "mimeType"),
    confidentiality_code=Code("N", "2.16.840.1.113883.5.25", "N"),
    healthcare_facility_type_code=Code("22232009", "2.16.840.1.113883.6.96", "22232009"),
    practice_setting_code=Code("309927009", "2.16.840.1.113883.6.96", "309927009"),
    content_type_code=Code("225728007", "2.16.840.1.113883.6.96", "225728007"),
)


def content(unique_id: str) -> bytes:
    return (unique_id.encode() + b"\n") * 700


def admission(patient: str) -> bytes:
    """An ADT^A28 of a patient."""
    announced = Announced(
        identifiers=(CX(patient, RED),), family=f"Sturdy{patient}", given="Ada", birth_date="19700101", sex="F"
    )
    return serialize(hl7.announce(Route(), announced))


def address(node: RunningNode) -> mllp.Address:
    return mllp.Address(host="127.0.0.1", port=node.ports["mllp"])


def described(unique_id: UniqueId) -> xds.Described:
    """What is said of one text."""
    return xds.Described(
        title="Report",
        mime_type="text/plain",
        coding=CODING,
        language_code="en-us",
        creation_time="20260101",
        unique_id=unique_id,
    )


def submission(owner: CX, unique_id: UniqueId, content_id: str) -> bytes:
    """The body of an ITI-41 with one document."""
    source = xds.Source(source_id="1.2.3.4", author_person="^Doe", author_institution="Ward")
    made = xds.submission(CX(owner.id, HD("", RED.universal_id, "ISO")), source, owner, [described(unique_id)])
    return xds.provide_and_register(made, [content_id])


def call(
    node: RunningNode, path: str, binding: object, body: bytes, *parts: OutgoingPart, received: Path | None = None
) -> SOAPAnswer:
    assert isinstance(binding, SOAPBinding)
    spool = FileStore(received, None).create if received else None
    return SOAPClient(url=node.url(path), spool=spool).call(binding, [body], parts=parts)


def retrieve(node: RunningNode, unique_ids: set[str], received: Path) -> dict[str, bytes]:
    """The documents by what stands in their first line; asked for in as many parts as a client takes."""
    wanted, found = sorted(unique_ids), dict[str, bytes]()
    for start in range(0, len(wanted), AT_ONCE):
        found |= _retrieved(node, wanted[start : start + AT_ONCE], received)
    return found


def _retrieved(node: RunningNode, unique_ids: list[str], received: Path) -> dict[str, bytes]:
    repository = load("connectathon").affinity_domain.repository_unique_id
    body = xds.retrieve((repository, unique_id) for unique_id in unique_ids)
    answer = call(node, REPOSITORY_PATH, ITI_43.bindings[0], body, received=received)
    files = [Path(part.spooled).read_bytes() for part in answer.parts.values()]
    return {file.split(b"\n", 1)[0].decode(): file for file in files}


def subscribe(domain: Path, port: int) -> None:
    """Let a port of this machine be told of patients."""
    (domain / "subscribers.toml").write_text(
        f'[[subscriber]]\nname = "card"\nwire = "mllp://127.0.0.1:{port}"\napplication = "C"\nfacility = "H"\n'
    )
