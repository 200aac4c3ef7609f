"""kill -9 in the middle of feeds and submissions: nothing acknowledged is lost, nothing half is visible."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from affinity.client import hl7, xds
from affinity.client.hl7 import Announced, Route
from affinity.database import Database
from affinity.domain import load
from affinity.sealing import KEY
from atna import store
from atna.entries import patient_ids
from atna.logs import DatabaseLog
from atna.model import AuditMessage
from atna.signing import sealing_key
from atna.store import Search
from atna.verifying import verify
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX, HD, Code
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from ihe.transactions import SOAPBinding
from mllp import client as mllp
from pix.tables import record
from soap.client import NoAnswer, SOAPAnswer, SOAPClient
from tests.end_to_end.conftest import RunningNode, start_node
from xds.file_store import FileStore
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti43 import ITI_43
from xds.stored_queries import FIND_DOCUMENTS

RED = HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO")
REPOSITORY_PATH, REGISTRY_PATH = "/xds/repository", "/xds/registry"
ROUNDS = 4
SUBMITTERS = FEEDERS = 3
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"


@dataclass
class Witness:
    """What the node has acknowledged, and what was sent at all. Content is derived from the document's id."""

    patients: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    acknowledged: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


def content(unique_id: str) -> bytes:
    return (unique_id.encode() + b"\n") * 700


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_nothing_acknowledged_is_lost_and_nothing_half_is_visible(data: Path, tmp_path: Path) -> None:
    witness, numbers = Witness(), count(1)
    node = start_node(data, "--domain", "connectathon")
    owner = CX("KILL-OWNER", RED)
    assert feed(node, owner.id)
    for round_number in range(ROUNDS):
        with ThreadPoolExecutor(FEEDERS + SUBMITTERS) as pool:
            feeding = [pool.submit(repeat, partial(feed_next, node, witness, numbers)) for _ in range(FEEDERS)]
            submitting = [pool.submit(repeat, partial(submit_next, node, owner, witness)) for _ in range(SUBMITTERS)]
            for _ in range(25 + 7 * round_number):
                assert witness.acknowledged.acquire(timeout=20)
            node.kill()
        assert [worker.exception() for worker in (*feeding, *submitting)] == [None] * (FEEDERS + SUBMITTERS)
        node = start_node(data, "--domain", "connectathon")
    visible = check(node, owner, witness, tmp_path)
    node.kill()
    check_audit(node.data, witness, visible)


def check(node: RunningNode, owner: CX, witness: Witness, tmp_path: Path) -> set[str]:
    assert len(witness.patients) > ROUNDS
    assert len(witness.documents) > ROUNDS
    assert [patient for patient in witness.patients if not known(node, patient)] == []
    visible = find(node, owner)
    assert set(witness.documents) <= visible
    retrieved = retrieve(node, visible, tmp_path / "received")
    assert retrieved == {unique_id: content(unique_id) for unique_id in visible}
    assert list((node.data / "documents" / "spool").iterdir()) == []
    return visible


def check_audit(data: Path, witness: Witness, visible: set[str]) -> None:
    """Each change has its record and each record its change, and all seals hold."""
    database = Database(f"sqlite:///{data / 'affinity.db'}")
    try:
        fed, submitted = (successes(database, each) for each in ("ITI-30", "ITI-41"))
        report = database.read(lambda connection: verify(DatabaseLog(connection), sealing_key(data / KEY).verifier))
        patients = database.read(lambda connection: set(connection.execute(select(record.c.id)).scalars()))
    finally:
        database.close()
    announced = {each.partition("^")[0] for message in fed for each in patient_ids(message)}
    assert set(witness.patients) <= announced
    assert announced == patients
    assert len(submitted) == len(visible)  # one document each
    assert report.findings == []
    assert report.sealed


def successes(database: Database, event: str) -> list[AuditMessage]:
    wanted = Search(events=(event,), outcomes=(0,), limit=100_000)
    return [each.message for each in database.read(lambda connection: store.search(connection, wanted))]


def repeat(step: Callable[[], bool]) -> None:
    """Repeat a step until the node is gone."""
    while step():
        pass


def feed_next(node: RunningNode, witness: Witness, numbers: Iterator[int]) -> bool:
    patient = f"KILL-{next(numbers)}"
    if not feed(node, patient):
        return False
    witness.patients.append(patient)
    witness.acknowledged.release()
    return True


