"""kill -9 while closed records are deleted, which no sender asks for: what was begun is ended later, and said once.

``python -m tests.faults.test_deletion_kill DOMAIN DATA`` deletes what is due, as a node does an hour after its start.
"""

import os
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from subprocess import Popen
from threading import Event, Semaphore
from time import monotonic

from affinity.database import Database
from affinity.domain import load
from affinity.node import Node, open_node, utc_now
from affinity.record_deletion import AT_ONCE, RecordDeletion
from affinity.settings import Settings
from atna.entries import patient_ids
from consent.tables import event
from ihe.datatypes import CX
from ihe.transactions import Actor
from tests.end_to_end.conftest import start_node
from tests.faults.attack import SEED
from tests.faults.consent_oracle import CONSOLE, EVENTS, stories
from tests.faults.consent_scene import make_scene
from tests.faults.consents import CHAINS, Consents
from tests.faults.oracle import rows, successes
from tests.faults.sending import RED
from tests.faults.writers import Writers
from xds.tables import TABLE_OF, document

ROUNDS = (int(os.environ.get("AFFINITY_FAULT_ROUNDS", "6")) + 1) // 2
RECORDS = 6 * ROUNDS
MOST = 0.03
"""Seconds that it goes on after the first."""
DUE = "[life]\ndelete_after_days = 0\n"
DELETED = (*(each for act in CHAINS["CONSENT"] for each in EVENTS[act]), "record-deleted")


def test_records_are_deleted_once_whatever_is_killed_meanwhile(tmp_path: Path) -> None:
    scene, data, moments = make_scene(tmp_path), tmp_path / "data", Random(SEED)
    with (scene.domain / "record.toml").open("a") as rules:
        rules.write(DUE)
    node = start_node(data, *scene.options)
    consents = Consents(Writers(node, CX("", RED), Semaphore(0)), scene, scene.desk(data, ""))
    for _ in range(RECORDS):
        assert consents.consent_and_oppose()
    node.kill()
    with closing(Database(f"sqlite:///{data / 'affinity.db'}")) as database:
        for _ in range(ROUNDS):
            before = deleted(database)
            with Popen([sys.executable, "-m", __name__, str(scene.domain), str(data)]) as deleting:
                try:
                    await_more(database, before)
                    Event().wait(moments.uniform(0, MOST))
                finally:
                    deleting.kill()
    with closing(opened(str(scene.domain), data)) as found:
        delete(found)
        check(found, data, consents.kept["opposition"])


def opened(domain: str, data: Path) -> Node:
    return open_node(Settings(domain=domain, data=data), load(domain))


def deleted(database: Database) -> int:
    """So many records until now."""
    return sum(type == "record-deleted" for (type,) in rows(database, event.c.type))


def await_more(database: Database, before: int) -> None:
    """Return once more than ``before`` are deleted, or all."""
    ends = monotonic() + 30
    while deleted(database) <= min(before, RECORDS - 1):
        assert monotonic() < ends, "nothing is deleted"
        Event().wait(0.005)


def delete(node: Node) -> None:
    """Delete what is left, in as many runs as that takes."""
    deletion = RecordDeletion(
        database=node.database,
        index=node.ports[Actor.PIX_MANAGER],
        repository=node.ports[Actor.DOCUMENT_REPOSITORY],
        trail=node.trail,
        clock=utc_now,
    )
    for _ in range(0, RECORDS, AT_ONCE):
        deletion.delete_due()


def check(node: Node, data: Path, patients: list[str]) -> None:
    """Of each record there is nothing but its story and one audit record of its end; of the documents no byte."""
    assert stories(node.database) == dict.fromkeys(patients, DELETED)
    told = [
        each for each in successes(node.database, CONSOLE) if "record deleted" in str(each.event.outcome_description)
    ]
    assert sorted(id.partition("^")[0] for each in told for id in patient_ids(each)) == sorted(patients)
    assert all(at for (at,) in rows(node.database, document.c.removed_at))
    assert [each for table in TABLE_OF.values() for each in rows(node.database, table.c.id)] == []
    assert [each for each in (data / "documents" / "content").rglob("*") if each.is_file()] == []


if __name__ == "__main__":
    with closing(opened(sys.argv[1], Path(sys.argv[2]))) as ours:
        delete(ours)
