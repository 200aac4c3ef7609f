"""Audit records over syslog: TLS (RFC 5425) and UDP (RFC 5426), as an Audit Record Repository takes them (3.20)."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from socketserver import BaseRequestHandler
from typing import Any

from atna.framing import Framer, Received
from conformance.exchanges import Payload, Wire
from conformance.simulators.desk import Desk, Peer
from conformance.simulators.doors import POLL, Door, reset
from conformance.simulators.reading import Read, read_syslog

CHUNK = 65536


def silent(_: Read) -> Payload | None:
    """Syslog has no answers."""
    return None


def syslog_handler() -> Callable[..., "SyslogHandler"]:
    """Makes the handlers of a door for syslog over TLS, or over TCP in the clear."""
    return SyslogHandler


class SyslogHandler(BaseRequestHandler):
    """One connection."""

    def __init__(self, taken: tuple[socket.socket, Peer], address: Any, door: Door) -> None:
        self._door = door
        self._connection, self._peer = taken
        super().__init__(self._connection, address, door)

    def handle(self) -> None:
        """Take what comes until the sender takes its leave, or the plan cuts the connection."""
        framer = Framer()
        while data := self._received():
            for event in framer.feed(data):
                if not isinstance(event, Received):
                    why = "no frame of RFC 5425, or one that is too long"
                    self._door.desk.broke_off(Wire.SYSLOG, bytes(event.prefix), self._peer, why)
                    return
                if not self._goes_on(event.message):
                    return

    def _received(self) -> bytes:
        try:
            return self._connection.recv(CHUNK)
        except OSError:
            return b""

    def _goes_on(self, message: bytes) -> bool:
        read = read_syslog(Payload(content=message))
        sending = self._door.desk.answer(Wire.SYSLOG, read, self._peer, silent)
        if sending.reset:
            reset(self._connection)
        return not sending.reset


class DatagramDoor:
    """A port of UDP: each datagram is one record, and nobody is ever answered."""

    def __init__(self, host: str, port: int, desk: Desk) -> None:
        """Bind. OSError: the port is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.settimeout(POLL)
        self._desk = desk
        self._closing = threading.Event()
        self._serves = False
        self.port: int = self._socket.getsockname()[1]

    def open(self) -> None:
        """Take datagrams from now on."""
        self._serves = True
        threading.Thread(target=self._serve, daemon=True, name="syslog_udp").start()

    def close(self) -> None:
        """Take no more."""
        self._closing.set()
        if not self._serves:
            self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                data, sender = self._socket.recvfrom(CHUNK)
                peer = Peer(address=f"{sender[0]}:{sender[1]}", door="syslog_udp")
                self._desk.answer(Wire.SYSLOG, read_syslog(Payload(content=data)), peer, silent)
        self._socket.close()
