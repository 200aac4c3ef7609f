"""A proxy in a thread of its own, and small servers that say what a test wants them to say."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from affinity.pki import DevelopmentPKI, development_pki
from conformance.capture.recorded import Recorded
from conformance.capture.recording import Judged, Recording
from conformance.capture.relay import Door, Place, Relay
from conformance.exchanges import Wire
from conformance.validators.context import Context

PATIENCE = 20


class Proxy:
    """Doors on loopback, and what went through them."""

    def __init__(self) -> None:
        self.judged: list[Judged] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._recording, self._relay, self._working = self._run(self._begin())

    async def _begin(self) -> tuple[Recording, Relay, "asyncio.Task[None]"]:
        recording = Recording(Context(), self.judged.append)
        return recording, Relay(recording.told), asyncio.ensure_future(recording.work())

    def open(
        self, wire: Wire, server: int, *, tls: ssl.SSLContext | None = None, server_tls: ssl.SSLContext | None = None
    ) -> int:
        """Open a door to a port of this machine; returns that of the door."""
        door = Door(
            number=1,
            wire=wire,
            inside=Place(host="localhost", port=0, tls=tls),
            server=Place(host="localhost", port=server, tls=server_tls),
        )
        port: int = self._run(self._relay.open(door))
        return port

    def recorded(self, count: int) -> list[Recorded]:
        """The first exchanges, as soon as there are so many."""
        self._run(self._until(count))
        return self._recording.exchanges

    def finish(self) -> list[Recorded]:
        """Hang up; everything that was recorded."""
        self._run(self._relay.close())
        self._run(self._recording.finish())
        return self._recording.exchanges

    def stop(self) -> None:
        """End the thread."""
        self.finish()
        self._working.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    async def _until(self, count: int) -> None:
        while len(self._recording.exchanges) < count:
            await asyncio.sleep(0.005)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    running = Proxy()
    yield running
    running.stop()


Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer connections, each in a thread, with a function of the test; returns the port."""
    listening: list[socket.socket] = []

    def begin(answer: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)
        threading.Thread(target=_accept, args=(server, answer, tls), daemon=True).start()
        port: int = server.getsockname()[1]
        return port

    yield begin
    for each in listening:
        each.close()


def _accept(server: socket.socket, answer: Callable[[socket.socket], None], tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, answer, tls), daemon=True).start()


def _answer(connection: socket.socket, answer: Callable[[socket.socket], None], tls: ssl.SSLContext | None) -> None:
    with connection if tls is None else tls.wrap_socket(connection, server_side=True) as speaking:
        answer(speaking)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPKI:
    return development_pki(Path(tmp_path_factory.mktemp("pki")))
