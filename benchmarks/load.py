"""A closed-loop load generator: N connections, one request under way on each, bytes made beforehand.

It must cost little beside the server: one thread, epoll, no parsing beyond the end of an answer and its verdict.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

CHUNK = 1024 * 1024
STALLED = 60.0
"""Seconds without any answer after which a run is given up."""

WholeAnswer = Callable[[bytearray], int]
"""The length of the answer at the start of what has arrived; 0 while it is not whole."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How answers end and how a good one reads; anything else ends the benchmark."""

    whole: WholeAnswer
    good: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run."""

    answered: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds


class WrongAnswer(Exception):
    """The server refused a request that the benchmark holds to be good: its figures would mean nothing."""


@dataclass(slots=True)
class _Caller:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)


def run(port: int, connections: int, requests: Sequence[bytes], dialogue: Dialogue) -> Load:
    """Send every request once, spread over the connections as they become free; all must be answered well."""
    waiting = deque(requests)
    callers = [_Caller(socket.create_connection(("127.0.0.1", port))) for _ in range(min(connections, len(requests)))]
    try:
        with selectors.EpollSelector() as selector:
            for caller in callers:
                caller.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(caller.socket, selectors.EVENT_READ, caller)
            began = time.perf_counter()
            for caller in callers:
                caller.socket.sendall(waiting.popleft())
            _converse(selector, waiting, len(requests), dialogue)
            return Load(len(requests), time.perf_counter() - began)
    finally:
        for caller in callers:
            caller.socket.close()


def latencies(port: int, requests: Sequence[bytes], dialogue: Dialogue) -> tuple[float, ...]:
    """Seconds from the request to the whole of its answer, one request after the other on one connection."""
    seconds = []
    with socket.create_connection(("127.0.0.1", port), timeout=STALLED) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        caller = _Caller(connection)
        for request in requests:
            began = time.perf_counter()
            connection.sendall(request)
            while not _take(caller, dialogue):
                pass
            seconds.append(time.perf_counter() - began)
    return tuple(seconds)


def _converse(selector: selectors.BaseSelector, waiting: deque[bytes], expected: int, dialogue: Dialogue) -> None:
    while expected:
        ready = selector.select(STALLED)
        if not ready:
            raise TimeoutError(f"no answer for {STALLED:.0f} s")
        for key, _ in ready:
            if _take(key.data, dialogue):
                expected -= 1
                if waiting:
                    key.data.socket.sendall(waiting.popleft())


def _take(caller: _Caller, dialogue: Dialogue) -> bool:
    """Read what has come; True once the answer is whole, and good."""
    data = caller.socket.recv(CHUNK)
    if not data:
        raise ConnectionError("the server closed the connection")
    caller.received += data
    length = dialogue.whole(caller.received)
    if not length:
        return False
    if dialogue.good not in caller.received[:2000]:
        raise WrongAnswer(bytes(caller.received[:3000]).decode("utf-8", "replace"))
    caller.received.clear()
    return True


def whole_http(received: bytearray) -> int:
    """An HTTP answer with Content-Length."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return 0
    start = bytes(received[:head]).lower().index(b"content-length:") + len(b"content-length:")
    length = head + 4 + int(bytes(received[start : received.find(b"\r", start)]))
    return length if len(received) >= length else 0


def whole_mllp(received: bytearray) -> int:
    """An MLLP frame."""
    return len(received) if received.endswith(b"\x1c\r") else 0


HTTP = Dialogue(whole_http, b":Success")
MLLP = Dialogue(whole_mllp, b"|AA|")
