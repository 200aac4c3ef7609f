"""The demonstration through the proxy, without its patient, played to a second node: every answer is the same."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.demo.play import play
from affinity.demo.stage import Stage
from affinity.demo.story import FAMILY, GIVEN, MATRICULE, RECORD_NUMBER
from affinity.development import STS_ISSUER
from affinity.domain import load
from affinity.doors import audiences
from affinity.pki import development_pki
from affinity.settings import load as load_settings
from tests.end_to_end.conftest import ROOT, RunningNode, start_node
from xua.authentication import XUAMode
from xua.sts import open_sts

EXCHANGES = 15
GUIDE = ROOT / "docs/capture-and-replay.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def stage(node: RunningNode, ports: dict[str, int]) -> Stage:
    """The node of a process of its own, reached through the proxy."""
    settings, loaded = load_settings(None, {"data": node.data}), load("connectathon")
    pki = development_pki(node.data / "pki")
    return Stage(
        loaded=loaded,
        listen=settings.listen,
        ports=node.ports | ports,
        pki=pki,
        sts=open_sts(STS_ISSUER, pki.sts.key.read_bytes(), pki.sts.certificate.read_bytes()),
        mode=XUAMode.REQUIRED,
        audience=audiences(settings, loaded)[0],
        declare=lambda patient, role, why: 1,
    )


def capturing(directory: Path, node: RunningNode) -> "subprocess.Popen[str]":
    """A proxy in a process of its own, as a user runs it."""
    command = [sys.executable, "-m", "affinity", "conform", "capture", str(directory), "--json"]
    command += ["--count", str(EXCHANGES), "--door", f"http://127.0.0.1:0={node.url('')}"]
    command += ["--door", f"mllp://127.0.0.1:0=mllp://127.0.0.1:{node.ports['mllp']}"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """Another node that knows nobody yet."""
    node = start_node(tmp_path_factory.mktemp("second"), "--domain", "connectathon")
    yield node
    node.kill()


def test_the_demonstration_is_captured_without_its_patient_and_played_to_a_second_node(
    connectathon: RunningNode, second: RunningNode, tmp_path: Path
) -> None:
    first = connectathon
    proxy = capturing(tmp_path / "ward", first)
    assert proxy.stderr is not None
    http, mllp = (int(re.search(r":(\d+) for", proxy.stderr.readline())[1]) for _ in range(2))  # type: ignore[index]
    assert play(stage(first, {"http": http, "mllp": mllp}))
    output, errors = proxy.communicate(timeout=60)
    told = json.loads(output)
    assert proxy.returncode == 1, errors  # the demonstration has two requests that break a SHALL
    assert [each["number"] for each in told["exchanges"] if each["errors"]] == [14, 15]
    files = b"".join(each.read_bytes() for each in (tmp_path / "ward").rglob("*") if each.is_file())
    for real in (FAMILY, GIVEN, MATRICULE, RECORD_NUMBER):
        assert real.encode() not in files

    where = ("--data", str(second.data))
    replay = CliRunner().invoke(app, ["conform", "replay", str(tmp_path / "ward"), *where, "--json"])
    replayed = json.loads(replay.stdout)
    assert [each for each in replayed if not each["equal"] or each["skipped"]] == []
    assert len(replayed) == EXCHANGES and replay.exit_code == 0


def test_a_capture_ends_by_itself_after_its_time(connectathon: RunningNode, tmp_path: Path) -> None:
    door = f"mllp://127.0.0.1:0=mllp://127.0.0.1:{connectathon.ports['mllp']}"
    began = time.monotonic()
    told = CliRunner().invoke(app, ["conform", "capture", str(tmp_path / "ward"), "--door", door, "--for", "0.3s"])
    assert told.exit_code == 0, told.output
    assert 0.3 <= time.monotonic() - began < 20
    assert (tmp_path / "ward").is_dir()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_what_the_guide_shows_works(connectathon: RunningNode, tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("the guide needs bash, which is not installed here")
    (script,) = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    script = script.replace("2575", str(connectathon.ports["mllp"])).replace("9575", str(free_port()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "AFFINITY__DATA": str(connectathon.data), "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "1 of 1 answers are equal" in told.stdout
    assert "\nPID|||" in told.stdout and "Kieffer" not in told.stdout
