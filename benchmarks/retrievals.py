"""ITI-43: one stored document of 20 KB in each answer, decrypted, checked by its hash, audited; rate and CPU."""

import os
import random
from pathlib import Path

from benchmarks import load, messages
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import cpu_seconds
from ihe.identifiers import new_oid

SMALL = 20_000
DOCUMENTS, TOGETHER = 200, 20
"""How many there are to choose from, and how many of them come in one submission."""
RETRIEVALS = {1: 500, 8: 2000, 32: 3000}
AIM = Aim(Better.HIGHER, 1500)
PATIENT = "RETRIEVALS"


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Ask one node, over one connection, over eight and over 32."""
    with Node(directory / "retrievals") as node:
        stored = fill(node)
        figures = []
        for connections, count in RETRIEVALS.items():
            say(f"ITI-43 of 20 KB over {connections} connections")
            figures += _asked(node, connections, [random.choice(stored) for _ in range(effort.count(count))], effort)
        return figures


def fill(node: Node) -> list[str]:
    """Submit documents; returns their uniqueIds."""
    load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
    ids = [new_oid() for _ in range(DOCUMENTS)]
    for start in range(0, DOCUMENTS, TOGETHER):
        documents = [os.urandom(SMALL) for _ in range(TOGETHER)]
        submission = messages.provide(PATIENT, documents, ids[start : start + TOGETHER])
        load.run(node.ports["http"], 1, [submission], load.HTTP)
    return ids


def _asked(node: Node, connections: int, ids: list[str], effort: Effort) -> list[Figure]:
    requests = [messages.retrieve(each) for each in ids]
    rates, costs = [], []
    for _ in range(effort.runs):
        before = cpu_seconds(node.pid)
        rates.append(load.run(node.ports["http"], connections, requests, load.HTTP).rate)
        costs.append((cpu_seconds(node.pid) - before) / len(requests) * 1e6)
    benchmark = f"ITI-43, 20 KB, {connections} connection{'s' if connections > 1 else ''}"
    return [
        Figure(benchmark=benchmark, name="rate", unit="documents/s", runs=tuple(rates), aim=AIM),
        Figure(benchmark=benchmark, name="cost", unit="µs CPU", runs=tuple(costs)),
    ]
