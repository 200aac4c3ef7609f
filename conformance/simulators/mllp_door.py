"""Messages of HL7 v2 over MLLP (ITI TF-2: C.2.1), one after the other on each connection."""

import socket
from collections.abc import Callable
from socketserver import BaseRequestHandler
from typing import Any

from conformance.exchanges import Payload, Wire
from conformance.simulators.desk import Behaviour, Peer, Sending
from conformance.simulators.doors import Door, deliver, reset
from conformance.simulators.reading import Reader
from mllp.framing import Framer, Received, frame

CHUNK = 65536


def mllp_handler(behave: Behaviour, read: Reader) -> Callable[..., "MLLPHandler"]:
    """Makes the handlers of a door behind which ``behave`` answers what ``read`` understands."""

    def make(taken: tuple[socket.socket, Peer], address: Any, door: Door) -> MLLPHandler:
        return MLLPHandler(taken, address, door, behave, read)

    return make


class MLLPHandler(BaseRequestHandler):
    """One connection."""

    def __init__(
        self, taken: tuple[socket.socket, Peer], address: Any, door: Door, behave: Behaviour, read: Reader
    ) -> None:
        self._door = door
        self._behave = behave
        self._read = read
        self._connection, self._peer = taken
        self._framer = Framer()
        self._goes_on = True
        super().__init__(self._connection, address, door)

    def handle(self) -> None:
        """Answer until the client hangs up, or until a fault of the plan ends the connection."""
        rest = bytearray()
        while self._goes_on and (data := self._received()):
            rest += data
            for event in self._framer.feed(data):
                if isinstance(event, Received) and self._goes_on:
                    rest.clear()
                    self._answer(event.message)
        if self._framer.held and self._goes_on:
            why = f"the client broke off after {self._framer.held} bytes of a frame"
            self._door.desk.broke_off(Wire.MLLP, bytes(rest), self._peer, why)

    def _received(self) -> bytes:
        try:
            return self._connection.recv(CHUNK)
        except OSError:
            return b""

    def _answer(self, message: bytes) -> None:
        read = self._read(Payload(content=message))
        sending = self._door.desk.answer(Wire.MLLP, read, self._peer, self._behave)
        if sending.answer is None:
            self._goes_on = False
            if sending.reset:
                reset(self._connection)
            return
        self._send(sending, sending.answer)

    def _send(self, sending: Sending, answer: Payload) -> None:
        try:
            deliver(self._door, self._connection, frame(answer.content), sending.seconds, sending.pace)
        except OSError as error:
            self._goes_on = False
            self._door.desk.not_taken(sending, f"the client was gone: {error}")
