"""A node of several processes, spoken to through its real ports."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import ROOT

ENVIRONMENT = {**os.environ, "AFFINITY__LOG__FORMAT": "json"}
PATIENCE = 150
"""Seconds: a busy machine takes long to start six processes."""
SERVE = ("serve", "--xua", "off", "--http-port", "0", "--mllp-port", "0")


@dataclass
class Supervised:
    """``affinity serve --workers``: the parent's process, and the events that it and its workers have logged."""

    process: "subprocess.Popen[str]"
    data: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    said: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ports(self) -> dict[str, int]:
        """By name."""
        ports: dict[str, int] = json.loads((self.data / "ports.json").read_text())
        return ports

    def await_event(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many events of this name were logged."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.events if each.get("event") == event]

        with self.said:
            assert self.said.wait_for(lambda: len(found()) >= count, PATIENCE), (event, self.events)
        return found()

    def signal(self, number: int) -> None:
        """Send a signal to the parent."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to drain; its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def listen(self) -> None:
        """Take down what it logs, until all its processes have ended."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.said:
                self.events.append(json.loads(line) if line.startswith("{") else {"event": line})
                self.said.notify_all()


Serve = Callable[..., Supervised]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start nodes that end with the test."""
    started: list[Supervised] = []

    def begin(*options: str) -> Supervised:
        process = subprocess.Popen(
            [sys.executable, "-m", "affinity", *SERVE, "--data", str(tmp_path / "data"), *options],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        node = Supervised(process, tmp_path / "data")
        threading.Thread(target=node.listen, daemon=True).start()
        started.append(node)
        return node

    yield begin
    for node in started:
        if node.process.poll() is None:
            node.process.send_signal(signal.SIGKILL)
            node.process.wait(20)
