"""PostgreSQL killed under load, and restarted or replaced by its standby: nothing acknowledged is lost or done twice.

``python -m tests.faults.test_failover 10`` does it ten times over and tells how long senders waited.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import start_node
from tests.faults.load import Load
from tests.servers import Server, directories

BEFORE, AFTER = 25, 40
"""Acknowledged messages before a kill, and after it."""


@pytest.fixture
def places() -> Iterator[list[Path]]:
    with directories(2) as made:
        yield made


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter than the outage may be on a busy machine, so that senders are told, too."""
    monkeypatch.setenv("AFFINITY__POSTGRESQL__PATIENCE_SECONDS", "0.5")


def test_a_standby_takes_over_and_nothing_acknowledged_is_lost(places: list[Path], tmp_path: Path) -> None:
    fail_over(places, tmp_path, AFTER)


def test_a_server_that_crashes_and_recovers_has_lost_nothing(places: list[Path], tmp_path: Path) -> None:
    crash(places, tmp_path, AFTER)


def fail_over(places: list[Path], data: Path, after: int) -> Load:
    """Kill the primary under load and promote its standby."""
    primary, standby = pair(*places)

    def replace() -> Server:
        primary.kill()
        standby.promote()
        return standby

    return under_load(data, primary.url(standby, target_session_attrs="read-write"), replace, after)


def crash(places: list[Path], data: Path, after: int) -> Load:
    """Kill a server under load and start it again."""
    server = Server(places[0])
    server.create()

    def restart() -> Server:
        server.kill()
        server.start()
        return server

    return under_load(data, server.url(), restart, after)


def under_load(data: Path, url: str, fail: Callable[[], Server], after: int) -> Load:
    """Let it ``fail`` in the middle; the node serves again by itself, and ends in order."""
    node = start_node(data, "--domain", "connectathon", "--xua", "off", "--database-url", url)
    try:
        load = Load(node)
        with load.running():
            load.until(BEFORE)
            server = fail()
            load.until(after)
        check(load, server)
        assert node.terminate() == 0
    finally:
        node.kill()
    return load


def pair(first: Path, second: Path) -> tuple[Server, Server]:
    """A primary and the standby that every commit waits for."""
    primary = Server(first)
    primary.create()
    standby = primary.copy_to(second)
    primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.ask("SELECT pg_reload_conf()")
    return primary, standby


def check(load: Load, server: Server) -> None:
    """What was acknowledged is there, and what is there is there once, with one record of it in the audit trail."""
    assert len(load.patients) + len(load.documents) >= AFTER
    patients = [str(row[0]) for row in server.ask("SELECT id FROM pix_record")]
    documents = [str(row[0]) for row in server.ask("SELECT unique_id FROM document_entry")]
    assert set(load.patients) <= set(patients)
    assert set(load.documents) <= set(documents)
    assert len(set(documents)) == len(documents)
    announced = server.ask("SELECT count(*), count(DISTINCT record) FROM pix_event WHERE type = 'announced'")
    assert announced == [(len(patients), len(patients))]
    recorded = dict(server.ask("SELECT event, count(*) FROM audit_event WHERE outcome = 0 GROUP BY event"))
    assert recorded["ITI-41"] == len(documents)


def long(rounds: int, failing: Callable[[list[Path], Path, int], Load]) -> None:
    """By hand: over and over, as an operator would have it set."""
    for number in range(1, rounds + 1):
        with directories(2) as made, tempfile.TemporaryDirectory() as data:
            load = failing(made, Path(data) / "data", 10 * AFTER)
        acknowledged = len(load.patients) + len(load.documents)
        told = dict(load.told)
        print(
            f"{failing.__name__} {number}: {acknowledged} kept, longest pause {load.pause:.1f} s, told {told}",
            flush=True,
        )


if __name__ == "__main__":
    for each in (fail_over, crash):
        long(int(sys.argv[1]), each)
