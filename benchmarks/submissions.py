"""ITI-42 of one entry, and ITI-41 of one document, of 20 KB and of 100 MB; answered once all of it is durable."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, messages
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import cpu_seconds
from benchmarks.streams import Content, plain, submit

SMALL, LARGE = 20_000, 100_000_000
WARM_UP = 100
PATIENT = "SUBMISSIONS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is sent: ``counts`` says how many by how many connections, ``aims`` what should be reached by them."""

    benchmark: str
    name: str
    make: Callable[[], bytes]
    counts: Mapping[int, int]
    aims: Mapping[int, Aim]


KINDS = (
    Kind(
        benchmark="ITI-42",
        name="one entry",
        make=lambda: messages.register(PATIENT),
        counts={1: 300, 50: 1500},
        aims={50: Aim(Better.HIGHER, 500)},
    ),
    Kind(
        benchmark="ITI-41",
        name="20 KB",
        make=lambda: messages.provide(PATIENT, [os.urandom(SMALL)]),
        counts={1: 150, 8: 400, 50: 1000},
        aims={50: Aim(Better.HIGHER, 300)},
    ),
)


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Submit to one node: metadata, then small documents, by few and many connections; then large ones, one by one."""
    with Node(directory / "submissions") as node:
        load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
        figures = []
        for kind in KINDS:
            load.run(node.ports["http"], 10, [kind.make() for _ in range(WARM_UP)], load.HTTP)
            for connections, count in kind.counts.items():
                say(f"{kind.benchmark}, {kind.name}, over {connections} connections")
                figures += _submitted(node, kind, connections, effort.count(count), effort.runs)
        say("ITI-41 of 100 MB")
        return [*figures, _large(node, effort)]


def _submitted(node: Node, kind: Kind, connections: int, count: int, runs: int) -> list[Figure]:
    rates, costs = [], []
    for _ in range(runs):
        requests = [kind.make() for _ in range(count)]
        before = cpu_seconds(node.pid)
        rates.append(load.run(node.ports["http"], connections, requests, load.HTTP).rate)
        costs.append((cpu_seconds(node.pid) - before) / count * 1e6)
    name, aim = f"{kind.name}, {connections} connection{'s' if connections > 1 else ''}", kind.aims.get(connections)
    return [
        Figure(benchmark=kind.benchmark, name=name, unit="submissions/s", runs=tuple(rates), aim=aim),
        Figure(benchmark=kind.benchmark, name=f"{name}, cost", unit="µs CPU", runs=tuple(costs)),
    ]


def _large(node: Node, effort: Effort) -> Figure:
    rates = []
    for number in range(effort.runs):
        content = Content(seed=number, size=effort.count(LARGE))
        began = time.perf_counter()
        submit(plain(node), PATIENT, content)
        rates.append(content.size / (time.perf_counter() - began) / 1e6)
    return Figure(benchmark="ITI-41", name="100 MB", unit="MB/s", runs=tuple(rates))
