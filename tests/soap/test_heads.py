"""A plain head is read in one go, and means what Twisted's parser finds in it; what is not plain is left to that."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource

from soap import heads
from soap.limits import SOAPLimits
from soap.site import SOAPSite

PEER = IPv4Address("TCP", "127.0.0.1", 50000)
HEAD = b"POST /xds HTTP/1.1\r\nHost: here\r\nAccept: a\r\nContent-Length: 5\r\naccept: b\r\nX-Own:  some thing \r\n\r\n"


class Kept:
    """A body in memory."""

    refused = None

    def __init__(self) -> None:
        self.body = b""

    def data(self, chunk: bytes) -> None:
        self.body += chunk

    def end(self, then: Callable[[], None]) -> None:
        then()

    def discard(self) -> None:
        pass


def tell(request: Any) -> None:
    """Answer with what was read."""
    fields = sorted(request.requestHeaders.getAllRawHeaders())
    body = request.reception.body if request.reception else None
    said = (request.method, request.uri, request.clientproto, dict(request.fields), fields, body)
    request.send(200, "text/plain", (repr(said).encode(),))
    request.finish()


def listening() -> SOAPSite:
    """A site that has read nothing."""

    def unexpected(*_: object) -> None:
        raise AssertionError("nothing is refused here but by HTTP")

    site = SOAPSite(Resource(), lambda *_: Kept(), unexpected, SOAPLimits(), Clock())  # type: ignore[arg-type,return-value]
    site.posts = {b"/xds": tell}
    return site


def connected(site: SOAPSite) -> tuple[Any, StringTransport]:
    """A new connection."""
    made, transport = site.buildProtocol(PEER), StringTransport(peerAddress=PEER)
    made.makeConnection(transport)
    return made, transport


def converse(site: SOAPSite, *segments: bytes) -> bytes:
    """What a connection answers to what arrives in these pieces, without its dates; nothing once it is closed."""
    made, transport = connected(site)
    for each in segments:
        if not transport.disconnecting:
            made.dataReceived(each)
            site.reactor.advance(0)
    return re.sub(rb"Date: [^\r]*", b"", transport.value()) + (b"closed" if transport.disconnecting else b"")


def by_lines(*segments: bytes) -> bytes:
    """The same, of Twisted's parser alone."""
    site = listening()
    site.buildProtocol = lambda address: unplain(SOAPSite.buildProtocol(site, address))  # type: ignore[method-assign]
    return converse(site, *segments)


def unplain(made: Any) -> Any:
    """A connection on which no head is taken for plain."""
    made._waits_for_request = lambda: False
    return made


@pytest.mark.parametrize("length", [5, 4, 1])
def test_a_plain_head_is_read_as_twisted_reads_it(length: int) -> None:
    request = HEAD.replace(b"5", b"%d" % length) + b"hello"[:length]
    answer = converse(listening(), request)
    assert answer == by_lines(request)
    assert b"b'Accept', [b'a', b'b']" in answer and answer.endswith(b"b'%b')" % b"hello"[:length])


def test_none_of_its_lines_is_read_by_itself() -> None:
    made, transport = connected(listening())
    lines: list[bytes] = []
    made.lineReceived = lines.append
    made.dataReceived(HEAD + b"hello")
    made.dataReceived(HEAD.replace(b"here", b"there") + b"world")
    assert (lines, transport.value().count(b"200 OK")) == ([], 2)
    made.dataReceived(HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello")
    assert lines[:2] == [b"POST /xds HTTP/1.0", b"Host: here"]


@pytest.mark.parametrize(
    "changed",
    [
        HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"),
        HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HEAD.replace(b"5\r\n", b"5\r\n 0\r\n"),
        HEAD.replace(b": 5", b": +5"),
        HEAD.replace(b": 5", b": 5, 5"),
        HEAD.replace(b"Accept: a", b"Acc ept: a"),
        HEAD.replace(b"Accept: a", b"Accept: \0"),
        HEAD.replace(b"Accept: a", b"Accept"),
        HEAD.replace(b"HTTP/1.1", b"HTTP/7"),
    ],
)
def test_a_head_that_must_be_refused_is_refused(changed: bytes) -> None:
    answer = converse(listening(), changed + b"hello")
    assert answer == by_lines(changed + b"hello")
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b"closed")


@pytest.mark.parametrize(
    "changed",
    [
        HEAD.replace(b"POST", b"GET"),
        HEAD.replace(b"/xds", b"/other"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD.replace(b": 5", b": 0"),
        HEAD.replace(b": 5", b": 05"),
        HEAD.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        HEAD.replace(b": a", b": a\r\n folded"),
        HEAD.replace(b"here", b"h" * heads.LONGEST),
        HEAD.replace(b"Accept: a", b"\r\n".join([b"X: y"] * heads.MOST)),
        HEAD[:-2],
        HEAD + b"hello" + HEAD,
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(changed: bytes) -> None:
    assert heads.read(HEAD + b"hello", {b"/xds"}) is not None
    assert heads.read(changed, {b"/xds"}) is None


@pytest.mark.parametrize("head", [HEAD, HEAD.replace(b": 5", b": 0"), HEAD.replace(b"1.1", b"1.0")])
@pytest.mark.parametrize("cut", [1, 30, len(HEAD) - 2, len(HEAD), len(HEAD) + 1, 2 * len(HEAD) + 3])
def test_however_it_arrives_every_request_is_answered_in_turn(head: bytes, cut: int) -> None:
    sent = 3 * (head + b"hello"[: 0 if b": 0" in head else 5])
    pieces = [sent[start : start + cut] for start in range(0, len(sent), cut)]
    answers = converse(listening(), *pieces)
    assert answers == by_lines(*pieces)
    assert answers.count(b"200 OK") == (3 if b"1.1" in head else 1)


def test_who_closes_after_an_answer_reads_nothing_more() -> None:
    closing = HEAD.replace(b"Accept: a", b"Connection: close") + b"hello"
    answer = converse(listening(), closing, closing)
    assert answer == by_lines(closing)
    assert b"Connection: close" in answer
