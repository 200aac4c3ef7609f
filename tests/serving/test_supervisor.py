"""What a parent does when workers die, cannot start, or are to be replaced; its workers serve nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT
from tests.serving.conftest import ENVIRONMENT, Supervised


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Supervised]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serving.small_parent", str(tmp_path)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    node = Supervised(process, tmp_path)
    threading.Thread(target=node.listen, daemon=True).start()
    yield node
    if process.poll() is None:
        process.kill()
        process.wait()


def test_ports_are_told_while_all_workers_serve(parent: Supervised) -> None:
    (told,) = parent.await_event("listening")
    assert parent.ports == {"mllp": told["mllp"]}
    assert parent.stop() == 0
    assert not (parent.data / "ports.json").exists()


def test_a_worker_that_died_is_replaced(parent: Supervised) -> None:
    parent.await_event("listening")
    first, _ = parent.await_event("worker started")[:2]
    os.kill(first["process"], signal.SIGKILL)
    (died,) = parent.await_event("worker died")
    assert (died["worker"], died["reason"], died["wait"]) == (first["worker"], "signal 9", 0.5)
    assert parent.await_event("worker started", 3)[2]["worker"] == first["worker"]
    assert parent.stop() == 0


def test_all_workers_that_died_at_once_are_replaced(parent: Supervised) -> None:
    parent.await_event("listening")
    for each in parent.await_event("worker started", 2):
        os.kill(each["process"], signal.SIGKILL)
    parent.await_event("worker died", 2)
    replaced = parent.await_event("worker started", 4)[2:]
    assert {each["worker"] for each in replaced} == {1, 2}
    assert parent.stop() == 0


def test_a_rolling_restart_ends_nobody_before_the_next_is_ready(parent: Supervised) -> None:
    parent.await_event("listening")
    parent.signal(signal.SIGHUP)
    parent.await_event("rolling restart complete")
    begun = parent.await_event("rolling restart")[0]
    told = [
        (each["event"], each["worker"]) for each in parent.events[parent.events.index(begun) :] if each.get("worker")
    ]
    assert told == [("worker started", 1), ("worker ended", 1), ("worker started", 2), ("worker ended", 2)]
    assert parent.stop() == 0


def test_a_rolling_restart_that_fails_leaves_everything_as_it_was(parent: Supervised) -> None:
    parent.await_event("listening")
    (parent.data / "broken").touch()
    parent.signal(signal.SIGHUP)
    (given_up,) = parent.await_event("rolling restart given up")
    assert given_up["reason"] == "exit code 2"
    (parent.data / "broken").unlink()
    parent.signal(signal.SIGHUP)
    parent.await_event("rolling restart complete")
    ended = [each["process"] for each in parent.await_event("worker ended")]
    assert ended == [each["process"] for each in parent.await_event("worker started")[:2]]
    assert parent.stop() == 0


def test_a_node_that_cannot_start_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    command = [sys.executable, "-m", "tests.serving.small_parent", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "worker did not start" in ended.stderr
