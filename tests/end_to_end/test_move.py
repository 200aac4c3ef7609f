"""A node with a life behind it moves from SQLite and files to PostgreSQL and a bucket while it is fed and asked."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from affinity.cli import app
from affinity.client import hl7
from affinity.client.hl7 import Announced, Route
from affinity.database import Database
from affinity.document_store import open_store
from affinity.settings import Settings, load
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX, HD
from mllp import client as mllp
from tests.buckets import ACCESS, BUCKET, SECRET, BucketServer
from tests.end_to_end.conftest import ANY_PORT, ROOT, RunningNode, Start
from xds import repository_store
from xds.tables import document_entry

FROM = Route(application="GLIMS", facility="LAB-MOSELLE")
DSP = HD("DSP", "2.25.334728459024254970897405965636283403456.3.2", "ISO")


FIRST = "2.25.5001"
PATIENT = f"LIFE-1^^^&{DSP.universal_id}&ISO"
MERGE = f"""MSH|^~\\&|GLIMS|LAB-MOSELLE|AFFINITY|AFFINITY|20261123||ADT^A40^ADT_A39|MERGE-1|P|2.5
EVN||20261123
PID|||{PATIENT}||FLIFE-1^Ada||19700101|F
MRG|LIFE-2^^^&{DSP.universal_id}&ISO
"""


@dataclass
class Fed:
    """Patients whose feed was acknowledged, and the texts with which others were refused."""

    known: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    was_refused: threading.Event = field(default_factory=threading.Event)


def affinity(*words: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in words])


def send(port: int, message: bytes) -> Any:
    return parse(mllp.send(mllp.Address(host="127.0.0.1", port=port), message))


def feed(port: int, patient: str) -> Any:
    told = Announced(identifiers=(CX(patient, DSP),), family=f"F{patient}", given="Ada", birth_date="19700101", sex="F")
    return send(port, serialize(hl7.announce(FROM, told)))


@contextmanager
def feeding(port: int) -> Iterator[Fed]:
    """Feed patients until the block ends."""
    fed, ended = Fed(), threading.Event()

    def work() -> None:
        number = 0
        while not ended.wait(0.01):
            answer = feed(port, f"MOVE-{number}")
            if answer["MSA"].text(1) == "AA":
                fed.known.append(f"MOVE-{number}")
            else:
                fed.refused.append(answer["ERR"].text(8) if "ERR" in answer else answer["MSA"].text(1))
                fed.was_refused.set()
            number += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield fed
    finally:
        ended.set()
        thread.join(60)


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[RunningNode]:
    """A node of the demo domain that has played the demonstration: merges, replacements, removals, on real ports."""
    data = tmp_path / "old"
    process = subprocess.Popen(
        [sys.executable, "-m", "affinity", "up", "--data", str(data), *ANY_PORT],
        cwd=ROOT,
        env={**os.environ, "AFFINITY__LOG__LEVEL": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert any("Every step held" in line for line in process.stdout)
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield RunningNode(process, data, json.loads((data / "ports.json").read_text()))
    if process.poll() is None:
        process.kill()


@pytest.fixture
def target(tmp_path: Path, empty_postgresql: str, s3: BucketServer) -> Path:
    """The settings file of where the node goes."""
    held = tmp_path / "credentials"
    held.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n")
    file = tmp_path / "new.toml"
    file.write_text(
        f'domain = "demo"\ndata = "{tmp_path / "new"}"\ndatabase_url = "{empty_postgresql}"\n'
        f'[documents]\nstore = "s3"\nbucket = "{BUCKET}"\nprefix = "{tmp_path.name}"\n'
        f'endpoint = "{s3.url}"\ncredentials = "{held}"\n'
    )
    return file


def killed_at(text: str, *words: object) -> list[str]:
    """Begin the move in a process of its own and kill it when it says this."""
    command = [sys.executable, "-m", "affinity", "db", "move", *map(str, words)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            process.kill()
            process.wait()
            return said
    raise AssertionError("".join(said))


def contents(settings: Settings) -> dict[str, bytes]:
    """The bytes of every document, by uniqueId."""
    database, store = Database(settings.database), open_store(settings)
    try:
        found = database.read(lambda connection: repository_store.contents(connection, "", 1_000))
        ids = {each: database.read(lambda connection, e=each: repository_store.ids_of(connection, e)) for each in found}  # type: ignore[misc]
        return {id: b"".join(store.open(each)) for each, named in ids.items() for id in named}
    finally:
        database.close()


def statuses(settings: Settings) -> list[tuple[str, str]]:
    database = Database(settings.database)
    query = select(document_entry.c.entry_uuid, document_entry.c.status).order_by(document_entry.c.entry_uuid)
    try:
        return [(uuid, status.name) for uuid, status in database.read(lambda c: c.execute(query).all())]
    finally:
        database.close()


def live(node: RunningNode, tmp_path: Path) -> None:
    """Announce two patients, replace a document of the first, merge the second into it."""
    for number in (1, 2):
        assert feed(node.ports["mllp"], f"LIFE-{number}")["MSA"].text(1) == "AA"
    for party in ("npi:90000022", "organization:2.25.185014298127404816031548209217553690419"):
        why = ("--kind", "professional", "--reason", "she is treated there", "--data", node.data)
        assert affinity("consent", "relate", PATIENT, party, *why).exit_code == 0
    report, told = tmp_path / "report.txt", ("--patient-id", PATIENT, "--data", node.data, "--mime-type", "text/plain")
    report.write_text("first reading")
    assert affinity("submit", report, *told, "--unique-id", FIRST).exit_code == 0
    database = Database(f"sqlite:///{node.data / 'affinity.db'}")
    query = select(document_entry.c.entry_uuid).where(document_entry.c.unique_id == FIRST)
    entry = database.read(lambda connection: connection.execute(query).scalar_one())
    database.close()
    report.write_text("second reading")
    assert affinity("submit", report, *told, "--replaces", entry).exit_code == 0
    assert send(node.ports["mllp"], MERGE.replace("\n", "\r").encode())["MSA"].text(1) == "AA"


@pytest.mark.timeout(300)  # two nodes, a move that is killed and one that is not
def test_nothing_is_lost_on_the_way(lived: RunningNode, target: Path, start: Start, tmp_path: Path) -> None:
    live(lived, tmp_path)
    words = ("--data", lived.data, "--to", target)
    with feeding(lived.ports["mllp"]) as fed:
        assert killed_at("pix_record", *words)
        result = affinity("db", "move", *words, "--json")
        assert result.exit_code == 0, result.output
        assert fed.was_refused.wait(60)
    moved = json.loads(result.stdout)
    assert moved["complete"] and moved["lost"] == []
    assert len(fed.known) > 3
    assert "being moved" in fed.refused[0]
    old, new = load(None, {"data": lived.data, "domain": "demo"}), load(target, {})
    assert contents(new) == contents(old) != {}
    assert statuses(new) == statuses(old)
    assert {"APPROVED", "DEPRECATED"} == {status for _, status in statuses(new)}
    assert lived.terminate() == 0

    assert affinity("audit", "verify", "--config", target).exit_code == 0
    assert affinity("db", "rebuild", "--check", "--config", target).exit_code == 0
    assert affinity("db", "scrub", "--config", target).exit_code == 0
    node = start("--config", str(target), data=tmp_path / "new")
    unknown = [each for each in fed.known if not knows(node, each)]
    assert unknown == []
    assert feed(node.ports["mllp"], "AFTER-1")["MSA"].text(1) == "AA"
    assert node.terminate() == 0
    assert affinity("audit", "verify", "--config", target).exit_code == 0


def knows(node: RunningNode, patient: str) -> bool:
    answer = send(node.ports["mllp"], serialize(hl7.pix_query(FROM, CX(patient, DSP))))
    return bool(answer["MSA"].text(1) == "AA")
