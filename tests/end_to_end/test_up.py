"""The two commands, as a new user meets them."""

import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.end_to_end.conftest import ANY_PORT, ROOT, Start


def demonstration(tmp_path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "affinity", "up", "--exit-after-demo", "--data", str(tmp_path / "data")]
    return subprocess.run(
        [*command, *ANY_PORT, *options], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )


def test_every_step_of_the_demonstration_holds(tmp_path: Path) -> None:
    done = demonstration(tmp_path)
    assert "Every step held." in done.stdout, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert done.returncode == 0


def test_every_step_holds_on_postgresql(tmp_path: Path, empty_postgresql: str) -> None:
    done = demonstration(tmp_path, "--database-url", empty_postgresql)
    assert "Every step held." in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "data" / "affinity.db").exists()


def test_a_second_start_finds_what_the_first_has_kept(tmp_path: Path) -> None:
    assert "Success, 2 documents" in demonstration(tmp_path).stdout
    assert "Success, 4 documents" in demonstration(tmp_path).stdout


def test_a_demonstration_that_does_not_hold_says_so_with_its_exit_code(tmp_path: Path) -> None:
    domain = shutil.copytree(ROOT / "domains" / "demo", tmp_path / "german-only")
    (domain / "codes" / "languageCode.toml").write_text(
        '[[scheme]]\nname = "languages"\n[scheme.codes]\n"de" = "German"\n'
    )
    done = demonstration(tmp_path, "--domain", str(domain))
    assert "FAILED" in done.stdout
    assert done.returncode == 1


def test_ports_json_names_the_ports_that_accept(start: Start) -> None:
    node = start("--domain", "connectathon")
    assert set(node.ports) == {"http", "https", "mllp", "mllps"}
    with urllib.request.urlopen(node.url("/health/ready")) as answer:
        assert answer.read() == b"ready\n"


def test_it_stops_in_order_when_it_is_asked_to(start: Start) -> None:
    node = start("--domain", "connectathon")
    assert node.terminate() == 0
    assert not (node.data / "ports.json").exists()
    assert json.loads(node.log[-1])["event"] == "stopped"


def test_asking_twice_is_asking_once(start: Start) -> None:
    node = start("--domain", "connectathon")
    node.process.terminate()
    assert node.terminate() == 0
    assert "Traceback" not in "".join(node.log)
