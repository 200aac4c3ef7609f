"""Memory while large documents pass: 1 GiB as an XOP part up and down, and 300 MB of inline base64, byte-exact."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks import curl, load, messages
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.load import WrongAnswer
from benchmarks.node import Node
from benchmarks.process import peak_rss
from benchmarks.streams import ComparingSink, Content, plain, retrieve, secured, submit, submit_inline
from ihe.exchange import Spool
from soap.client import SOAPClient

GIB, INLINE = 2**30, 300_000_000
PEAK_AIM = Aim(Better.LOWER, 120)
UP_AIM, DOWN_AIM = Aim(Better.HIGHER, 150), Aim(Better.HIGHER, 400)
"""MB/s over mutual TLS."""
Connect = Callable[[Node, Spool | None], SOAPClient]
WAYS: Mapping[str, Connect] = {"plain": plain, "mutual TLS": secured}
PATIENT = "MEMORY"
BENCHMARK = "Memory"


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Three nodes, because a peak is never forgotten: for XOP both ways, plain and secured, and for inline base64.

    All have been started before: the tool that makes the tables stays in the memory of a first start.
    """
    figures = []
    for way in WAYS:
        say(f"1 GiB up and down, {way}")
        figures += _xop(directory / f"memory-{way.replace(' ', '-')}", Content(seed=1, size=effort.count(GIB)), way)
    say("300 MB as inline base64")
    return [*figures, _inline(directory / "memory-inline", Content(seed=2, size=effort.count(INLINE)))]


def _xop(data: Path, content: Content, way: str) -> list[Figure]:
    connect, benchmark = WAYS[way], f"{BENCHMARK}, {way}"
    with Node(data):
        pass
    with Node(data) as node:
        load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
        before = _megabytes(node)
        began = time.perf_counter()
        unique_id = submit(connect(node, None), PATIENT, content)
        up = content.size / (time.perf_counter() - began) / 1e6
        peak_up = _megabytes(node)
        began = time.perf_counter()
        _check(connect(node, partial(ComparingSink, content)), unique_id, content)
        down = content.size / (time.perf_counter() - began) / 1e6
        size = _spelled(content.size)
        peak = _megabytes(node)
        figures = [
            Figure(benchmark=benchmark, name="peak RSS before", unit="MB", runs=(before,)),
            Figure(benchmark=benchmark, name=f"peak RSS, {size} up", unit="MB", runs=(peak_up,), aim=PEAK_AIM),
            Figure(benchmark=benchmark, name=f"peak RSS, {size} up and down", unit="MB", runs=(peak,), aim=PEAK_AIM),
            Figure(benchmark=benchmark, name=f"ITI-41, {size}", unit="MB/s", runs=(up,), aim=UP_AIM),
            Figure(benchmark=benchmark, name=f"ITI-43, {size}", unit="MB/s", runs=(down,), aim=DOWN_AIM),
        ]
        if connect is secured and curl.is_there():
            figures.append(_by_curl(node, unique_id, content, benchmark))
        return figures


def _by_curl(node: Node, unique_id: str, content: Content, benchmark: str) -> Figure:
    """The same answer to a client that compares nothing, after ours compared each byte of it."""
    received = curl.download(
        node, messages.retrieve(unique_id), messages.REPOSITORY_PATH, node.data.with_suffix(".request")
    )
    if received.size < content.size:
        raise WrongAnswer(f"{received.size} bytes came back of {content.size}")
    name = f"ITI-43, {_spelled(content.size)}, curl"
    return Figure(
        benchmark=benchmark, name=name, unit="MB/s", runs=(received.size / received.seconds / 1e6,), aim=DOWN_AIM
    )


def _inline(data: Path, content: Content) -> Figure:
    with Node(data):
        pass
    with Node(data) as node:
        load.run(node.ports["mllp"], 1, [messages.announcement(PATIENT)], load.MLLP)
        unique_id = submit_inline(node, PATIENT, content)
        peak = _megabytes(node)
        _check(plain(node, partial(ComparingSink, content)), unique_id, content)
        name = f"peak RSS, {_spelled(content.size)} inline"
        return Figure(benchmark=BENCHMARK, name=name, unit="MB", runs=(peak,), aim=PEAK_AIM)


def _check(client: SOAPClient, unique_id: str, content: Content) -> None:
    received = retrieve(client, unique_id)
    if received.size != content.size:
        raise WrongAnswer(f"{received.size} bytes came back of {content.size}")


def _megabytes(node: Node) -> float:
    return peak_rss(node.pid) / 1e6


def _spelled(size: int) -> str:
    return f"{size / 2**30:.0f} GiB" if size % 2**30 == 0 else f"{size / 1e6:.0f} MB"
