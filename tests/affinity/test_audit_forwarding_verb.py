"""``affinity audit forwarding`` and what ``affinity doctor`` says of audit repositories."""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.cli.checks_audit import audit_repositories
from affinity.database import Database
from affinity.domain import SHIPPED
from affinity.pki import development_pki
from affinity.settings import Settings
from atna.forwarding import Progress, Reach
from atna.store_exchange import note
from tests.atna.trail import fill

NAMES = ("near", "far")


@pytest.fixture
def data(sqlite_template: Path, tmp_path: Path) -> Path:
    """The data of a node with four records, to which each use of the verb adds one; one repository is lost."""
    domain, directory = tmp_path / "domain", tmp_path / "data"
    shutil.copytree(SHIPPED / "demo", domain)
    (domain / "repositories.toml").write_text(
        "".join(f'[[repository]]\nname = "{each}"\nwire = "syslog+tls://{each}.example:6514"\n' for each in NAMES)
    )
    directory.mkdir()
    (directory / "domain.txt").write_text(f"{domain}\n")
    shutil.copy(sqlite_template, directory / "affinity.db")
    database = Database(f"sqlite:///{directory / 'affinity.db'}")
    fill(database, 1, 4)
    at = datetime(2026, 11, 26, 9, tzinfo=UTC)
    near = Progress(settled=2, sent=3).now(Reach.REACHED, at, None).refused_one(1)
    far = Progress(settled=1, sent=1).now(Reach.LOST, at, "nothing listens there")
    for name, progress in (("near", near), ("far", far), ("gone", near)):
        database.write(lambda connection, name=name, progress=progress: note(connection, name, progress))
    database.close()
    return directory


def shown(data: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", "forwarding", "--data", str(data), *words])
    return result.exit_code, result.output


def test_each_repository_is_shown_and_a_lost_one_is_exit_code_1(data: Path) -> None:
    code, output = shown(data)
    assert code == 1
    far, gone, near = (
        " ".join(line.split()) for line in output.splitlines() if line.startswith(("far", "gone", "near"))
    )
    assert far.startswith("far syslog+tls://far.example:6514 lost 2026-11-26 09:00:00Z 4 ")
    assert far.endswith("0 0 nothing listens there")
    assert gone == "gone no longer in repositories.toml reached 2026-11-26 09:00:00Z 1 1"
    assert near.startswith("near syslog+tls://near.example:6514 reached 2026-11-26 09:00:00Z 2 ")


def test_a_monitor_reads_json(data: Path) -> None:
    code, output = shown(data, "--json")
    rows = {each["repository"]: each for each in json.loads(output)}
    assert code == 1
    assert (rows["far"]["state"], rows["far"]["waiting"], rows["far"]["settled"]) == ("lost", 4, 1)
    assert (rows["near"]["refused"], rows["near"]["refused_last"], rows["gone"]["wire"]) == (1, 1, None)


def test_a_repository_can_be_forgotten(data: Path) -> None:
    code, output = shown(data, "--forget", "far", "--json")
    rows = {each["repository"]: each for each in json.loads(output)}
    assert (code, rows["far"]["state"], rows["far"]["waiting"]) == (0, "untried", 5)
    assert shown(data, "--forget", "nobody")[0] == 2


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_hang_up, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _hang_up(server: socket.socket) -> None:
    try:
        server.accept()[0].close()
    except OSError:
        return


def test_the_doctor_says_what_is_wrong_with_each_repository(tmp_path: Path, silent: int) -> None:
    domain = tmp_path / "domain"
    shutil.copytree(SHIPPED / "demo", domain)
    wires = [f"syslog+tls://127.0.0.1:{silent}", "syslog+udp://127.0.0.1:514", "http://127.0.0.1:1/fhir"]
    (domain / "repositories.toml").write_text(
        "".join(f'[[repository]]\nname = "r{place}"\nwire = "{wire}"\n' for place, wire in enumerate(wires))
    )
    settings = Settings(domain=str(domain), data=tmp_path / "data")
    assert [each.state for each in audit_repositories(settings)] == ["FAILED", "warning", "FAILED"]
    (tmp_path / "data").mkdir()
    development_pki(tmp_path / "data" / "pki")
    tls, udp, fhir = audit_repositories(settings)
    assert (tls.state, "closed the connection" in tls.detail) == ("FAILED", True)
    assert "nobody can tell" in udp.detail
    assert "nothing listens there" in fhir.detail
