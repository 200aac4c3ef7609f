"""A real node in a process of its own, spoken to through its real ports."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]
ANY_PORT = [word for name in ("http", "https", "mllp", "mllps") for word in (f"--{name}-port", "0")]


@dataclass
class RunningNode:
    """One ``affinity up`` process; ``ports`` by name, ``log`` what it wrote to standard error so far."""

    process: "subprocess.Popen[str]"
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


def start_node(data: Path, *options: str) -> RunningNode:
    """Start a node and return once its ports accept."""
    process = subprocess.Popen(
        [sys.executable, "-m", "affinity", "up", "--no-demo", "--data", str(data), *ANY_PORT, *options],
        cwd=ROOT,
        env={**os.environ, "AFFINITY__LOG__FORMAT": "json"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    log = _until_listening(process.stderr)
    threading.Thread(target=lambda stream: log.extend(stream), args=(process.stderr,), daemon=True).start()
    return RunningNode(process, data, json.loads((data / "ports.json").read_text()), log)


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

    def begin(*options: str, data: Path = tmp_path / "data") -> RunningNode:
        started.append(start_node(data, *options))
        return started[-1]

    yield begin
    for node in started:
        if node.process.poll() is None:
            node.kill()


@pytest.fixture(scope="module")
def connectathon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """The connectathon domain, shared by the tests of one module."""
    node = start_node(tmp_path_factory.mktemp("connectathon"), "--domain", "connectathon")
    yield node
    node.kill()
