"""Peers that are slow, silent, gone, many, or at odds with each other: others are served, and memory is bounded.

``AFFINITY_FAULT_IDLE=10000`` opens ten thousand silent connections; the limit of open files must allow as many.
"""

import json
import os
import resource
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from affinity.database import Database
from hl7v2.er7 import parse
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp import client as mllp
from pix.tables import record
from tests.end_to_end.conftest import RunningNode, executed, start_node
from tests.faults.sending import RED, REPOSITORY_PATH, address, admission, call, submission
from tests.hostile.conftest import Attacked
from xds.iti41 import ITI_41
from xds.tables import document

IDLE = int(os.environ.get("AFFINITY_FAULT_IDLE", "500"))
LARGE = 200 * 2**20
MEMORY = 150
"""MiB that a node may take more than at rest."""
OWNER = "PEERS-OWNER"
POISON = """
import pix.registration as registration
good = registration.register
def register(change, feed):
    if any(each.id == "POISON" for each in feed.identifiers):
        raise ZeroDivisionError("nobody foresaw this")
    return good(change, feed)
registration.register = register
"""
"""A defect that is put under the node."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 1000:
        pytest.skip(f"{IDLE} connections need a limit of {IDLE + 1000} open files; it is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = tmp_path_factory.mktemp("peers")
    (directory / "sitecustomize.py").write_text(POISON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFINITY__LIMITS__CONNECTIONS", str(2 * IDLE))
        patch.setenv("AFFINITY__LIMITS__CONNECTIONS_PER_PEER", str(2 * IDLE))
        patch.setenv("PYTHONPATH", f"{directory}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        started = start_node(directory / "data", "--domain", "connectathon", "--xua", "off", begin=executed)
    assert admit(started, OWNER) == "AA"
    yield started
    started.kill()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def admit(node: RunningNode, patient: str) -> str:
    return parse(mllp.send(address(node), admission(patient)))["MSA"].text(1)


def provide(node: RunningNode, unique_id: str, size: int) -> str:
    """Submit a document of so many zeros; the last part of the status, or the code of the first error."""
    part = OutgoingPart(
        content_id="d@x",
        media_type="text/plain",
        size=size,
        chunks=lambda: (bytes(min(2**20, size - at)) for at in range(0, size, 2**20)),
    )
    body = submission(CX(OWNER, RED), UniqueId(unique_id), "d@x")
    answer = call(node, REPOSITORY_PATH, ITI_41.bindings[0], body, part).body
    errors = [str(each.get("errorCode")) for each in answer.iter() if each.get("errorCode")]
    return errors[0] if errors else str(answer.get("status")).rpartition(":")[2]


def silent(node: RunningNode) -> Iterator[socket.socket]:
    """Connections of every kind of silence: nothing said, half a request line, half a header, half a message."""
    beginnings = (
        ("http", b""),
        ("http", b"POST /xds/repos"),
        (
            "http",
            b"POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nContent-Type: application/soap",
        ),
        ("mllp", b""),
        ("mllp", b"\x0bMSH|^~\\&|HIS"),
        ("https", b"\x16\x03\x01"),
    )
    for number in range(IDLE):
        port, beginning = beginnings[number % len(beginnings)]
        opened = socket.create_connection(("127.0.0.1", node.ports[port]), timeout=30)
        opened.sendall(beginning)
        yield opened


def test_silent_connections_keep_nobody_from_being_served(node: RunningNode) -> None:
    attacked = Attacked(node)
    before = attacked.memory
    with ExitStack() as stack:
        for opened in silent(node):
            stack.enter_context(opened)
        assert admit(node, "PEERS-1") == "AA"
        assert provide(node, new_oid(), 100) == "Success"
        assert attacked.health() == b"ready\n"
        assert attacked.memory < before + MEMORY + IDLE // 20


def test_resets_in_the_middle_of_bodies_and_cut_packages_leave_nothing(node: RunningNode) -> None:
    attacked = Attacked(node)
    package = (
        b"POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n"
        b"Content-Type: multipart/related; boundary=B;"
        b' type="application/xop+xml"\r\n\r\n--B\r\nContent-Type: application/xop+xml\r\n\r\n<e/>\r\n--B\r\n'
        b"Content-ID: <d>\r\n\r\n" + b"x" * 200_000
    )
    for number in range(60):
        with attacked.connect("http") as opened, suppress(ConnectionError):
            opened.sendall(package[: 120 + number * 3000])
            # closing sends a reset instead of an orderly end
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    attacked.clear_up()
    assert provide(node, new_oid(), 100) == "Success"


def test_fifty_clients_who_say_the_same_at_once_are_one(node: RunningNode) -> None:
    """The same patient and the same document: one record; of the document one is stored, others are told of it."""
    unique_id = new_oid()
    with ThreadPoolExecutor(50) as pool:
        admitted = list(pool.map(lambda _: admit(node, "PEERS-SAME"), range(50)))
        provided = list(pool.map(lambda _: provide(node, unique_id, 3000), range(50)))
    assert set(admitted) == {"AA"}
    assert set(provided) == {
        "Success"
    }  # the same bytes under the same id may be registered again (ITI TF-3: 4.2.3.2.26)
    database = Database(f"sqlite:///{node.data / 'affinity.db'}")
    try:
        patients = database.read(lambda each: each.execute(select(record.c.id)).scalars().all())
        documents = database.read(lambda each: each.execute(select(document.c.unique_id)).scalars().all())
    finally:
        database.close()
    assert (patients.count("PEERS-SAME"), documents.count(unique_id)) == (1, 1)


def test_a_large_document_passes_in_bounded_memory(node: RunningNode) -> None:
    attacked = Attacked(node)
    before = attacked.memory
    peak = Path(f"/proc/{node.process.pid}/clear_refs")
    peak.write_text("5")  # the peak is measured anew
    assert provide(node, new_oid(), LARGE) == "Success"
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    highest = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    assert highest < before + MEMORY


def test_a_poisonous_message_is_answered_and_does_not_stop_the_next(node: RunningNode) -> None:
    """Who is answered reads an incident id, which the log has with the trace; the last test, for it ends the node."""
    assert [admit(node, each) for each in ("P-1", "POISON", "P-2")] == ["AA", "AR", "AA"]
    assert node.terminate() == 0
    (incident,) = [json.loads(each) for each in node.log if '"incident"' in each]
    assert "ZeroDivisionError" in incident["exception"]
    assert [each for each in node.log if "Sturdy" in each] == []
