"""Every transaction that changes something, under way at once, until the node is ended; and what must hold then."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

from affinity.client import hl7, xds
from affinity.client.hl7 import Route
from affinity.database import Database
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp import client as mllp
from soap.client import NoAnswer
from tests.end_to_end.conftest import RunningNode
from tests.faults.consent_oracle import check_consents
from tests.faults.consent_scene import Desk, Scene
from tests.faults.consents import Consents
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

SEED = int(os.environ.get("AFFINITY_FAULT_SEED", "1"))
"""Of the moments at which a node is ended."""
ROUNDS_OF_AN_OWNER = 200
"""After so many rounds documents are about somebody else: one answer holds 2,000 at most (``max_results``)."""
SUBMITTERS = FEEDERS = 2
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


class Attack:
    """So many rounds, in each of which everybody writes to ``node`` until it is ended."""

    def __init__(self, node: RunningNode, rounds: int, scene: Scene, desk: Desk) -> None:
        self.node, self.rounds, self.witness = node, rounds, Witness()
        self.owners = [CX(f"KILL-OWNER-{number}", RED) for number in range(rounds // ROUNDS_OF_AN_OWNER + 1)]
        other = CX("KILL-OTHER", RED)
        assert all([feed(node, each.id) for each in (*self.owners, other)])
        self.writers = Writers(node, other, self.witness.acknowledged)
        self.consents = Consents(self.writers, scene, desk)
        self._numbers, self._moments = count(1), Random(SEED)

    def run(self, start: Callable[[], RunningNode]) -> None:
        """End the node and ``start`` it again in each round, in the last one after everybody was heard."""
        for left in reversed(range(self.rounds)):
            self.writers.node = self.node
            own = self._steps(self.owners[left // ROUNDS_OF_AN_OWNER])
            steps = (*own, *self.writers.steps, *self.consents.steps)
            with ThreadPoolExecutor(len(steps)) as pool:
                working = [pool.submit(repeat, step) for step in steps]
                try:
                    self._wait(is_last=not left)
                finally:
                    self.node.kill()  # also where nothing is acknowledged: the writers go on until nobody answers
            for worker in working:
                worker.result()
            self.node = start()

    def check(self, url: str, place: Path) -> None:
        """What must hold of the node, then of its database, once it has been ended for the last time."""
        visible = check(self.node, self.owners, self.witness, place)
        self.writers.node = self.node
        answered = self.consents.known()
        self.node.kill()
        with closing(Database(url)) as database:
            announced = {*self.witness.patients, *self.writers.kept["ITI-8"], *self.writers.kept["ITI-44"]}
            check_patients(database, self.node.data, announced)
            check_documents(database, visible)
            check_merges(database, self.writers)
            check_objects(database, self.writers)
            check_consents(database, self.consents, answered)

    def _steps(self, owner: CX) -> list[Callable[[], bool]]:
        feeding = partial(feed_next, self.node, self.witness, self._numbers)
        return [feeding] * FEEDERS + [partial(submit_next, self.node, owner, self.witness)] * SUBMITTERS

    def _wait(self, is_last: bool) -> None:
        for _ in range(self._moments.randint(5, 45)):
            assert self.witness.acknowledged.acquire(timeout=ANSWERED_WITHIN)
        while is_last and not (self.writers.have_all_been_heard and self.consents.have_all_been_heard):
            assert self.witness.acknowledged.acquire(timeout=ANSWERED_WITHIN)
        threading.Event().wait(self._moments.uniform(0, 0.02))


def check(node: RunningNode, owners: list[CX], witness: Witness, tmp_path: Path) -> set[str]:
    assert witness.patients and witness.documents
    assert [patient for patient in witness.patients if not known(node, patient)] == []
    visible = {unique_id for owner in owners for unique_id in find(node, owner)}
    assert set(witness.documents) <= visible
    retrieved = retrieve(node, visible, tmp_path / "received")
    assert retrieved == {unique_id: content(unique_id) for unique_id in visible}
    assert list((node.data / "documents" / "spool").iterdir()) == []
    return visible


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
