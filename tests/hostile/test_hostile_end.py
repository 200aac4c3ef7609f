"""SIGTERM while requests are under way: what was received is answered, what is not finished in time is cut."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.end_to_end.conftest import Start
from tests.hostile.conftest import Attacked, Message

HEAD = (
    b"POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n"
    b'Content-Type: multipart/related; boundary=B; type="application/xop+xml"\r\n\r\n'
    b"--B\r\nContent-Type: application/xop+xml\r\n\r\n<e/>\r\n--B\r\nContent-ID: <d>\r\n\r\n"
)


def test_every_message_that_was_received_is_answered_before_the_end(start: Start, admission: Message) -> None:
    attacked = Attacked(start("--domain", "connectathon"))
    begun = threading.Semaphore(0)

    def feed(sender: int) -> int:
        with attacked.connect("mllp") as opened:
            opened.sendall(b"".join(admission(sender * 100 + number) for number in range(40)))
            answers = opened.recv(100)
            begun.release()
            while more := opened.recv(65536):
                answers += more
        return answers.count(b"MSA|AA|")

    with ThreadPoolExecutor(5) as pool:
        fed = [pool.submit(feed, sender) for sender in range(5)]
        for _ in fed:
            assert begun.acquire(timeout=30)
        assert attacked.node.terminate() == 0
        assert [each.result(10) for each in fed] == [40] * 5


def test_an_upload_without_end_is_cut_when_the_time_to_drain_is_over(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFINITY__LIMITS__DRAIN_SECONDS", "1")
    attacked = Attacked(start("--domain", "connectathon"))
    with attacked.connect("http") as opened:
        opened.sendall(HEAD + b"x" * 5_000_000)
        while not attacked.spool:
            attacked.health()
        asked = time.monotonic()
        assert attacked.node.terminate() == 0
        assert time.monotonic() - asked < 15
    assert attacked.spool == []
