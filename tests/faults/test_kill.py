"""kill -9 in the middle of feeds and submissions: nothing acknowledged is lost, nothing half is visible."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from affinity.client import hl7, xds
from affinity.client.hl7 import Route
from affinity.database import Database
from affinity.sealing import KEY
from atna import store
from atna.entries import patient_ids
from atna.logs import DatabaseLog
from atna.model import AuditMessage
from atna.signing import sealing_key
from atna.store import Search
from atna.verifying import verify
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp import client as mllp
from pix.tables import record
from soap.client import NoAnswer
from tests.end_to_end.conftest import RunningNode, start_node
from tests.faults.sending import (
    RED,
    REGISTRY_PATH,
    REPOSITORY_PATH,
    address,
    admission,
    call,
    content,
    retrieve,
    submission,
)
from tests.faults.writers import Writers
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.stored_queries import FIND_DOCUMENTS
from xds.tables import TABLE_OF, document, document_entry, object_locator

ROUNDS = int(os.environ.get("AFFINITY_FAULT_ROUNDS", "4"))
SEED = int(os.environ.get("AFFINITY_FAULT_SEED", "1"))
"""Of the moments of the kills."""
SUBMITTERS = FEEDERS = 3
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"


@dataclass
class Witness:
    """What the node has acknowledged, and what was sent at all. Content is derived from the document's id."""

    patients: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    acknowledged: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_nothing_acknowledged_is_lost_and_nothing_half_is_visible(data: Path, tmp_path: Path) -> None:
    witness, numbers = Witness(), count(1)
    node = start_node(data, "--domain", "connectathon")
    owner = CX("KILL-OWNER", RED)
    assert feed(node, owner.id)
    assert feed(node, "KILL-OTHER")
    others, moments = Writers(node, CX("KILL-OTHER", RED), witness.acknowledged), Random(SEED)
    for number in range(1, ROUNDS + 1):
        others.node = node
        with ThreadPoolExecutor(FEEDERS + SUBMITTERS + len(others.steps)) as pool:
            feeding = [pool.submit(repeat, partial(feed_next, node, witness, numbers)) for _ in range(FEEDERS)]
            submitting = [pool.submit(repeat, partial(submit_next, node, owner, witness)) for _ in range(SUBMITTERS)]
            writing = [pool.submit(repeat, step) for step in others.steps]
            for _ in range(moments.randint(15, 60)):
                assert witness.acknowledged.acquire(timeout=20)
            while number == ROUNDS and not others.have_all_been_heard:
                assert witness.acknowledged.acquire(timeout=20)
            threading.Event().wait(moments.uniform(0, 0.02))
            node.kill()
        assert {worker.exception() for worker in (*feeding, *submitting, *writing)} == {None}
        node = start_node(data, "--domain", "connectathon")
    visible = check(node, owner, witness, tmp_path)
    node.kill()
    check_audit(node.data, witness, others, visible)
    check_others(node.data, others)


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


def check_audit(data: Path, witness: Witness, others: Writers, visible: set[str]) -> None:
    """Each change has its record and each record its change, and all seals hold."""
    database = Database(f"sqlite:///{data / 'affinity.db'}")
    try:
        fed = [each for event in ("ITI-8", "ITI-30", "ITI-44") for each in successes(database, event)]
        submitted = successes(database, "ITI-41")
        report = database.read(lambda connection: verify(DatabaseLog(connection), sealing_key(data / KEY).verifier))
        patients = database.read(lambda connection: connection.execute(select(record.c.id)).scalars().all())
        provided = {id for id, _ in rows(database, document.c.unique_id, document.c.removed_at)}
    finally:
        database.close()
    announced = {each.partition("^")[0] for message in fed for each in patient_ids(message)}
    assert {*witness.patients, *others.kept["ITI-8"], *others.kept["ITI-44"]} <= announced
    assert sorted(announced | {each for each in patients if each.startswith("NAT-")}) == sorted(patients)
    assert visible <= provided
    assert len(submitted) == len(provided)  # one document each
    assert report.findings == []
    assert report.sealed


def check_others(data: Path, others: Writers) -> None:
    """Of every other transaction: what was acknowledged is done, and what is done is done once and recorded once."""
    database = Database(f"sqlite:///{data / 'affinity.db'}")
    try:
        entries = Counter(id for id, _ in rows(database, document_entry.c.unique_id, document_entry.c.version))
        removed = {id for id, at in rows(database, document.c.unique_id, document.c.removed_at) if at}
        recorded = {event: len(successes(database, event)) for event in others.sent}
        objects = sum(len(rows(database, each.c.entry_uuid, each.c.id)) for each in TABLE_OF.values())
        located = len(rows(database, object_locator.c.entry_uuid, object_locator.c.id))
    finally:
        database.close()
    updated = {id for id, versions in entries.items() if versions > 1}
    gone = {*others.sent["ITI-62"]} - {*entries}
    registered = {*others.sent["ITI-42"]} & ({*entries} | gone)
    on_demand = {*others.sent["ITI-61"]} & {*entries}
    done = {"ITI-42": registered, "ITI-57": updated, "ITI-61": on_demand, "ITI-62": gone, "ITI-86": removed}
    for event, ids in done.items():
        assert {*others.kept[event]} <= ids <= {*others.sent[event]}, event
        assert recorded[event] == len(ids), event
    assert max(entries.values()) == 2
    assert objects == located


def rows(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    return [tuple(each) for each in database.read(lambda connection: connection.execute(select(*columns)).all())]


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
    try:
        answer = mllp.send(address(node), admission(patient))
    except mllp.MLLPError:
        return False
    assert parse(answer)["MSA"].text(1) == "AA", answer
    return True


def known(node: RunningNode, patient: str) -> bool:
    answer = parse(mllp.send(address(node), serialize(hl7.pix_query(Route(), CX(patient, RED)))))
    return answer["MSA"].text(1) == "AA"


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
