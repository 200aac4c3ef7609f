"""A relay before PostgreSQL that counts what a node says to it, as the server acknowledges it.

It reads the server's messages (PostgreSQL's documentation, "Message Formats"): each CommandComplete is a statement
that ran, BEGIN and COMMIT included, each ReadyForQuery an exchange that the node waited for, but for those of ROLLBACK.
"""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

COMMAND_COMPLETE, READY_FOR_QUERY = b"C"[0], b"Z"[0]
ROLLED_BACK = b"C\0\0\0\rROLLBACK\0"
"""A node does not wait for it (``statements.straight``)."""
HEAD = 5
"""Bytes of a message's type and length; the length counts itself, and not the type."""
CHUNK = 65536


class Relay:
    """Listens on a loopback port for a server on a UNIX socket. ``statements`` and ``exchanges`` only grow."""

    def __init__(self, url: str) -> None:
        server = make_url(url)
        self._socket = str(Path(str(server.query["host"])) / f".s.PGSQL.{server.port or 5432}")
        self._listener = socket.create_server(("127.0.0.1", 0))
        plain = server.set(host="127.0.0.1", port=self._listener.getsockname()[1]).difference_update_query(["host"])
        self.url = plain.update_query_dict({"sslmode": "disable", "gssencmode": "disable"}).render_as_string(False)
        """The database by way of the relay."""
        self.statements = self.exchanges = 0
        self._guard = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._socket)
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        unread = b""
        while received := _received(server):
            unread = self._count(unread + received)  # before anybody can act on it
            with suppress(OSError):
                client.sendall(received)
        client.close()

    def _count(self, messages: bytes) -> bytes:
        """Count whole messages; what is left is the beginning of the next."""
        place = 0
        while (end := _end(messages, place)) <= len(messages):
            with self._guard:
                self.statements += messages[place] == COMMAND_COMPLETE
                self.exchanges += messages[place] == READY_FOR_QUERY
                self.exchanges -= messages.startswith(ROLLED_BACK, place)
            place = end
        return messages[place:]


def _end(messages: bytes, place: int) -> int:
    """Where the message ends that begins there; beyond everything while its length is not known."""
    if len(messages) < place + HEAD:
        return len(messages) + 1
    return place + 1 + int.from_bytes(messages[place + 1 : place + HEAD])


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    while received := _received(client):
        with suppress(OSError):
            server.sendall(received)
    server.close()


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(CHUNK)
    except OSError:
        return b""
