"""A real node in a process of its own, spoken to through its real ports."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from tests.forked import Forked

ROOT = Path(__file__).parents[2]
ANY_PORT = [word for name in ("http", "https", "mllp", "mllps") for word in (f"--{name}-port", "0")]
UP = ("up", "--no-demo", *ANY_PORT)


@dataclass
class RunningNode:
    """One ``affinity up`` process; ``ports`` by name, ``log`` what it wrote to standard error so far."""

    process: "subprocess.Popen[str] | Forked"
    data: Path
    ports: dict[str, int]
    log: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        """The plain HTTP address of a path."""
        return f"http://127.0.0.1:{self.ports['http']}{path}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def terminate(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.terminate()
        return self.process.wait(40)


Start = Callable[..., RunningNode]
Begin = Callable[[Sequence[str], Mapping[str, str]], "subprocess.Popen[str] | Forked"]
"""Of a process: the words after ``affinity``, and what is added to the environment."""


def start_node(data: Path, *options: str, begin: Begin = Forked, verb: Sequence[str] = UP) -> RunningNode:
    """Start a node and return once its ports accept."""
    process = begin([*verb, "--data", str(data), *options], {"AFFINITY__LOG__FORMAT": "json"})
    assert process.stderr is not None
    log = _until_listening(process.stderr)
    threading.Thread(target=lambda stream: log.extend(stream), args=(process.stderr,), daemon=True).start()
    return RunningNode(process, data, json.loads((data / "ports.json").read_text()), log)


def executed(
    words: Sequence[str],
    environment: Mapping[str, str],
    kind: type["subprocess.Popen[str]"] = subprocess.Popen,
    under: Sequence[str] = (),
) -> "subprocess.Popen[str]":
    """``python -m affinity``: for what has to be under an interpreter from its beginning (LD_PRELOAD, PYTHONPATH).

    ``under`` is a command that becomes the one that follows it.
    """
    return kind(
        [*under, sys.executable, "-m", "affinity", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _until_listening(stream: IO[str]) -> list[str]:
    log: list[str] = []
    for line in stream:
        log.append(line)
        if '"event": "listening"' in line:
            return log
    pytest.fail("the node did not start:\n" + "".join(log))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start nodes that end with the test; by default in one data directory, so that a second start finds the first."""
    started: list[RunningNode] = []

    def start_one(*options: str, data: Path = tmp_path / "data", begin: Begin = Forked) -> RunningNode:
        started.append(start_node(data, *options, begin=begin))
        return started[-1]

    yield start_one
    for node in started:
        if node.process.poll() is None:
            node.kill()


@pytest.fixture(scope="module")
def connectathon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """The connectathon domain, shared by the tests of one module."""
    node = start_node(tmp_path_factory.mktemp("connectathon"), "--domain", "connectathon")
    yield node
    node.kill()
