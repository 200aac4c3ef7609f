"""``affinity status`` and the doctor's look at the database: one good state, one change, one verdict."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.cli.checks_database import database, keeping
from affinity.cli.checks_server import clock
from affinity.cli.gauges import Gauges
from affinity.cli.status_parts import lasting, parts, sized
from affinity.settings import Settings

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = 86400
WELL = f"""\
affinity_build_info{{version="1.0",python="3.11.7",database="sqlite"}} 1
process_start_time_seconds {NOW.timestamp() - 3 * DAY}
process_resident_memory_bytes 134217728
affinity_database_up 1
affinity_database_bytes{{part="all"}} 1048576
affinity_database_bytes{{part="wal"}} 4096
affinity_database_connections{{state="used"}} 3
affinity_database_connections{{state="most"}} 80
affinity_threads{{state="busy"}} 3
affinity_threads{{state="most"}} 64
affinity_threads{{state="waiting"}} 0
affinity_writes_waiting 0
affinity_requests_total{{transaction="ITI-8",outcome="success"}} 10
affinity_requests_total{{transaction="ITI-8",outcome="error"}} 0
affinity_notifications{{subscriber="cardiology",state="pending"}} 2
affinity_notifications{{subscriber="cardiology",state="dead"}} 0
affinity_notifications_oldest_seconds{{subscriber="cardiology"}} 3
affinity_audit_waiting{{repository="national",state="waiting"}} 5
affinity_audit_waiting_oldest_seconds{{repository="national"}} 2
affinity_audit_unsealed 4
affinity_audit_unsealed_oldest_seconds 9
affinity_certificate_end_seconds{{file="server.pem",subject="CN=node"}} {NOW.timestamp() + 300 * DAY}
affinity_certificate_end_seconds{{file="ca.crl",subject="revocation list of CN=ca"}} {NOW.timestamp() + 6 * DAY}
affinity_disk_bytes{{state="used"}} 5e10
affinity_disk_bytes{{state="free"}} 5e10
affinity_backup_time_seconds {NOW.timestamp() - 3600}
affinity_stewardship_tasks{{kind="overlay"}} 2
"""


def judged(page: str) -> dict[str, str]:
    """What is not ok, and how bad it is."""
    found = parts(Gauges.read(page), NOW)
    return {each.check: each.state.value for each in found if each.state != "ok"}


def test_a_healthy_node_has_nothing_to_complain_of() -> None:
    assert judged(WELL) == {}


@pytest.mark.parametrize(
    ("good", "bad", "verdict"),
    [
        ("affinity_database_up 1", "affinity_database_up 0", {"database": "FAILED"}),
        ('connections{state="used"} 3', 'connections{state="used"} 79', {"database": "warning"}),
        ('part="wal"} 4096', 'part="wal"} 2e9', {"database": "warning"}),
        ('threads{state="waiting"} 0', 'threads{state="waiting"} 1', {"queues": "warning"}),
        ("affinity_writes_waiting 0", "affinity_writes_waiting 5000", {"queues": "warning"}),
        ('outcome="error"} 0', 'outcome="error"} 1', {"requests": "warning"}),
        ('state="dead"} 0', 'state="dead"} 1', {"subscriber cardiology": "warning"}),
        (
            'seconds{subscriber="cardiology"} 3',
            'seconds{subscriber="cardiology"} 901',
            {"subscriber cardiology": "warning"},
        ),
        ('seconds{repository="national"} 2', 'seconds{repository="national"} 901', {"repository national": "warning"}),
        ("unsealed_oldest_seconds 9", "unsealed_oldest_seconds 301", {"audit seals": "FAILED"}),
        (str(NOW.timestamp() + 300 * DAY), str(NOW.timestamp() + 20 * DAY), {"certificate": "warning"}),
        (str(NOW.timestamp() + 300 * DAY), str(NOW.timestamp() + 2 * DAY), {"certificate": "FAILED"}),
        (str(NOW.timestamp() + 300 * DAY), str(NOW.timestamp() - 1), {"certificate": "FAILED"}),
        (str(NOW.timestamp() + 6 * DAY), str(NOW.timestamp() + DAY / 2), {"certificate": "warning"}),
        ('state="free"} 5e10', 'state="free"} 5e9', {"disk": "warning"}),
        ('state="free"} 5e10', 'state="free"} 1e9', {"disk": "FAILED"}),
        (str(NOW.timestamp() - 3600), str(NOW.timestamp() - 2 * DAY), {"backup": "warning"}),
        (f"affinity_backup_time_seconds {NOW.timestamp() - 3600}\n", "", {"backup": "skipped"}),
        ("affinity_build_info", "other_build_info", {"program": "FAILED"}),
    ],
)
def test_one_thing_that_is_wrong_is_said(good: str, bad: str, verdict: dict[str, str]) -> None:
    assert good in WELL
    assert judged(WELL.replace(good, bad)) == verdict


def test_several_processes_are_added_up() -> None:
    gauges = Gauges.read('affinity_threads{state="busy",worker="1"} 2\naffinity_threads{state="busy",worker="2"} 3\n')
    assert gauges.total("affinity_threads", state="busy") == 5
    assert gauges.oldest("affinity_threads") == 3


@pytest.mark.parametrize(("seconds", "said"), [(5, "5 s"), (3700, "1 h 1 min"), (200_000, "2 d 7 h"), (-3, "0 s")])
def test_spans_of_time_are_told_in_two_units(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


@pytest.mark.parametrize(("size", "said"), [(12, "12 B"), (5 * 2**20, "5 MiB"), (3 * 2**40, "3.0 TiB")])
def test_sizes_are_told_in_binary_units(size: float, said: str) -> None:
    assert sized(size) == said


def test_where_no_node_runs_that_is_said_and_is_exit_code_3(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--data", str(tmp_path), "--json"])
    assert result.exit_code == 3
    assert "no node runs on" in json.loads(result.stdout)["error"]


SAFE = {
    "archive_mode": "on",
    "data_checksums": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "server_encoding": "UTF8",
    "synchronous_commit": "on",
    "wal_level": "replica",
}


def complaints(**changed: str) -> dict[str, str]:
    return {each.check: each.state.value for each in keeping({**SAFE, **changed}) if each.state != "ok"}


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("fsync", "on", {}),
        ("fsync", "off", {"database durability": "FAILED"}),
        ("full_page_writes", "off", {"database durability": "FAILED"}),
        ("synchronous_commit", "off", {"database durability": "FAILED"}),
        ("synchronous_commit", "local", {}),
        ("server_encoding", "SQL_ASCII", {"database encoding": "FAILED"}),
        ("data_checksums", "off", {"database checksums": "warning"}),
        ("archive_mode", "off", {"database archive": "warning"}),
        ("wal_level", "minimal", {"database archive": "warning"}),
    ],
)
def test_settings_of_postgresql_that_lose_acknowledged_data_fail(
    name: str, value: str, verdict: dict[str, str]
) -> None:
    assert complaints(**{name: value}) == verdict


@pytest.fixture
def durable_url(postgresql_url: str) -> Iterator[str]:
    """The server of the test run with the fsync that it is spared elsewhere."""
    _fsync(postgresql_url, "on")
    yield postgresql_url
    _fsync(postgresql_url, "off")


def _fsync(url: str, state: str) -> None:
    server = url.replace("+psycopg", "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET fsync = {state}".encode())
        connection.execute("SELECT pg_reload_conf()")
        while connection.execute("SHOW fsync").fetchone() != (state,):
            pass  # the server reads its settings after it has answered


def test_a_setting_of_the_session_alone_is_seen_as_well(durable_url: str, tmp_path: Path) -> None:
    lax = f"{durable_url}&options=-csynchronous_commit%3Doff"
    for url, state in ((durable_url, "ok"), (lax, "FAILED")):
        found = {each.check: each for each in database(Settings(data=tmp_path, database_url=url))}
        assert found["database durability"].state == state, found["database durability"].detail
        assert found["database clock"].state == "ok"


@pytest.mark.parametrize(("workers", "state"), [(1, "ok"), (64, "warning")])
def test_every_process_of_a_node_needs_connections(
    postgresql_url: str, tmp_path: Path, workers: int, state: str
) -> None:
    settings = Settings(data=tmp_path, database_url=postgresql_url, workers=workers)
    found = {each.check: each.state.value for each in database(settings)}
    assert found["database connections"] == state


def test_of_several_hosts_the_reason_of_each_is_told(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@/nothing?host={tmp_path}/one&host={tmp_path}/other"
    [found] = database(Settings(database_url=url))
    assert found.state == "FAILED"
    assert all(f"{name}/.s.PGSQL.5432" in found.detail for name in ("one", "other"))


def test_a_database_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFINITY__POSTGRESQL__CONNECT_SECONDS", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        [found] = database(Settings(database_url=f"postgresql+psycopg://127.0.0.1:{silent.getsockname()[1]}/nothing"))
    assert "timeout expired" in found.detail


@pytest.mark.parametrize(("took", "state"), [(60, "ok"), (10, "FAILED")])
def test_a_server_that_answers_late_has_no_wrong_clock(took: int, state: str) -> None:
    """Its Date is of when it was asked, and a database that is away takes it long to notice."""
    now = datetime.now(UTC)
    assert clock(format_datetime(now - timedelta(seconds=50)), now - timedelta(seconds=took)).state == state


def test_the_wal_of_sqlite_is_measured(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "affinity.db").write_bytes(sqlite_template.read_bytes())
    with (tmp_path / "affinity.db-wal").open("wb") as wal:
        wal.truncate(2**30 + 1)  # sparse: takes no room
    found = {each.check: each.state.value for each in database(Settings(data=tmp_path))}
    assert found["database WAL"] == "warning"
