"""How many Python functions a whole node calls for each request of each transaction.

Other programs cannot disturb a count, as they do every time and rate: a change that makes a request cheaper or dearer
shows here first. A call takes one to two microseconds of a busy node.
"""

import json
import os
import random
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from affinity.client import hl7
from affinity.client.hl7 import Route
from affinity.client.patients import Sought
from benchmarks import counted, load, messages, retrievals
from benchmarks.figures import Effort, Figure, Say
from benchmarks.load import Dialogue
from benchmarks.node import READY_WITHIN, Node
from benchmarks.questions import ANSWERED, ANSWERED_V3, v3_demographics
from hl7v2.er7 import serialize
from hl7v2.message import Message
from ihe.identifiers import new_oid
from mllp.framing import frame

CONNECTIONS = 8
REQUESTS, WARM_UP = 400, 200
PATIENT, ENTRIES, SMALL = "COUNTED", 10, 20_000
HEARD = 0.3
"""Seconds in which a signal is surely taken."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one transaction, as many as are wanted, and where they go."""

    name: str
    port: str
    requests: list[bytes]
    dialogue: Dialogue


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Calls of each kind of request, one kind after the other, on one node with SQLite."""
    written = directory / "counted.json"
    os.environ[counted.FILE] = str(written)
    with Node(directory / "counted", module="benchmarks.counted") as node:
        return [_counted(node, each, written, say) for each in _kinds(node, WARM_UP + effort.count(REQUESTS))]


def _counted(node: Node, kind: Kind, written: Path, say: Say) -> Figure:
    say(f"calls of {kind.name}")
    port, asked = node.ports[kind.port], kind.requests[WARM_UP:]
    load.run(port, CONNECTIONS, kind.requests[:WARM_UP], kind.dialogue)
    _turn(node)
    load.run(port, CONNECTIONS, asked, kind.dialogue)
    _turn(node)
    calls = sum(_read(written).values()) / len(asked)
    return Figure(benchmark="Python calls of a request", name=kind.name, unit="calls", runs=(calls,))


def _turn(node: Node) -> None:
    os.kill(node.pid, signal.SIGUSR2)
    time.sleep(HEARD)


def _read(written: Path) -> dict[str, int]:
    """The count, once it is written; the file is taken away."""
    deadline = time.monotonic() + READY_WITHIN
    while not written.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the node did not write down its count")
        time.sleep(0.05)
    calls: dict[str, int] = json.loads(written.read_text())
    written.unlink()
    return calls


def _kinds(node: Node, count: int) -> Iterator[Kind]:
    yield Kind("ADT^A28", "mllp", messages.announcements(count), load.MLLP)
    load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
    patient = messages.xds_id(PATIENT)
    sought = Sought(id=patient)
    asked = (hl7.pix_query(Route(), patient) for _ in range(count))
    yield Kind("ITI-9", "mllp", _framed(asked), ANSWERED)
    asked = (hl7.demographics_query(Route(), hl7.criteria(sought)) for _ in range(count))
    yield Kind("ITI-21, one id", "mllp", _framed(asked), ANSWERED)
    yield Kind("ITI-47, one id", "http", [v3_demographics(sought) for _ in range(count)], ANSWERED_V3)
    yield Kind("ITI-42, one entry", "http", [messages.register(PATIENT) for _ in range(count)], load.HTTP)
    provided = [messages.provide(PATIENT, [os.urandom(SMALL)]) for _ in range(count)]
    yield Kind("ITI-41, one document of 20 KB", "http", provided, load.HTTP)
    yield _query(node, count)
    stored = retrievals.fill(node)
    retrieved = [messages.retrieve(random.choice(stored)) for _ in range(count)]
    yield Kind("ITI-43, one document of 20 KB", "http", retrieved, load.HTTP)


def _query(node: Node, count: int) -> Kind:
    asked, ids = f"{PATIENT}{ENTRIES}", [new_oid() for _ in range(ENTRIES)]
    load.run(node.ports["mllp"], 1, [messages.announcement(asked)], load.MLLP)
    load.run(node.ports["http"], 1, [messages.provide(asked, [each.encode() for each in ids], ids)], load.HTTP)
    return Kind("ITI-18, ten entries", "http", [messages.find_documents(asked)] * count, load.HTTP)


def _framed(asked: Iterable[Message]) -> list[bytes]:
    return [frame(serialize(each)) for each in asked]
