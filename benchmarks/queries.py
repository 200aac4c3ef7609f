"""ITI-18 FindDocuments over HTTP: CPU of the server for each request, beside a floor in the same rounds."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, messages
from benchmarks.assertions import user_header
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import ChildServer, cpu_seconds

ENTRIES = (0, 10, 100)
REQUESTS = {0: 2000, 10: 1500, 100: 400}
WARM_UP = 100
FLOOR, TIER = "floor: raw socket, parse, splice", "SOAP tier, splice"
PLAIN, AUDITED = "FindDocuments, no audit trail", "FindDocuments, audited"
KNOWN = "FindDocuments, audited, the same assertion each time"
AIMS = {
    (TIER, 10): Aim(Better.LOWER, 4),
    (PLAIN, 10): Aim(Better.LOWER, 6),
    (KNOWN, 10): Aim(Better.LOWER, 10),
    (PLAIN, 100): Aim(Better.LOWER, 4),
}
"""By what is measured and how many entries it answers with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A server under measurement and what it is asked."""

    pid: int
    port: int
    request: bytes


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Run all sizes of answers on one node as it is, and on one without an audit trail."""
    with (
        Node(directory / "queries", xua="optional") as node,
        Node(directory / "queries-plain", module="benchmarks.unaudited") as plain,
    ):
        figures = []
        for entries in ENTRIES:
            say(f"ITI-18 with {entries} entries")
            figures += _size(node, plain, entries, directory, effort)
        return figures


def _size(node: Node, plain: Node, entries: int, directory: Path, effort: Effort) -> list[Figure]:
    patient = f"QUERY{entries}"
    for each in (node, plain):
        _fill(each, patient, entries)
    request = messages.find_documents(patient)
    known = messages.find_documents(patient, user_header(node.data / "pki"))
    prepared = directory / f"response{entries}.xml"
    prepared.write_bytes(_response(node.ports["http"], request))
    with ExitStack() as stack:
        floor = stack.enter_context(ChildServer("benchmarks.floor", str(prepared)))
        tier = stack.enter_context(ChildServer("benchmarks.soap_tier", str(prepared)))
        servers = {
            FLOOR: Asked(floor.pid, floor.port, request),
            TIER: Asked(tier.pid, tier.port, request),
            PLAIN: Asked(plain.pid, plain.ports["http"], request),
            AUDITED: Asked(node.pid, node.ports["http"], request),
            KNOWN: Asked(node.pid, node.ports["http"], known),
        }
        rounds = [_round(servers, effort.count(REQUESTS[entries])) for _ in range(effort.runs)]
    return _figures(entries, rounds)


def _fill(node: Node, patient: str, entries: int) -> None:
    load.run(node.ports["mllp"], 1, [messages.announcement(patient)], load.MLLP)
    if entries:
        documents = [b"Result %d of %s" % (number, patient.encode()) for number in range(entries)]
        load.run(node.ports["http"], 1, [messages.provide(patient, documents)], load.HTTP)


def _response(port: int, request: bytes) -> bytes:
    """The AdhocQueryResponse of one exchange."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        while not load.whole_http(received):
            received += connection.recv(load.CHUNK)
    end = b"</query:AdhocQueryResponse>"
    return bytes(received[received.index(b"<query:AdhocQueryResponse") : received.rindex(end) + len(end)])


def _round(servers: Mapping[str, Asked], count: int) -> dict[str, float]:
    """Microseconds of CPU for each request, server after server, so that a busy machine slows all of them."""
    costs = {}
    for name, each in servers.items():
        load.run(each.port, 1, [each.request] * WARM_UP, load.HTTP)
        before = cpu_seconds(each.pid)
        load.run(each.port, 1, [each.request] * count, load.HTTP)
        costs[name] = (cpu_seconds(each.pid) - before) / count * 1e6
    return costs


def _figures(entries: int, rounds: list[dict[str, float]]) -> list[Figure]:
    benchmark = f"ITI-18, {entries} entries"
    costs = [
        Figure(benchmark=benchmark, name=name, unit="µs CPU", runs=tuple(each[name] for each in rounds))
        for name in rounds[0]
    ]
    ratios = [
        Figure(
            benchmark=benchmark,
            name=f"{name} ÷ floor",
            unit="×",
            runs=tuple(each[name] / each[FLOOR] for each in rounds),
            aim=AIMS.get((name, entries)),
        )
        for name in rounds[0]
        if name != FLOOR
    ]
    return costs + ratios
