"""One worker and two under a parent, on PostgreSQL: ADT^A28, ITI-9 and ITI-18, and the memory of each process."""

import re
from pathlib import Path

from affinity.client import hl7
from affinity.client.hl7 import Route
from benchmarks import load, messages, postgresql
from benchmarks.figures import Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import family_cpu_seconds
from hl7v2.er7 import serialize
from ihe.datatypes import CX
from mllp.framing import frame

WORKERS = (1, 2)
CONNECTIONS = 50
FEEDS, QUERIES = 2000, 2000
ENTRIES = 10
PATIENT = "SEVERAL"
BENCHMARK = "Workers, PostgreSQL"


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """A node of its own for each number of workers, on one database server."""
    figures = []
    with postgresql.Server(directory / "several-postgresql") as server:
        for workers in WORKERS:
            say(f"{workers} workers")
            url, data = server.empty(f"several{workers}"), directory / f"several-{workers}"
            with Node(data, database_url=url, verb=("serve", "--workers", str(workers))) as node:
                figures += _of(node, workers, effort)
    return figures


def _of(node: Node, workers: int, effort: Effort) -> list[Figure]:
    load.run(node.ports["mllp"], 10, messages.announcements(300), load.MLLP)
    load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
    documents = [b"Result %d" % number for number in range(ENTRIES)]
    load.run(node.ports["http"], 1, [messages.provide(PATIENT, documents)], load.HTTP)
    asked = frame(serialize(hl7.pix_query(Route(), CX(PATIENT, messages.RED))))
    feeds, queries = effort.count(FEEDS), effort.count(QUERIES)
    figures: list[Figure] = []
    for name, port, dialogue, requests in (
        ("ADT^A28", "mllp", load.MLLP, lambda: messages.announcements(feeds)),
        ("ITI-9", "mllp", load.MLLP, lambda: [asked] * queries),
        ("ITI-18, 10 entries", "http", load.HTTP, lambda: [messages.find_documents(PATIENT)] * queries),
    ):
        runs = [_run(node, node.ports[port], dialogue, requests()) for _ in range(effort.runs)]
        rates, costs = zip(*runs, strict=True)
        figures += [
            Figure(benchmark=BENCHMARK, name=f"{name}, {workers} workers", unit="requests/s", runs=rates),
            Figure(benchmark=BENCHMARK, name=f"{name}, {workers} workers, cost", unit="µs CPU", runs=costs),
        ]
    return [*figures, *_memory(node, workers)]


def _run(node: Node, port: int, dialogue: load.Dialogue, requests: list[bytes]) -> tuple[float, float]:
    """Requests a second, and microseconds of CPU of the whole node for each."""
    before = family_cpu_seconds(node.pid)
    rate = load.run(port, CONNECTIONS, requests, dialogue).rate
    return rate, (family_cpu_seconds(node.pid) - before) / len(requests) * 1e6


def _memory(node: Node, workers: int) -> list[Figure]:
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    held = tuple(_megabytes(int(pid)) for pid in children)
    return [
        Figure(benchmark=BENCHMARK, name=f"PSS of each of {workers} workers", unit="MB", runs=held),
        Figure(benchmark=BENCHMARK, name=f"PSS of the parent of {workers}", unit="MB", runs=(_megabytes(node.pid),)),
    ]


def _megabytes(pid: int) -> float:
    """The memory of a process; what it shares with others counts in part (PSS)."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    if found is None:
        raise ProcessLookupError(f"process {pid} has no Pss")
    return int(found[1]) / 1e3
