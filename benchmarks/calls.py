"""How many Python functions a whole node calls for each request of each transaction, and what it asks of PostgreSQL.

Other programs cannot disturb a count, as they do every time and rate: a change that makes a request cheaper or dearer
shows here first. A call takes one to two microseconds of a busy node.
"""

import json
import os
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from affinity.client import hl7
from affinity.client.hl7 import Route
from affinity.client.patients import Sought
from benchmarks import counted, load, messages, retrievals
from benchmarks.exchanges import Relay
from benchmarks.figures import Effort, Figure, Say
from benchmarks.growth import Engine
from benchmarks.load import Dialogue
from benchmarks.node import READY_WITHIN, Node
from benchmarks.postgresql import Server
from benchmarks.questions import ANSWERED, ANSWERED_V3, v3_demographics
from hl7v2.er7 import serialize
from hl7v2.message import Message
from ihe.identifiers import new_oid
from mllp.framing import frame

CONNECTIONS = 8
REQUESTS, WARM_UP = 400, 200
PATIENT, ENTRIES, SMALL = "COUNTED", 10, 20_000
LAYERS = ("sqlalchemy", "psycopg")
HEARD = 0.3
"""Seconds in which a signal is surely taken."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one transaction, as many as are wanted, and where they go."""

    name: str
    port: str
    requests: list[bytes]
    dialogue: Dialogue


def measure(directory: Path, effort: Effort, say: Say, engine: Engine = Engine.SQLITE) -> list[Figure]:
    """Calls of each kind of request, one kind after the other, on one node; what is sent to PostgreSQL as well."""
    if engine is Engine.SQLITE:
        return _on(directory, effort, say, None)
    with Server(directory / "postgresql") as server:
        relay = Relay(server.empty("counted"))
        try:
            return _on(directory, effort, say, relay)
        finally:
            relay.close()


def _on(directory: Path, effort: Effort, say: Say, relay: Relay | None) -> list[Figure]:
    written = directory / "counted.json"
    os.environ[counted.FILE] = str(written)
    url = relay.url if relay else None
    with Node(directory / "counted", database_url=url, module="benchmarks.counted") as node:
        load.run(node.ports["mllp"], 1, _sisters(), load.MLLP)
        kinds = _kinds(node, WARM_UP + effort.count(REQUESTS))
        return [figure for each in kinds for figure in _counted(node, each, written, say, relay)]


def _counted(node: Node, kind: Kind, written: Path, say: Say, relay: Relay | None) -> Iterator[Figure]:
    say(f"calls of {kind.name}")
    port, asked = node.ports[kind.port], kind.requests[WARM_UP:]
    load.run(port, CONNECTIONS, kind.requests[:WARM_UP], kind.dialogue)
    _turn(node)
    before = (relay.statements, relay.exchanges) if relay else (0, 0)
    load.run(port, CONNECTIONS, asked, kind.dialogue)
    after = (relay.statements, relay.exchanges) if relay else (0, 0)
    _turn(node)
    for layer, calls in _by_layer(_read(written)).items():
        yield _figure(kind.name, f"calls{layer}", calls / len(asked))
    for name, earlier, later in zip(("statements", "exchanges"), before, after, strict=True):
        if relay:
            yield _figure(kind.name, name, (later - earlier) / len(asked))


def _figure(name: str, unit: str, value: float) -> Figure:
    return Figure(benchmark="Python calls of a request", name=name, unit=unit, runs=(value,))


def _by_layer(calls: dict[str, int]) -> dict[str, int]:
    """All calls, and those of the two layers between a statement and its database."""
    layers = Counter({"": sum(calls.values())})
    for module, count in calls.items():
        if (layer := module.partition("/")[0]) in LAYERS:
            layers[f" of {layer}"] += count
    return dict(layers)


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
    news = messages.announcements(count)
    yield Kind("ADT^A28", "mllp", news, load.MLLP)
    yield Kind("ADT^A31, nothing new", "mllp", list(map(_said_again, news)), load.MLLP)
    fed = messages.announcement(PATIENT)
    load.run(node.ports["mllp"], 1, [fed], load.MLLP)
    patient = messages.xds_id(PATIENT)
    sought = Sought(id=patient)
    asked = (hl7.pix_query(Route(), patient) for _ in range(count))
    yield Kind("ITI-9", "mllp", _framed(asked), ANSWERED)
    asked = (hl7.demographics_query(Route(), hl7.criteria(sought)) for _ in range(count))
    yield Kind("ITI-21, one id", "mllp", _framed(asked), ANSWERED)
    asked = (hl7.demographics_query(Route(), hl7.criteria(_of(fed))) for _ in range(count))
    yield Kind("ITI-21, names and birth", "mllp", _framed(asked), ANSWERED)
    yield Kind("ITI-47, one id", "http", [v3_demographics(sought) for _ in range(count)], ANSWERED_V3)
    yield Kind("ITI-42, one entry", "http", [messages.register(PATIENT) for _ in range(count)], load.HTTP)
    provided = [messages.provide(PATIENT, [os.urandom(SMALL)]) for _ in range(count)]
    yield Kind("ITI-41, one document of 20 KB", "http", provided, load.HTTP)
    yield _query(node, count)
    stored = retrievals.fill(node)
    retrieved = [messages.retrieve(random.choice(stored)) for _ in range(count)]
    yield Kind("ITI-43, one document of 20 KB", "http", retrieved, load.HTTP)


def _sisters() -> list[bytes]:
    """Two whose given names are compared, for which a node reads a table: once, and not while it is counted."""
    one = messages.announcement("SISTER")
    other = one.replace(b"SISTER", b"OTHER").replace(b"^Anne^", b"^Lea^")
    return [one, _under_another_number(other)]


def _said_again(announced: bytes) -> bytes:
    """ADT^A31 that says of a patient what their ADT^A28 said, in a message of its own."""
    return _under_another_number(announced.replace(b"A28", b"A31"))


def _under_another_number(announced: bytes) -> bytes:
    return announced.replace(announced.split(b"|")[9], uuid.uuid4().hex[:20].encode())


def _of(announced: bytes) -> Sought:
    """The names and the date of birth of an announced patient."""
    _, _, _, _, _, name, _, birth, *_ = announced.decode().partition("\rPID")[2].split("|")
    family, given, *_ = name.split("^")
    return Sought(family=family, given=given, birth_date=birth)


def _query(node: Node, count: int) -> Kind:
    asked, ids = f"{PATIENT}{ENTRIES}", [new_oid() for _ in range(ENTRIES)]
    load.run(node.ports["mllp"], 1, [messages.announcement(asked)], load.MLLP)
    load.run(node.ports["http"], 1, [messages.provide(asked, [each.encode() for each in ids], ids)], load.HTTP)
    return Kind("ITI-18, ten entries", "http", [messages.find_documents(asked)] * count, load.HTTP)


def _framed(asked: Iterable[Message]) -> list[bytes]:
    return [frame(serialize(each)) for each in asked]