def feed(node: RunningNode, patient: str) -> bool:
    announced = Announced(
        identifiers=(CX(patient, RED),), family=f"Sturdy{patient}", given="Ada", birth_date="19700101", sex="F"
    )
    try:
        answer = mllp.send(address(node), serialize(hl7.announce(Route(), announced)))
    except mllp.MLLPError:
        return False
    assert parse(answer)["MSA"].text(1) == "AA", answer
    return True


def known(node: RunningNode, patient: str) -> bool:
    answer = parse(mllp.send(address(node), serialize(hl7.pix_query(Route(), CX(patient, RED)))))
    return answer["MSA"].text(1) == "AA"


def address(node: RunningNode) -> mllp.Address:
    return mllp.Address(host="127.0.0.1", port=node.ports["mllp"])


def submission(owner: CX, unique_id: UniqueId, content_id: str) -> bytes:
    """The body of an ITI-41 with one document."""
    described = xds.Described(
        title="Report",
        mime_type="text/plain",
        coding=CODING,
        language_code="en-us",
        creation_time="20260101",
        unique_id=unique_id,
    )
    source = xds.Source(source_id="1.2.3.4", author_person="^Doe", author_institution="Ward")
    made = xds.submission(CX(owner.id, HD("", RED.universal_id, "ISO")), source, owner, [described])
    return xds.provide_and_register(made, [content_id])


def submit_next(node: RunningNode, owner: CX, witness: Witness) -> bool:
    unique_id = UniqueId(new_oid())
    body = submission(owner, unique_id, "document@kill")
    sent = content(unique_id)
    part = OutgoingPart(
        content_id="document@kill", media_type="text/plain", size=len(sent), chunks=lambda: iter((sent,))
    )
    try:
        answer = call(node, REPOSITORY_PATH, ITI_41.bindings[0], body, part)
    except (OSError, NoAnswer):
        return False
    assert answer.body.get("status", "").endswith(":Success"), [dict(each.attrib) for each in answer.body.iter()]
    witness.documents.append(unique_id)
    witness.acknowledged.release()
    return True


def find(node: RunningNode, owner: CX) -> set[str]:
    slots = (("$XDSDocumentEntryPatientId", (xds.quoted(str(owner)),)), ("$XDSDocumentEntryStatus", (APPROVED,)))
    answer = call(node, REGISTRY_PATH, ITI_18.bindings[0], xds.stored_query(FIND_DOCUMENTS.id, slots))
    return {
        identifier.get("value", "")
        for entry in answer.body.iter(f"{RIM}ExtrinsicObject")
        for identifier in entry.iter(f"{RIM}ExternalIdentifier")
        if identifier.get("identificationScheme") == "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
    }


def retrieve(node: RunningNode, unique_ids: set[str], received: Path) -> dict[str, bytes]:
    repository = load("connectathon").affinity_domain.repository_unique_id
    body = xds.retrieve((repository, unique_id) for unique_id in sorted(unique_ids))
    answer = call(node, REPOSITORY_PATH, ITI_43.bindings[0], body, received=received)
    files = [Path(part.spooled).read_bytes() for part in answer.parts.values()]
    return {file.split(b"\n", 1)[0].decode(): file for file in files}


def call(
    node: RunningNode, path: str, binding: object, body: bytes, *parts: OutgoingPart, received: Path | None = None
) -> SOAPAnswer:
    assert isinstance(binding, SOAPBinding)
    spool = FileStore(received, None).create if received else None
    return SOAPClient(url=node.url(path), spool=spool).call(binding, [body], parts=parts)


CODING = xds.Coding(
    class_code=Code("REPORTS", "1.3.6.1.4.1.19376.1.2.6.1", "REPORTS"),
    type_code=Code("11502-2", "2.16.840.1.113883.6.1", "11502-2"),
    format_code=Code("urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3", "mimeType"),
    confidentiality_code=Code("N", "2.16.840.1.113883.5.25", "N"),
    healthcare_facility_type_code=Code("22232009", "2.16.840.1.113883.6.96", "22232009"),
    practice_setting_code=Code("309927009", "2.16.840.1.113883.6.96", "309927009"),
    content_type_code=Code("225728007", "2.16.840.1.113883.6.96", "225728007"),
)
