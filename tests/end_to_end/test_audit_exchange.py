"""The audit trail of one real node reaches another over syslog with TLS and over FHIR, and is found there [ITI-81]."""

import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from affinity.stewardship.access import digest
from tests.atna.rsyslog import eventually
from tests.end_to_end.conftest import ROOT, RunningNode, Start

TOKEN = "the-token-of-the-privacy-officer"


def searched(node: RunningNode, query: str) -> list[Any]:
    request = urllib.request.Request(
        node.url(f"/fhir/AuditEvent?{query}"), headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return [each["resource"] for each in json.load(answer).get("entry", ())]


def forwarding(data: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "affinity", "audit", "forwarding", "--data", str(data), "--json"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return {each["repository"]: each for each in json.loads(shown.stdout)}


def test_the_trail_of_a_node_arrives_at_another_over_two_wires(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFINITY__AUDIT_CONSUMERS", json.dumps({"officer": digest(TOKEN)}))
    monkeypatch.setenv("AFFINITY__AUDIT__SOURCE_ID", "repository")
    monkeypatch.setenv("AFFINITY__LISTEN__SYSLOGS_PORT", "0")
    monkeypatch.setenv("AFFINITY__LISTEN__SYSLOG_UDP_PORT", "0")
    repository = start(data=tmp_path / "arr")
    domain = tmp_path / "domain"
    shutil.copytree(ROOT / "domains/demo", domain)
    (domain / "repositories.toml").write_text(
        f'[[repository]]\nname = "tls"\nwire = "syslog+tls://localhost:{repository.ports["syslogs"]}"\n'
        f'[[repository]]\nname = "udp"\nwire = "syslog+udp://127.0.0.1:{repository.ports["syslog_udp"]}"\n'
        f'[[repository]]\nname = "fhir"\nwire = "http://127.0.0.1:{repository.ports["http"]}/fhir"\n'
    )
    monkeypatch.setenv("AFFINITY__AUDIT__SOURCE_ID", "hospital")
    monkeypatch.setenv("AFFINITY__AUDIT_FORWARDING__CONFIRM_SECONDS", "1")
    monkeypatch.setenv("AFFINITY__AUDIT_FORWARDING__REPLAY_SECONDS", "1")
    shutil.copytree(tmp_path / "arr" / "pki", tmp_path / "data" / "pki")
    node = start("--domain", str(domain))
    asked = "date=ge2020-01-01&source.identifier=hospital&subtype=110120"
    eventually(lambda: len(searched(repository, asked)) == 3, "the start of the node is not found three times")
    started = searched(repository, asked)
    assert [each | {"id": ""} for each in started] == [started[0] | {"id": ""}] * 3
    eventually(lambda: forwarding(node.data)["tls"]["settled"] >= 1, "nothing is settled")
    shown = forwarding(node.data)
    assert {name: each["state"] for name, each in shown.items()} == {
        "tls": "reached",
        "udp": "reached",
        "fhir": "reached",
    }
    assert searched(repository, "date=ge2020-01-01&subtype=ITI-81&agent.identifier=officer")
    assert node.terminate() == 0
    repository.kill()
