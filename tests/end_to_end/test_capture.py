"""The demonstration through the proxy, without its patient, played to a second node: every answer is the same."""

import json
import re
import subprocess
import sys
from pathlib import Path

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
from tests.end_to_end.conftest import ROOT, RunningNode, Start
from xua.authentication import XUAMode
from xua.sts import open_sts

EXCHANGES = 15


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


def test_the_demonstration_is_captured_without_its_patient_and_played_to_a_second_node(
    start: Start, tmp_path: Path
) -> None:
    first = start("--domain", "connectathon")
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

    second = start("--domain", "connectathon", data=tmp_path / "second")
    replay = CliRunner().invoke(
        app, ["conform", "replay", str(tmp_path / "ward"), "--data", str(second.data), "--json"]
    )
    replayed = json.loads(replay.stdout)
    assert [each for each in replayed if not each["equal"] or each["skipped"]] == []
    assert len(replayed) == EXCHANGES and replay.exit_code == 0
