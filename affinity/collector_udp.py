"""Syslog over UDP to an Audit Record Repository (RFC 5426; ITI TF-2: 3.20.4.1.2.1.2)."""

import select
import socket
from collections.abc import Sequence
from time import monotonic

from affinity.client.connecting import explain_connection
from affinity.collectors import Lost, Parcel
from atna.framing import LARGEST_DATAGRAM, datagram

PAUSE = 0.1
"""Seconds in which the host of a collector that is not there says so, over UDP."""
BURST = 50
"""Datagrams sent without a pause: nothing but this keeps them from overflowing the receiver."""


class UDPCollector:
    """Syslog over UDP (RFC 5426): no connection, no back-pressure; a host may say that nobody listens, or not."""

    def __init__(self, host: str, port: int, largest: int = LARGEST_DATAGRAM) -> None:
        self._address = (host, port)
        self._largest = largest
        self._socket: socket.socket | None = None
        self._alive_at = float("-inf")
        self.cut = 0
        """How many messages did not fit into a datagram."""

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send a burst, see whether somebody complains, send the next."""
        for start in range(0, len(parcels), BURST):
            self._burst(parcels[start : start + BURST])

    def confirm(self) -> None:
        """Nothing more can be known."""

    def alive_at(self) -> float:
        """When something was last sent that nobody complained about."""
        return self._alive_at

    def hang_up(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def interrupt(self) -> None:
        """It waits for nothing."""

    def _burst(self, parcels: Sequence[Parcel]) -> None:
        try:
            connection = self._open()
            for each in parcels:
                self.cut += len(each.content) > self._largest
                connection.send(datagram(each.content, self._largest))
            complaint, _, _ = select.select([connection], [], [], PAUSE)
            if complaint:
                connection.recv(1)  # raises what the host has said
        except OSError as error:
            raise Lost(explain_connection(error)) from error
        self._alive_at = monotonic()

    def _open(self) -> socket.socket:
        if self._socket is None:
            family, kind, _, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            self._socket.connect(address)
        return self._socket
