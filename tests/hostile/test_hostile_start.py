"""What keeps a node from starting is one sentence that says what to mend; nothing is half opened, nothing replaced."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from affinity.data_directory import UnusableData
from affinity.domain import load
from affinity.node import open_node
from affinity.settings import Settings
from tests.end_to_end.conftest import ANY_PORT, ROOT


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


def test_a_nonsensical_database_url_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(UnusableData, match="database_url is no URL of a database"):
        opened(tmp_path, database_url="nonsense")
