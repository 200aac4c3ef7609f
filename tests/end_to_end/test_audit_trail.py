"""The trail of a real node: what leaves a record, what an auditor finds, what a forger cannot hide."""

import json
import sqlite3
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.client import hl7
from affinity.client.hl7 import Announced, Route
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX, HD
from mllp import client as mllp
from tests.end_to_end.conftest import RunningNode, Start

RED = HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO")
PATIENT = "AUDITED-1^^^&1.3.6.1.4.1.21367.13.20.1000&ISO"


def affinity(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout


def records(node: RunningNode, *options: str) -> list[dict[str, Any]]:
    code, text = affinity("audit", "search", "--data", str(node.data), "--json", *options)
    assert code == 0, text
    found: list[dict[str, Any]] = json.loads(text)
    return found


def feed(node: RunningNode, patient: str, family: str) -> str:
    told = Announced(identifiers=(CX(patient, RED),), family=family, given="Ada", birth_date="19700101", sex="F")
    address = mllp.Address(host="127.0.0.1", port=node.ports["mllp"])
    return parse(mllp.send(address, serialize(hl7.announce(Route(), told))))["MSA"].text(1)


@pytest.fixture
def node(start: Start) -> RunningNode:
    return start("--domain", "connectathon")


def test_what_happens_is_found_and_what_is_forged_is_named(node: RunningNode, tmp_path: Path) -> None:
    assert feed(node, "AUDITED-1", "Trail") == "AA"
    assert feed(node, "AUDITED-2", "") == "AE"
    with pytest.raises(HTTPError):
        urlopen(Request(node.url("/pix/stewardship/tasks"), headers={"Authorization": "Bearer wrong"}))
    [found] = records(node, "--patient", PATIENT)
    assert (found["event"], found["outcome"], found["action"]) == ("ITI-30", "success", "C")
    assert found["participants"][0]["from"] == "127.0.0.1"
    assert [each["event"] for each in records(node, "--outcome", "failure")] == ["110122", "ITI-30"]
    assert node.terminate() == 0
    trail = records(node)
    assert [each["name"] for each in trail if each["event"] in ("110120", "110121")] == [
        "Application Stop",
        "Application Start",
    ]
    assert sum(each["name"] == "Audit Log Used" for each in trail) == 3  # this search is one of them

    root = tmp_path / "root.json"
    code, text = affinity("audit", "export-root", "--data", str(node.data))
    assert code == 0
    root.write_text(text)
    export = tmp_path / "trail.jsonl"
    assert affinity("audit", "export", str(export), "--data", str(node.data))[0] == 0
    for place in (("--data", str(node.data)), ("--file", str(export))):
        code, text = affinity("audit", "verify", *place, "--root", str(root), "--json")
        assert (code, json.loads(text)["findings"]) == (0, [])

    _forge(node.data / "affinity.db", found["record"])
    code, text = affinity("audit", "verify", "--data", str(node.data), "--json")
    assert code == 1
    assert (found["record"], "removed") in [(each["record"], each["kind"]) for each in json.loads(text)["findings"]]
    code, text = affinity("audit", "verify", "--data", str(node.data))
    assert f"record {found['record']}" in text


def _forge(file: Path, record: int) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM audit_event WHERE sequence = ?", (record,))
    connection.close()
