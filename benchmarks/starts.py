"""From the command to ports that accept: the first start makes the data directory, keys and tables, the second not."""

from pathlib import Path

from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.node import Node

AIM = Aim(Better.LOWER, 5)


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Start a node twice in each of several data directories."""
    say("starts")
    starts = [_two_starts(directory / f"start{number}") for number in range(effort.runs)]
    first, second = zip(*starts, strict=True)
    return [
        Figure(benchmark="Start to ready", name="first start", unit="s", runs=first, aim=AIM),
        Figure(benchmark="Start to ready", name="second start", unit="s", runs=second, aim=AIM),
    ]


def _two_starts(data: Path) -> tuple[float, float]:
    with Node(data) as node:
        first = node.seconds_to_ready
    with Node(data) as node:
        return first, node.seconds_to_ready
