"""``make bench-compare BASE=ref``: does a change cost CPU? Two trees side by side, asked in turn, and their ratios.

The base is checked out beside this tree for as long as it takes. A node of each runs on this machine; every round asks
one and then the other for the same, the first one changing from round to round, so that what else the machine does
slows both. The bytes that are sent, and what measures, are this tree's for both.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from affinity.client import hl7
from affinity.client.hl7 import Route
from benchmarks import load, messages
from benchmarks.node import Node
from benchmarks.process import ROOT, cpu_seconds
from benchmarks.trail import Kind
from hl7v2.er7 import serialize
from ihe.datatypes import CX
from ihe.identifiers import new_oid
from mllp.framing import frame

CONNECTIONS = 4
PATIENT = "COMPARED"
ENTRIES = 10
TRIMMED_FROM = 8
"""Rounds from which on the lowest and the highest ratio are left out of the spread."""
WIDTH = 100


def _identifiers(count: int) -> list[bytes]:
    return [frame(serialize(hl7.pix_query(Route(), CX(PATIENT, messages.RED))))] * count


def _submissions(count: int) -> list[bytes]:
    return [messages.provide(PATIENT, [new_oid().encode()]) for _ in range(count)]


KINDS = (
    Kind("ITI-18, 10 entries", "http", lambda count: [messages.find_documents("FOUND")] * count, 200, load.HTTP),
    Kind("ITI-9", "mllp", _identifiers, 200, load.MLLP),
    Kind("ADT^A28", "mllp", messages.announcements, 100, load.MLLP),
    Kind("ITI-41", "http", _submissions, 40, load.HTTP),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """CPU of one kind of request in two trees, round by round, in microseconds."""

    name: str
    base: tuple[float, ...]
    head: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """This tree by the base, in order of size."""
        return tuple(sorted(head / base for base, head in zip(self.base, self.head, strict=True)))

    @property
    def spread(self) -> tuple[float, float]:
        """Between these lies the true ratio, with a probability of 93 % or more from six rounds on.

        It is the interval of order statistics for a median, which assumes nothing of how the ratios are distributed.
        """
        found = self.ratios
        return (found[1], found[-2]) if len(found) >= TRIMMED_FROM else (found[0], found[-1])

    @property
    def verdict(self) -> str:
        """In words: a difference is one only if the spread lies on one side of 1."""
        low, high = self.spread
        if low <= 1 <= high:
            return "no difference"
        return "slower" if low > 1 else "faster"


def main(
    base: Annotated[str, typer.Argument(help="What this tree is compared with: a commit, a tag, a branch.")] = "main",
    rounds: Annotated[int, typer.Option(min=2, max=50, help="How often both are asked.")] = 8,
) -> None:
    """Compare CPU per request of this tree with that of BASE."""
    with (
        tempfile.TemporaryDirectory(prefix="affinity-compare-") as made,
        _checked_out(base, Path(made) / "base") as other,
    ):
        found = compare(Path(made), other, ROOT, rounds)
    _show(base, found)


def compare(place: Path, base: Path, head: Path, rounds: int) -> list[Comparison]:
    """Start a node of each tree and ask them in turn."""
    with Node(place / "node-base", root=base) as first, Node(place / "node-head", root=head) as second:
        for node in (first, second):
            _prepare(node)
        return [_compared(kind, first, second, rounds) for kind in KINDS]


def _prepare(node: Node) -> None:
    load.run(node.ports["mllp"], 1, [messages.announcement(each) for each in (PATIENT, "FOUND")], load.MLLP)
    documents = [b"Result %d" % number for number in range(ENTRIES)]
    load.run(node.ports["http"], 1, [messages.provide("FOUND", documents)], load.HTTP)


def _compared(kind: Kind, base: Node, head: Node, rounds: int) -> Comparison:
    costs: dict[Node, list[float]] = {base: [], head: []}
    for node in (base, head):
        _cost(kind, node)
    for number in range(rounds):
        for node in (base, head) if number % 2 == 0 else (head, base):
            costs[node].append(_cost(kind, node))
    return Comparison(kind.name, tuple(costs[base]), tuple(costs[head]))


def _cost(kind: Kind, node: Node) -> float:
    """Microseconds of CPU of the node for one request."""
    requests = kind.requests(kind.count)
    before = cpu_seconds(node.pid)
    load.run(node.ports[kind.port], CONNECTIONS, requests, kind.dialogue)
    return 1e6 * (cpu_seconds(node.pid) - before) / len(requests)


@contextmanager
def _checked_out(ref: str, place: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    try:
        subprocess.run([*git, "add", "--detach", "--quiet", str(place), ref], check=True)
    except subprocess.CalledProcessError:
        raise typer.BadParameter(f"git has no commit, tag or branch {ref!r}; its words are above") from None
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def _show(base: str, found: Sequence[Comparison]) -> None:
    table = Table(title=f"CPU per request: this tree ÷ {base}", caption="below 1: this tree costs less")
    table.add_column("request")
    for heading in (f"{base} µs", "this tree µs", "ratio", "spread", "verdict"):
        table.add_column(heading, justify="right")
    for each in found:
        low, high = each.spread
        figures = (f"{median(each.base):,.0f}", f"{median(each.head):,.0f}", f"{median(each.ratios):.3f}")
        table.add_row(each.name, *figures, f"{low:.3f} to {high:.3f}", each.verdict)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


if __name__ == "__main__":
    typer.run(main)
