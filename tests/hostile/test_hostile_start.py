"""What keeps a node from starting is one sentence that says what to mend; nothing is half opened, nothing replaced."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.data_directory import UnusableData
from affinity.database import Database
from affinity.domain import load
from affinity.node import open_node
from affinity.seal_files import KEY
from affinity.settings import Settings
from atna.sealing import Sealer
from atna.signing import sealing_key
from tests.atna.trail import START, fill
from tests.end_to_end.conftest import ANY_PORT, ROOT
from tests.faults.full import mounted


def opened(data: Path, **options: object) -> None:
    """Open a node, without its ports, and close it again."""
    open_node(Settings(domain="connectathon", data=data, **options), load("connectathon")).close()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ran_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("before") / "data"
    opened(data)
    return data


@pytest.fixture
def stopped(ran_before: Path, tmp_path: Path) -> Path:
    """The data directory of a node that ran before."""
    return Path(shutil.copytree(ran_before, tmp_path / "stopped"))


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """The one that is tried through the command line: a sentence instead of a traceback, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "affinity", "up", "--no-demo", "--domain", "connectathon"]
        options = ["--data", str(tmp_path / "data"), *ANY_PORT, "--http-port", str(port)]
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"http cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr
    assert not (tmp_path / "data" / "ports.json").exists()


def test_a_second_process_leaves_the_first_ones_directory_alone(tmp_path: Path) -> None:
    first = open_node(Settings(domain="connectathon", data=tmp_path), load("connectathon"))
    note = (tmp_path / "domain.txt").read_text()
    with pytest.raises(UnusableData, match="in use by another affinity process"):
        open_node(Settings(domain="demo", data=tmp_path), load("demo"))
    assert (tmp_path / "domain.txt").read_text() == note
    first.close()
    opened(tmp_path)


@pytest.mark.parametrize("keys", ["", "zzz\n", "00" * 31 + "\n"])
def test_a_damaged_key_file_is_not_replaced(stopped: Path, keys: str) -> None:
    (stopped / "documents.key").write_text(keys)
    with pytest.raises(UnusableData, match=r"documents\.key holds no usable keys"):
        opened(stopped)
    assert (stopped / "documents.key").read_text() == keys


def test_a_lost_key_file_is_missed_if_there_are_documents(stopped: Path) -> None:
    """A new key would seal new documents, and the old ones would be found unreadable one by one."""
    (stopped / "documents.key").unlink()
    document = stopped / "documents" / "content" / "ab" / "cd" / "abcd.sealed"
    document.parent.mkdir(parents=True)
    document.touch()
    with pytest.raises(UnusableData, match=r"documents\.key is missing"):
        opened(stopped)
    document.unlink()
    opened(stopped)
    assert (stopped / "documents.key").exists()


@pytest.mark.parametrize("damage", [slice(0, 100), slice(0, None)])
def test_a_damaged_database_is_named_and_kept(stopped: Path, damage: slice) -> None:
    file = stopped / "affinity.db"
    content = bytearray(file.read_bytes())
    content[damage] = b"\xee" * len(content[damage])
    file.write_bytes(content)
    with pytest.raises(UnusableData, match=r"affinity\.db cannot be used"):
        opened(stopped)
    assert file.read_bytes() == content


def test_a_database_of_another_make_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(UnusableData, match="database_url names neither PostgreSQL"):
        opened(tmp_path, database_url="mysql://affinity@127.0.0.1/affinity")


def test_a_nonsensical_database_url_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(UnusableData, match="database_url is no URL of a database"):
        opened(tmp_path, database_url="nonsense")


def test_a_database_without_room_is_not_said_to_be_damaged(tmp_path: Path) -> None:
    """Who is told to restore a backup loses what came after it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, 2**20):
        (disk / "ballast").write_bytes(bytes(2**20 - 2**17))
        with pytest.raises(UnusableData, match="is full; make room on its disk and start again: nothing is lost"):
            opened(disk / "data")


def test_no_other_key_is_made_for_a_trail_that_is_sealed(stopped: Path) -> None:
    """What it would seal would be found forged once the key is there again."""
    key = stopped / KEY
    database = Database(f"sqlite:///{stopped / 'affinity.db'}")
    fill(database, 1, 2)
    assert Sealer(database, sealing_key(key), lambda: START).seal()
    database.close()
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(UnusableData, match=r"audit-seal\.key is missing, but the audit trail is sealed with it"):
        opened(stopped)
    told = CliRunner().invoke(app, ["audit", "verify", "--domain", "connectathon", "--data", str(stopped)])
    assert (told.exit_code, "audit-seal.key is missing" in told.output, key.exists()) == (2, True, False)
    key.write_bytes(kept)
    opened(stopped)
