"""ITI-41: submissions of one document, of 20 KB and of 100 MB; answered once bytes and metadata are durable."""

import os
import time
from pathlib import Path

from benchmarks import load, messages
from benchmarks.figures import Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.streams import Content, submit

SMALL, LARGE = 20_000, 100_000_000
SUBMISSIONS = {1: 150, 8: 400}
PATIENT = "SUBMISSIONS"


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Submit to one node: small documents by one connection and by eight, then large ones, each after the other."""
    with Node(directory / "submissions") as node:
        load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
        figures = []
        for connections, count in SUBMISSIONS.items():
            say(f"ITI-41 of 20 KB over {connections} connections")
            figures.append(_small(node, connections, effort.count(count), effort.runs))
        say("ITI-41 of 100 MB")
        return [*figures, _large(node, effort)]


def _small(node: Node, connections: int, count: int, runs: int) -> Figure:
    rates = []
    for _ in range(runs):
        requests = [messages.provide(PATIENT, [os.urandom(SMALL)]) for _ in range(count)]
        rates.append(load.run(node.ports["http"], connections, requests, load.HTTP).rate)
    name = f"20 KB, {connections} connection{'s' if connections > 1 else ''}"
    return Figure(benchmark="ITI-41", name=name, unit="submissions/s", runs=tuple(rates))


def _large(node: Node, effort: Effort) -> Figure:
    rates = []
    for number in range(effort.runs):
        content = Content(seed=number, size=effort.count(LARGE))
        began = time.perf_counter()
        submit(node, PATIENT, content)
        rates.append(content.size / (time.perf_counter() - began) / 1e6)
    return Figure(benchmark="ITI-41", name="100 MB", unit="MB/s", runs=tuple(rates))
