"""The floor: what a Python process must do for ITI-18 at the very least. One socket, one lxml parse, one splice.

It checks nothing and answers everybody alike: no server of any use can be cheaper. ``python -m benchmarks.floor FILE``
with an AdhocQueryResponse prints its port and serves one connection after another until it is ended.
"""

import socket
import sys
from pathlib import Path

from lxml import etree

from benchmarks.fragments import Prepared, load

ENVELOPE = (
    b'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>',
    b"</soap:Body></soap:Envelope>",
)


def serve(listener: socket.socket, prepared: Prepared) -> None:
    """Answer for ever."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while answer(connection, prepared):
                pass


def answer(connection: socket.socket, prepared: Prepared) -> bool:
    """Read one request with Content-Length and answer it; False when the client has gone."""
    received = b""
    while (head := received.find(b"\r\n\r\n")) < 0 or len(received) < head + 4 + _length(received[:head]):
        data = connection.recv(65536)
        if not data:
            return False
        received += data
    etree.fromstring(received[head + 4 :])
    pieces = (ENVELOPE[0], *prepared.splice(), ENVELOPE[1])
    header = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n"
    connection.sendall(b"".join((header % sum(map(len, pieces)), *pieces)))
    return True


def _length(head: bytes) -> int:
    name = b"Content-Length: "
    start = head.index(name) + len(name)
    end = head.find(b"\r", start)
    return int(head[start : end if end >= 0 else None])


if __name__ == "__main__":
    bound = socket.create_server(("127.0.0.1", 0))
    print(bound.getsockname()[1], flush=True)
    serve(bound, load(Path(sys.argv[1])))
