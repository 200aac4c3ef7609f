"""An answer is offered to the socket at once, and nothing overtakes what it does not take; who is idle is cut off."""

import weakref
from typing import Any

import pytest
from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from soap.channel import SOAPChannel
from soap.limits import SOAPLimits
from soap.site import SOAPSite


class Socket(FileDescriptor):  # type: ignore[misc]
    """Takes so many bytes, and then no more; ``room`` None is a connection that is lost."""

    def __init__(self, room: int | None) -> None:
        super().__init__(MemoryReactor())
        self.connected = 1
        self.room = room
        self.taken = b""

    def writeSomeData(self, data: Any) -> Any:
        if self.room is None:
            return CONNECTION_LOST
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.taken += taken
        return len(taken)

    @property
    def waits(self) -> bool:
        return bool(self.reactor.getWriters())


def channel(room: int | None) -> tuple[SOAPChannel, Socket]:
    made, transport = SOAPChannel(), Socket(room)
    made.transport = transport
    return made, transport


def test_what_the_system_takes_needs_no_reactor() -> None:
    made, transport = channel(room=100)
    made.send(b"first")
    made.send(b"second")
    assert (transport.taken, transport.waits) == (b"firstsecond", False)


def test_what_it_does_not_take_is_sent_later_and_in_order() -> None:
    made, transport = channel(room=3)
    made.send(b"first")
    assert (transport.taken, transport.waits) == (b"fir", True)
    transport.room = 2
    made.send(b"second")
    assert transport.taken == b"first"
    transport.room = 100
    transport.doWrite()
    assert (transport.taken, transport.waits) == (b"firstsecond", False)


def test_an_answer_that_is_longer_than_one_send_is_not_copied_by_halves() -> None:
    made, transport = channel(room=10_000_000)
    data = bytes(range(256)) * 10_000
    made.send(data)
    while transport.waits:
        transport.doWrite()
    assert transport.taken == data


def test_a_connection_that_is_lost_is_found_by_the_reactor() -> None:
    made, transport = channel(room=None)
    made.send(b"first")
    assert transport.waits


@pytest.mark.parametrize("state", ["disconnecting", "disconnected"])
def test_a_connection_that_is_closed_or_about_to_be_gets_nothing_out_of_turn(state: str) -> None:
    made, transport = channel(room=100)
    if state == "disconnecting":
        transport.disconnecting = True
    else:
        transport.connected = 0
    made.send(b"first")
    assert transport.taken == b""


PEER = IPv4Address("TCP", "127.0.0.1", 50000)


def connected(clock: Clock) -> tuple[Any, StringTransport]:
    """A connection that may be idle for a minute."""

    def never(*_: object) -> Any:
        raise AssertionError("no request is complete")

    site = SOAPSite(Resource(), never, never, SOAPLimits(idle=60, grace=10_000), clock)
    made, transport = site.buildProtocol(PEER), StringTransport(peerAddress=PEER)
    made.makeConnection(transport)
    return made, transport


def test_a_connection_without_a_request_is_closed_after_a_while() -> None:
    clock = Clock()
    _, transport = connected(clock)
    clock.advance(59)
    assert not transport.disconnecting
    clock.advance(1)
    assert transport.disconnecting


def test_each_sign_of_life_begins_the_while_anew() -> None:
    clock = Clock()
    made, transport = connected(clock)
    for byte in b"GET / HTTP":
        clock.advance(50)
        made.dataReceived(bytes([byte]))
    assert not transport.disconnecting
    clock.advance(59)
    assert not transport.disconnecting
    clock.advance(1)
    assert transport.disconnecting


def test_who_waits_for_us_is_not_idle_until_answered() -> None:
    clock = Clock()
    made, transport = connected(clock)
    clock.advance(30)
    assert made.setTimeout(None) == 60
    clock.advance(1000)
    assert not transport.disconnecting
    made.setTimeout(60)
    clock.advance(59)
    assert not transport.disconnecting
    clock.advance(1)
    assert transport.disconnecting


def test_a_connection_that_ends_leaves_no_clock_behind() -> None:
    clock = Clock()
    made, _ = connected(clock)
    made.connectionLost(Failure(CONNECTION_LOST))
    assert clock.getDelayedCalls() == []


def test_a_body_that_breaks_off_is_freed_at_once() -> None:
    """A connection is a circle, and garbage is looked for seldom: what was received shall not wait for that."""

    class Body:
        refused = None

        def data(self, chunk: bytes) -> None:
            pass

        def discard(self) -> None:
            pass

    received: list[weakref.ref[Body]] = []

    def receive(*_: object) -> Body:
        body = Body()
        received.append(weakref.ref(body))
        return body

    clock = Clock()
    made, _ = connected(clock)
    made.site.receive = receive
    made.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
    made.connectionLost(Failure(CONNECTION_LOST))
    assert [each() for each in received] == [None]


class Whole:
    """What was received of a request."""

    refused = None

    def data(self, chunk: bytes) -> None:
        pass

    def discard(self) -> None:
        pass


@pytest.mark.parametrize(("seconds", "left"), [(1, False), (3, True)])
def test_who_ends_its_side_long_after_its_request_has_lost_patience(seconds: float, left: bool) -> None:
    clock = Clock()
    made, transport = connected(clock)
    asked: list[Any] = []
    made.site.receive, made.site.posts = lambda *_, **__: Whole(), {b"/": asked.append}
    made.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n.")
    clock.advance(seconds)
    made.readConnectionLost()
    assert (len(asked), transport.disconnecting) == (1, left)
    if not left:
        asked[0].finish()
        assert transport.disconnecting
    made.connectionLost(Failure(CONNECTION_LOST))
    assert clock.getDelayedCalls() == []


def test_an_idle_connection_is_kept_for_a_moment_when_the_server_drains() -> None:
    clock = Clock()
    made, transport = connected(clock)
    made.site.drain()
    clock.advance(0.9)
    assert not transport.disconnecting
    clock.advance(0.2)
    assert transport.disconnecting


def test_requests_that_came_together_are_answered_in_turn_and_while_the_peer_takes_answers() -> None:
    clock = Clock()
    made, transport = connected(clock)

    def answers() -> int:
        return transport.value().count(b"HTTP/1.1 404")

    made.dataReceived(b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n" * 4)
    assert answers() == 1, "the turn of other connections"
    made.pauseProducing()
    clock.advance(1)
    assert answers() == 1, "the peer does not take them"
    made.resumeProducing()
    clock.advance(0)
    assert answers() == 4
    made.dataReceived(b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n")
    assert answers() == 5


def test_a_connection_that_ends_between_two_requests_leaves_nothing_behind() -> None:
    clock = Clock()
    made, transport = connected(clock)
    made.dataReceived(b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n" * 2)
    made.connectionLost(Failure(ConnectionDone()))
    assert clock.getDelayedCalls() == [] and transport.value().count(b"HTTP/1.1 404") == 1
