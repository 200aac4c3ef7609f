"""The doors of a simulator, opened and closed together, and what answers behind each."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from socketserver import BaseRequestHandler
from types import TracebackType
from typing import Self

from conformance.exchanges import Payload
from conformance.simulators.certificates import Certificates
from conformance.simulators.consumer import told_by_message, told_by_soap
from conformance.simulators.desk import Desk
from conformance.simulators.doors import Address, Door
from conformance.simulators.http_door import http_handler
from conformance.simulators.mllp_door import mllp_handler
from conformance.simulators.node import BackingNode
from conformance.simulators.reading import Read, read_hl7, read_http, read_notification, read_told
from conformance.simulators.refusing import http_answer
from conformance.simulators.syslog_doors import DatagramDoor, syslog_handler
from tls.files import TLS

CONSUMER_PATH = "/pix-consumer"


class DoorName(StrEnum):
    """Every port that a simulator may open."""

    HTTP = "http"
    HTTPS = "https"
    EXPIRED = "https_expired"
    """Shows a certificate that is over: a client does not send."""
    STRANGER = "https_stranger"
    """Shows a certificate of an authority that nobody told the client to trust."""
    MLLP = "mllp"
    MLLPS = "mllps"
    CONSUMER = "consumer_mllp"
    """A PIX Consumer is told here over MLLP."""
    SYSLOGS = "syslogs"
    SYSLOG_UDP = "syslog_udp"


SECURED = frozenset({DoorName.HTTPS, DoorName.EXPIRED, DoorName.STRANGER, DoorName.MLLPS, DoorName.SYSLOGS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a simulator listens. ``ports`` of doors that are not named are any free ones.

    ``demands``: a client must show a certificate wherever there is TLS.
    """

    doors: frozenset[DoorName]
    host: str = "127.0.0.1"
    ports: tuple[tuple[DoorName, int], ...] = ()
    demands: bool = True

    def port(self, name: DoorName) -> int:
        """The port that was asked for; 0: any free one."""
        return dict(self.ports).get(name, 0)


class Simulator:
    """Open from its making until ``close``. OSError names a port that is taken."""

    def __init__(self, listening: Listening, desk: Desk, certificates: Certificates) -> None:
        self.desk = desk
        self.node: BackingNode | None = None
        self._listening = listening
        self._certificates = certificates
        self._doors: dict[DoorName, Door | DatagramDoor] = {}
        with ExitStack() as undone:
            for name in sorted(listening.doors):
                self._doors[name] = self._bind(name)
                undone.callback(self._doors[name].close)
            undone.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @property
    def ports(self) -> dict[str, int]:
        """Where it listens, by the names of the doors."""
        return {name.value: door.port for name, door in self._doors.items()}

    def open(self, node: BackingNode | None) -> None:
        """Answer from now on; ``node`` is who answers what is not simulated here."""
        self.node = node
        for door in self._doors.values():
            door.open()

    def close(self) -> None:
        """Close every door."""
        for door in self._doors.values():
            door.close()

    def _bind(self, name: DoorName) -> Door | DatagramDoor:
        host, port = self._listening.host, self._listening.port(name)
        if name is DoorName.SYSLOG_UDP:
            return DatagramDoor(host, port, self.desk)
        tls = self._tls(name) if name in SECURED else None
        address = Address(name=name.value, host=host, port=port, tls=tls, demands=self._listening.demands)
        return Door(address, self.desk, self._handler(name))

    def _tls(self, name: DoorName) -> TLS:
        shown = {DoorName.EXPIRED: self._certificates.expired, DoorName.STRANGER: self._certificates.stranger}
        return shown.get(name, self._certificates.valid)

    def _handler(self, name: DoorName) -> Callable[..., BaseRequestHandler]:
        if name in (DoorName.MLLP, DoorName.MLLPS):
            return mllp_handler(self._mllp, read_hl7)
        if name is DoorName.CONSUMER:
            return mllp_handler(told_by_message, read_notification)
        return syslog_handler() if name is DoorName.SYSLOGS else http_handler(self._http, read_by_path)

    def _http(self, read: Read) -> Payload | None:
        if is_for_a_consumer(read.payload):
            return told_by_soap(read)
        return self.node.http(read) if self.node is not None else nobody(read)

    def _mllp(self, read: Read) -> Payload | None:
        return self.node.mllp(read) if self.node is not None else told_by_message(read)


def is_for_a_consumer(request: Payload) -> bool:
    """Claim that a request goes to the PIX Consumer."""
    return request.start_line.partition(" ")[2].startswith(CONSUMER_PATH)


def read_by_path(request: Payload) -> Read:
    """A request of HTTP, as the actor understands it that its path names."""
    return read_told(request) if is_for_a_consumer(request) else read_http(request)


def nobody(_: Read) -> Payload:
    """Nothing is found below this path."""
    return http_answer(404, "text/plain", b"nobody answers here; see what the simulator printed when it started\n")
