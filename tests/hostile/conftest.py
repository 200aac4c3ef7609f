"""Attacks on a real node: raw sockets, half messages, many clients at once."""

import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.end_to_end.conftest import RunningNode, Start, start, start_node

SECRET = "Zwetschgenbaum"
"""The family name of every patient here: it must never be seen in a log."""
AUTHORITY = "IHERED&1.3.6.1.4.1.21367.13.20.1000&ISO"


class Attacked:
    """A node, and short ways to it."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node

    def connect(self, port: str) -> socket.socket:
        """Open a connection to one of its ports."""
        return socket.create_connection(("127.0.0.1", self.node.ports[port]), timeout=30)

    def say(self, port: str, *data: bytes) -> bytes:
        """Say something, and return all that is answered until the node closes; we close our side after speaking."""
        with self.connect(port) as opened:
            for each in data:
                opened.sendall(each)
            opened.shutdown(socket.SHUT_WR)
            return _rest(opened)

    def ask(self, request: bytes) -> bytes:
        """Send an HTTP request that wants the connection closed after its answer, and return that."""
        with self.connect("http") as opened:
            with suppress(ConnectionError):  # a request that is refused early may not be read to its end
                opened.sendall(request)
            return _rest(opened)

    def exchange(self, port: str, data: bytes, answers: int = 1, end: bytes = b"\x1c\r") -> bytes:
        """Say something, and return what is answered up to the wanted number of answers."""
        with self.connect(port) as opened:
            opened.sendall(data)
            received = b""
            while received.count(end) < answers and (more := opened.recv(65536)):
                received += more
            return received

    def health(self) -> bytes:
        """Ask whether it is ready."""
        with urllib.request.urlopen(self.node.url("/health/ready"), timeout=20) as answer:
            body: bytes = answer.read()
            return body

    @property
    def spool(self) -> list[Path]:
        """The files of parts that are neither adopted nor thrown away."""
        return list((self.node.data / "documents" / "spool").iterdir())

    def clear_up(self) -> None:
        """Return when nothing is left in the spool: it is emptied after the answer."""
        while self.spool:
            self.health()

    @property
    def memory(self) -> int:
        """The resident memory of the process, in MiB."""
        pages = int(Path(f"/proc/{self.node.process.pid}/statm").read_text().split()[1])
        return pages * 4096 // 2**20


def _rest(opened: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionResetError):
        while more := opened.recv(65536):
            received += more
    return received


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """One node for all attacks of a module. It must be as healthy after them as before, and have told nobody's name."""
    node = Attacked(start_node(tmp_path_factory.mktemp("attacked"), "--domain", "connectathon"))
    yield node
    assert node.health() == b"ready\n"
    assert node.node.terminate() == 0
    assert node.spool == []
    told = [line for line in node.node.log if SECRET in line]
    assert told == []
    assert [line for line in node.node.log if not line.startswith("{")] == [], "every line of the log is an event"
    assert json.loads(node.node.log[-1])["event"] == "stopped"


Message = Callable[..., bytes]


@pytest.fixture(scope="session")
def admission() -> Message:
    """An ADT^A28 in its frame; the keywords change one thing."""

    def spell(number: int = 1, msh9: str = "ADT^A28^ADT_A05", after_msh12: str = "", more: str = "") -> bytes:
        message = (
            f"MSH|^~\\&|LIS|LAB|MPI|AGENCY|20260101||{msh9}|A{number}|P|2.5{after_msh12}\rEVN||20260101\r"
            f"PID|||H{number}^^^{AUTHORITY}||{SECRET}^Ada{number}||19700101|F{more}\rPV1||N\r"
        )
        return b"\x0b" + message.encode() + b"\x1c\r"

    return spell


__all__ = ["Attacked", "Message", "RunningNode", "Start", "start"]
