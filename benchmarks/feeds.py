"""ADT^A28 over MLLP, end to end: every patient is new, every acknowledgement leaves after the commit (SQLite FULL)."""

from pathlib import Path

from benchmarks import load, messages
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import cpu_seconds

MESSAGES = {1: 600, 50: 4000}
WARM_UP = 300
AIM = Aim(Better.HIGHER, 1000)


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Feed one node by one connection, then by fifty."""
    with Node(directory / "feeds") as node:
        load.run(node.ports["mllp"], 10, messages.announcements(WARM_UP), load.MLLP)
        figures = []
        for connections, count in MESSAGES.items():
            say(f"ADT^A28 over {connections} connections")
            figures += _fed_by(node, connections, effort.count(count), effort.runs)
        return figures


def _fed_by(node: Node, connections: int, count: int, runs: int) -> list[Figure]:
    rates, costs = [], []
    for _ in range(runs):
        announcements = messages.announcements(count)
        before = cpu_seconds(node.pid)
        rates.append(load.run(node.ports["mllp"], connections, announcements, load.MLLP).rate)
        costs.append((cpu_seconds(node.pid) - before) / count * 1e6)
    name = f"{connections} connection{'s' if connections > 1 else ''}"
    aim = AIM if connections == 50 else None
    return [
        Figure(benchmark="MLLP ADT^A28, durable", name=name, unit="messages/s", runs=tuple(rates), aim=aim),
        Figure(benchmark="MLLP ADT^A28, durable", name=f"{name}, cost", unit="µs CPU", runs=tuple(costs)),
    ]
