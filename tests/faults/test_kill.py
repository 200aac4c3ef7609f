"""kill -9 in the middle of feeds and submissions: nothing acknowledged is lost, nothing half is visible."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import pytest

from affinity.client import hl7, xds
from affinity.client.hl7 import Route
from affinity.database import Database
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp import client as mllp
from soap.client import NoAnswer
from tests.end_to_end.conftest import RunningNode, start_node
from tests.faults.oracle import check_documents, check_merges, check_objects, check_patients
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

ROUNDS = int(os.environ.get("AFFINITY_FAULT_ROUNDS", "6"))
SEED = int(os.environ.get("AFFINITY_FAULT_SEED", "1"))
"""Of the moments of the kills."""
ROUNDS_OF_AN_OWNER = 200
"""After so many kills documents are about somebody else: one answer holds 2,000 at most (``max_results``)."""
SUBMITTERS = FEEDERS = 3
ANSWERED_WITHIN = 60
"""Seconds for one acknowledgement, on a machine that does much else."""
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"


@dataclass
class Witness:
    """What the node has acknowledged, and what was sent at all. Content is derived from the document's id."""

    patients: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    acknowledged: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of the database that the node has."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'affinity.db'}"
    return str(request.getfixturevalue("empty_postgresql"))


def test_nothing_acknowledged_is_lost_and_nothing_half_is_visible(url: str, tmp_path: Path) -> None:
    options = ("--domain", "connectathon", "--database-url", url)
    witness, numbers, moments = Witness(), count(1), Random(SEED)
    node = start_node(tmp_path / "data", *options)
    rounds = ROUNDS if url.startswith("sqlite") else (ROUNDS + 1) // 2  # PostgreSQL takes twice as long
    owners = [CX(f"KILL-OWNER-{number}", RED) for number in range(rounds // ROUNDS_OF_AN_OWNER + 1)]
    other = CX("KILL-OTHER", RED)
    assert all([feed(node, each.id) for each in (*owners, other)])
    writers = Writers(node, other, witness.acknowledged)
    for left in reversed(range(rounds)):
        writers.node = node
        with ThreadPoolExecutor(FEEDERS + SUBMITTERS + len(writers.steps)) as pool:
            steps = [partial(feed_next, node, witness, numbers)] * FEEDERS
            steps += [partial(submit_next, node, owners[left // ROUNDS_OF_AN_OWNER], witness)] * SUBMITTERS
            working = [pool.submit(repeat, step) for step in (*steps, *writers.steps)]
            try:
                for _ in range(moments.randint(5, 45)):
                    assert witness.acknowledged.acquire(timeout=ANSWERED_WITHIN)
                while not left and not writers.have_all_been_heard:
                    assert witness.acknowledged.acquire(timeout=ANSWERED_WITHIN)
                threading.Event().wait(moments.uniform(0, 0.02))
            finally:
                node.kill()  # also where nothing is acknowledged: the writers go on until nobody answers
        assert {worker.exception() for worker in working} == {None}
        node = start_node(tmp_path / "data", *options)
    visible = check(node, owners, witness, tmp_path)
    node.kill()
    check_database(url, tmp_path / "data", witness, writers, visible)


def check(node: RunningNode, owners: list[CX], witness: Witness, tmp_path: Path) -> set[str]:
    assert witness.patients and witness.documents
    assert [patient for patient in witness.patients if not known(node, patient)] == []
    visible = {unique_id for owner in owners for unique_id in find(node, owner)}
    assert set(witness.documents) <= visible
    retrieved = retrieve(node, visible, tmp_path / "received")
    assert retrieved == {unique_id: content(unique_id) for unique_id in visible}
    assert list((node.data / "documents" / "spool").iterdir()) == []
    return visible


def check_database(url: str, data: Path, witness: Witness, writers: Writers, visible: set[str]) -> None:
    database = Database(url)
    try:
        check_patients(database, data, {*witness.patients, *writers.kept["ITI-8"], *writers.kept["ITI-44"]})
        check_documents(database, visible)
        check_merges(database, writers)
        check_objects(database, writers)
    finally:
        database.close()


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
