"""What the processes of a node share: the duty, the writer's turn, the bell, the allowances, the settings."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from affinity import settings
from affinity.allowances import Bucket
from affinity.duty import LOOK_SECONDS, Duty
from affinity.serving.bell import Bell
from affinity.serving.buckets import BucketsOfNode
from affinity.serving.handover import Given, Handover, Unlike, digest
from affinity.writers_turn import Turn

HOLD = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


def another_process_holds(file: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_duty_is_taken_up_once_its_holder_was_killed(tmp_path: Path) -> None:
    other, clock, begun = another_process_holds(tmp_path / "duty"), Clock(), []
    duty = Duty(clock, tmp_path / "duty", lambda: begun.append(True))
    duty.start()
    clock.advance(LOOK_SECONDS)
    assert (begun, duty.is_mine) == ([], False)
    other.kill()
    other.wait()
    clock.advance(LOOK_SECONDS)
    clock.advance(LOOK_SECONDS)
    assert (begun, duty.is_mine) == ([True], True)


def test_who_stops_does_not_take_up_the_duty_any_more(tmp_path: Path) -> None:
    other, clock, begun = another_process_holds(tmp_path / "duty"), Clock(), []
    duty = Duty(clock, tmp_path / "duty", lambda: begun.append(True))
    duty.start()
    duty.stop()
    other.kill()
    other.wait()
    clock.advance(LOOK_SECONDS)
    assert begun == []


def test_a_turn_is_given_back_when_its_holder_was_killed(tmp_path: Path) -> None:
    other = another_process_holds(tmp_path / "a.db-turn")
    taken = threading.Event()

    def take() -> None:
        with Turn(tmp_path / "a.db"):
            taken.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    while not is_next(tmp_path / "a.db-next"):
        pass
    assert not taken.is_set()
    other.kill()
    other.wait()
    assert taken.wait(10)
    waiting.join()


def test_who_has_written_stands_behind_who_waits(tmp_path: Path) -> None:
    first, second, order = Turn(tmp_path / "a.db"), Turn(tmp_path / "a.db"), []

    def wait() -> None:
        with second:
            order.append("second")

    with first:
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not is_next(tmp_path / "a.db-next"):
            pass
    with first:
        order.append("first")
    waiting.join()
    assert order == ["second", "first"]


def is_next(file: Path) -> bool:
    """Claim that somebody stands next."""
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_bell_that_nobody_heard_is_heard_by_who_listens_later() -> None:
    heard, rung = os.pipe()
    os.set_blocking(rung, False)
    bell, woken = Bell(heard=heard, rung=rung), threading.Event()
    for _ in range(100_000):
        bell.ring()
    bell.heed(woken.set)
    assert woken.wait(10)
    os.close(rung)


def test_an_allowance_is_that_of_all_processes(tmp_path: Path) -> None:
    one, other = BucketsOfNode(tmp_path), BucketsOfNode(tmp_path)
    with one.held("lab", Bucket(5.0, 1.0)) as bucket:
        bucket.left, bucket.filled = 3.0, 2.0
    with other.held("lab", Bucket(5.0, 9.0)) as bucket:
        assert bucket == Bucket(3.0, 2.0)
    with other.held("ward", Bucket(5.0, 9.0)) as bucket:
        assert bucket == Bucket(5.0, 9.0)


def handover(chosen: settings.Settings, given: Given) -> Handover:
    return Handover(
        given=given,
        workers=2,
        data=str(chosen.data),
        host="127.0.0.1",
        drain_seconds=1,
        log_format="json",
        log_level="info",
        sockets={"http": 7},
        lock=8,
        heard=9,
        rung=10,
        bound=digest(chosen),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "affinity.toml"
    written.write_text(f'data = "{tmp_path}"\n[listen]\nhttp_port = 9080\n')
    return written


def test_what_is_handed_down_arrives(file: Path) -> None:
    given = Given(config=str(file), overrides={"workers": 2, "listen": {"host": "::1"}})
    sent = handover(given.load(), given)
    assert Handover.read(sent.write()) == sent


def test_a_worker_reads_the_settings_anew(file: Path) -> None:
    given = Given(config=str(file), overrides={})
    handed = handover(given.load(), given)
    file.write_text(file.read_text() + "[receipts]\nkeep_days = 3\n")
    assert handed.settings().receipts.keep_days == 3


def test_a_worker_does_not_serve_what_its_parent_has_not_bound(file: Path) -> None:
    given = Given(config=str(file), overrides={})
    handed = handover(given.load(), given)
    file.write_text(file.read_text().replace("9080", "9081"))
    with pytest.raises(Unlike, match="listen"):
        handed.settings()
