"""A proxy before PostgreSQL that cuts a connection at a COMMIT, before the server hears of it or after it was done."""

import socket
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path

from sqlalchemy.engine import URL, make_url


class Cut(Enum):
    """Where the next COMMIT is cut. GONE: after it was done, and nobody is let in any more."""

    BEFORE = "before the server hears of it"
    AFTER = "after the server has done it"
    GONE = "after the server has done it, and it does not come back"


class CuttingProxy:
    """Listens on a loopback port for a server on a UNIX socket; ``next`` cuts one COMMIT. ``cuts`` counts them."""

    def __init__(self, url: str) -> None:
        self.next: Cut | None = None
        self.cuts = 0
        self._silence = threading.Event()
        self._server = make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> URL:
        """The database by way of the proxy."""
        port = self._listener.getsockname()[1]
        return self._server.set(host="127.0.0.1", port=port).difference_update_query(["host"])

    def fall_silent(self) -> None:
        """Give no answer any more to who is connected now, and keep them."""
        self._silence.set()
        self._silence = threading.Event()

    def close(self) -> None:
        """Let nobody in any more."""
        with suppress(OSError):  # it is closed already
            # A shutdown wakes the thread that accepts, which a close alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(Path(str(self._server.query["host"])) / ".s.PGSQL.5432"))
        except OSError:
            client.close()
            return
        threading.Thread(target=_pump, args=(server, client, self._silence), daemon=True).start()
        while sent := _received(client):
            if self.next and b"COMMIT" in sent:
                self._cut(sent, server, client)
                return
            _send(server, sent)
        server.close()

    def _cut(self, sent: bytes, server: socket.socket, client: socket.socket) -> None:
        cut, self.next = self.next, None
        self.cuts += 1
        if cut is Cut.GONE:
            self.close()
        client.shutdown(socket.SHUT_RDWR)
        if cut is not Cut.BEFORE:
            server.sendall(sent)
            # The server reads to the end of what it is sent before it notices that nobody is there.
        server.shutdown(socket.SHUT_WR)


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(65536)
    except OSError:
        return b""


def _pump(source: socket.socket, target: socket.socket, silence: threading.Event) -> None:
    while received := _received(source):
        if not silence.is_set():
            _send(target, received)
    target.close()


def _send(target: socket.socket, data: bytes) -> None:
    """Whoever has left hears nothing."""
    with suppress(OSError):
        target.sendall(data)
