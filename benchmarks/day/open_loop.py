"""An open-loop client: requests are due when they are due, whether the server keeps up or not.

The latency of a request counts from its due time, also while it waits for a free connection, and a request that is
never answered counts as long as it was waited for: a server that stalls is seen in every request that should have
been sent meanwhile, and not only in those under way (no "coordinated omission"). One thread, epoll, bytes made
beforehand.
"""

import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.day.verdicts import Verdict
from benchmarks.load import CHUNK

CONNECT_WITHIN = 10.0
READ = selectors.EVENT_READ
BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE
NO_ANSWER, CLOSED = "no answer", "connection closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A request, and when it should leave: seconds from the start."""

    at: float
    kind: str
    door: str
    request: bytes
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a request: its latency from its due time, how late it was sent, and what was wrong."""

    due: Due
    latency: float
    late: float
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A port of the server, on loopback, and with how many connections it is used."""

    port: int
    connections: int
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None

    def connect(self) -> socket.socket:
        """A connection that never blocks once it is there."""
        made = socket.create_connection((self.host, self.port), timeout=CONNECT_WITHIN)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            made = self.tls.wrap_socket(made, server_hostname="localhost")
        made.setblocking(False)
        return made


@dataclass(slots=True, eq=False)
class _Line:
    """A connection with at most one request under way."""

    door: str
    socket: socket.socket
    due: Due | None = None
    late: float = 0.0
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    received: bytearray = field(default_factory=bytearray)


def play(schedule: Sequence[Due], doors: Mapping[str, Door], grace: float, note: Callable[[Outcome], None]) -> None:
    """Send what is due, note what came of each; at most ``grace`` seconds after the last one is due it is over."""
    with selectors.EpollSelector() as selector:
        client = _Client(selector, doors, note)
        try:
            client.play(schedule, grace)
        finally:
            client.close()


class _Client:
    def __init__(
        self, selector: selectors.BaseSelector, doors: Mapping[str, Door], note: Callable[[Outcome], None]
    ) -> None:
        self._selector, self._doors, self._note = selector, doors, note
        self._waiting: dict[str, deque[Due]] = {name: deque() for name in doors}
        self._free: dict[str, list[_Line]] = {name: [] for name in doors}
        self._busy: set[_Line] = set()
        for name, door in doors.items():
            for _ in range(door.connections):
                self._open(name)
        self._began = time.perf_counter()

    def play(self, schedule: Sequence[Due], grace: float) -> None:
        last = schedule[-1].at if schedule else 0.0
        coming = deque(schedule)
        while (coming or self._is_owed_answers()) and self._now() < last + grace:
            while coming and coming[0].at <= self._now():
                self._waiting[coming[0].door].append(coming.popleft())
            self._send_waiting()
            until = coming[0].at if coming else last + grace if self._is_owed_answers() else 0.0
            for key, _ in self._selector.select(max(until - self._now(), 0)):
                self._move(key.data)
        for line in self._busy:
            self._judge(line, NO_ANSWER)
        for due in (*(due for queue in self._waiting.values() for due in queue), *coming):
            self._note(Outcome(due=due, latency=self._now() - due.at, late=0.0, error=NO_ANSWER))

    def _is_owed_answers(self) -> bool:
        return bool(self._busy) or any(self._waiting.values())

    def close(self) -> None:
        for line in (*self._busy, *(each for lines in self._free.values() for each in lines)):
            line.socket.close()

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _open(self, door: str) -> None:
        line = _Line(door, self._doors[door].connect())
        self._selector.register(line.socket, READ, line)
        self._free[door].append(line)

    def _send_waiting(self) -> None:
        for door, queue in self._waiting.items():
            while queue and self._free[door]:
                line, due = self._free[door].pop(), queue.popleft()
                line.due, line.late = due, self._now() - due.at
                line.unsent = memoryview(due.request)
                self._busy.add(line)
                self._move(line)

    def _move(self, line: _Line) -> None:
        """Send and receive what can be without waiting."""
        try:
            self._push(line)
            self._pull(line)
        except OSError:
            self._lose(line)

    def _push(self, line: _Line) -> None:
        if not line.unsent:
            return
        try:
            while line.unsent:
                line.unsent = line.unsent[line.socket.send(line.unsent) :]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._selector.modify(line.socket, BOTH, line)
        else:
            self._selector.modify(line.socket, READ, line)

    def _pull(self, line: _Line) -> None:
        try:
            while data := line.socket.recv(CHUNK):
                line.received += data
                if line.due is not None and line.due.verdict.is_whole(line.received):
                    self._judge(line, line.due.verdict.error(line.received))
                    self._release(line)
            raise ConnectionResetError(CLOSED)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return

    def _judge(self, line: _Line, error: str | None) -> None:
        assert line.due is not None
        self._note(Outcome(due=line.due, latency=self._now() - line.due.at, late=line.late, error=error))

    def _release(self, line: _Line) -> None:
        line.due = None
        line.received.clear()
        self._busy.discard(line)
        self._free[line.door].append(line)

    def _lose(self, line: _Line) -> None:
        """The server hung up: so much for this request; the next ones get a new connection."""
        if line.due is not None:
            self._judge(line, CLOSED)
        self._selector.unregister(line.socket)
        line.socket.close()
        self._busy.discard(line)
        if line in self._free[line.door]:
            self._free[line.door].remove(line)
        self._open(line.door)


def in_order(schedule: Iterable[Due]) -> tuple[Due, ...]:
    """By due time."""
    return tuple(sorted(schedule, key=lambda each: each.at))
