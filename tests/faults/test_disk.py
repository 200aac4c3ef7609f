"""Disks that are full, slow, read-only or broken: senders are told to try again, and it serves again once it is mended.

``AFFINITY_FAULT_ROUNDS=50`` lets each fault come and go fifty times. A full disk is a real one, of a few megabytes,
which root alone may mount; other faults are put under the node by a library that is compiled here, if there is a cc.
"""

import errno
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from affinity.database import Database
from atna.tables import audit_event
from pix.tables import record
from tests.affinity.fake_consumers import MLLPInbox
from tests.end_to_end.conftest import Start, executed
from tests.faults.compiling import compiled
from tests.faults.full import filled, mounted
from tests.faults.load import Load
from tests.faults.sending import retrieve, subscribe
from xds.tables import document_entry

FAILING = (("sync", errno.EIO), ("write", errno.EIO), ("write", errno.EROFS), ("write", errno.ENOSPC))
ROUNDS = int(os.environ.get("AFFINITY_FAULT_ROUNDS", "1"))
BEFORE = AFTER = 15
"""Acknowledged messages before a fault and after it."""
REFUSED = 8
"""Answers that say "later", before the fault is mended."""
FAULTS = [f"{what} {number}" for what, number in FAILING]
DISK = (24 + ROUNDS) * 2**20
MOST = 5000 * ROUNDS
"""Messages of the load."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    with mounted(place, DISK):
        yield place


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes disks fail."""
    return compiled("disk", tmp_path_factory.mktemp("faulty"))


def test_a_full_disk_refuses_and_loses_nothing(start: Start, small_disk: Path, domain: Path, inbox: MLLPInbox) -> None:
    """Database, documents, audit trail and what subscribers are to be told are on one disk, as they are by default."""
    subscribe(domain, inbox.port)
    load = Load(start("--domain", str(domain), "--xua", "off", data=small_disk / "data"), most=MOST)

    with load.running():
        for _ in range(ROUNDS):
            load.until(BEFORE)
            with filled(small_disk):
                load.until_told(REFUSED)
        load.until(AFTER)
    while set(load.patients) - set(inbox.ids()):
        inbox.wait(len(inbox.received) + 1)
    assert max(Counter(inbox.ids()).values()) == 1  # what was told, and could not be written down, is not told again
    check(load, small_disk)


def test_a_failing_disk_refuses_and_loses_nothing(
    start: Start, faulty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fsync fails, writing fails, the file system is read-only, or full; and while it is merely slow nobody is told."""
    said = tmp_path / "fault"
    monkeypatch.setenv("LD_PRELOAD", str(faulty))
    monkeypatch.setenv("FAULTS_FILE", str(said))
    load = Load(start("--domain", "connectathon", "--xua", "off", begin=executed), most=MOST)
    monkeypatch.delenv("LD_PRELOAD")
    with load.running():
        for fault in FAULTS * ROUNDS:
            load.until(BEFORE)
            said.write_text(fault)
            load.until_told(REFUSED)
            said.unlink()
        load.until(AFTER)
        said.write_text("slow 10000")
        load.until(AFTER)
    check(load, tmp_path)


def check(load: Load, place: Path) -> None:
    """What was acknowledged is there byte for byte, what is there is there once, and recorded."""
    received = retrieve(load.node, set(load.documents), place / "received")
    assert received == {each: load.content(each) for each in load.documents}
    assert load.node.terminate() == 0
    # What a failing disk did not let be removed stays marked for the next start.
    assert {each.suffix for each in (load.node.data / "documents" / "spool").iterdir()} <= {".removing"}
    assert [line for line in load.node.log if '"incident"' in line] == []
    database = Database(f"sqlite:///{load.node.data / 'affinity.db'}")
    try:
        patients = database.read(lambda each: each.execute(select(record.c.id)).scalars().all())
        documents = database.read(lambda each: each.execute(select(document_entry.c.unique_id)).scalars().all())
        query = select(audit_event.c.event, func.count()).where(audit_event.c.outcome == 0)
        recorded = database.read(lambda each: dict(each.execute(query.group_by(audit_event.c.event)).all()))
    finally:
        database.close()
    assert set(load.patients) <= set(patients)
    assert len(set(patients)) == len(patients)
    assert set(load.documents) <= set(documents)
    assert len(set(documents)) == len(documents)
    assert recorded["ITI-41"] == len(documents)
