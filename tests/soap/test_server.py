"""The SOAP server over real sockets: good messages are answered, wrong ones get a sentence, nothing is left behind."""

import base64
import hashlib
import os
import re
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from lxml.etree import _Element
from twisted.internet.defer import Deferred

from ihe.exchange import OutgoingPart
from ihe.transactions import SOAPBinding
from soap.client import FaultReceived, SOAPClient
from soap.limits import SOAPLimits
from soap.site import RESERVE
from soap.xml import parse

Spell = Callable[..., bytes]
SOAP = "application/soap+xml; charset=UTF-8"
MTOM = 'multipart/related; boundary="B"; type="application/xop+xml"'
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> _Element:
        return parse(self.body)

    @property
    def text(self) -> str:
        return str(self.xml.xpath("string()"))


@pytest.fixture
def connection(server: Any) -> Iterator[HTTPConnection]:
    opened = HTTPConnection("localhost", server.port, timeout=20)
    yield opened
    opened.close()


def ask(
    connection: HTTPConnection, path: str, body: Any = None, content_type: str = SOAP, method: str = "POST", **more: str
) -> Answer:
    headers = {"Content-Type": content_type} if content_type else {}
    connection.request(method, path, body, headers | {name.replace("_", "-"): value for name, value in more.items()})
    response = connection.getresponse()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def test_a_query_is_answered_on_a_connection_that_is_kept(
    connection: HTTPConnection, server: Any, query_envelope: Spell
) -> None:
    for number in range(3):
        answer = ask(connection, "/xds/registry", query_envelope(message_id=f"urn:uuid:{number}"))
        assert answer.status == 200
        assert answer.headers["content-type"] == (
            'application/soap+xml; charset=UTF-8; action="urn:ihe:iti:2007:RegistryStoredQueryResponse"'
        )
        header = answer.xml[0]
        assert header.findtext("{*}Action") == "urn:ihe:iti:2007:RegistryStoredQueryResponse"
        assert header.findtext("{*}RelatesTo") == f"urn:uuid:{number}"
        assert answer.xml[1][0].get("requestId") == f"urn:uuid:{number}"
    _, context = server.repository.requests[-1]
    assert (context.connection.peer, context.connection.certificate) == ("127.0.0.1", None)
    assert context.endpoint == "/xds/registry"


def test_who_asks_is_what_the_socket_says(connection: HTTPConnection, server: Any, query_envelope: Spell) -> None:
    ask(connection, "/xds/registry", query_envelope(), X_Forwarded_For="10.9.8.7", Forwarded="for=10.9.8.7")
    assert server.repository.requests[-1][1].connection.peer == "127.0.0.1"


def test_a_trace_that_is_named_once_is_known(connection: HTTPConnection, server: Any, query_envelope: Spell) -> None:
    named = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ask(connection, "/xds/registry", query_envelope(), traceparent=named)
    assert server.repository.requests[-1][1].traceparent == named
    ask(connection, "/xds/registry", query_envelope())
    assert server.repository.requests[-1][1].traceparent is None


def test_the_action_of_the_content_type_is_ignored(connection: HTTPConnection, query_envelope: Spell) -> None:
    """ITI TF-2: V.3.2.1.3: "SOAP message consumers shall ignore any soapAction value found in a SOAP message"."""
    assert ask(connection, "/xds/registry", query_envelope(), f'{SOAP}; action="urn:other"').status == 200


def test_a_wide_charset_is_read(connection: HTTPConnection, query_envelope: Spell) -> None:
    wide = query_envelope().decode().encode("utf-16")
    assert ask(connection, "/xds/registry", wide, "application/soap+xml; charset=utf-16").status == 200


DOCUMENTS = [b"", b"text ending in a line end\r\n", b"\x00\xff" * 5, os.urandom(300_000)]


def outgoing(number: int, content: bytes) -> OutgoingPart:
    return OutgoingPart(
        content_id=f"d{number}@x", media_type="application/pdf", size=len(content), chunks=lambda: iter((content,))
    )


@pytest.mark.parametrize("kind", ["xop", "inline", "mixed"])
def test_documents_go_there_and_back_byte_for_byte(
    server: Any, provide: SOAPBinding, submission: Callable[..., str], kind: str
) -> None:
    xop = {"xop": DOCUMENTS, "inline": [], "mixed": DOCUMENTS[:2]}[kind]
    inline = {"xop": [], "inline": DOCUMENTS[3:], "mixed": DOCUMENTS[3:]}[kind]
    body = submission(
        [f"cid:d{n}%40x" for n in range(len(xop))], [base64.encodebytes(content).decode() for content in inline]
    )
    client: SOAPClient = server.client("/xds/repository", spool=server.spool)
    answer = client.call(provide, [body.encode()], parts=[outgoing(n, content) for n, content in enumerate(xop)])
    assert [Path(part.spooled).read_bytes() for part in answer.parts.values()] == [*xop, *inline]
    request, _ = server.repository.requests[-1]
    assert [part.sha256 for part in request.parts.values()] == [
        hashlib.sha256(content).hexdigest() for content in [*xop, *inline]
    ]
    while len(server.spool.left) > len(answer.parts):  # what the server spooled is thrown away after the answer
        server.node.settle()


def test_a_submission_without_documents_is_answered_in_mtom_too(
    connection: HTTPConnection, envelope: Spell, provide: SOAPBinding, submission: Callable[..., str]
) -> None:
    """ITI TF-2: 3.41.4.2.2: "in MTOM/XOP format, even though there is no base64Binary content included"."""
    message = mtom(envelope(provide.action, submission([])))
    answer = ask(connection, "/xds/repository", message, MTOM)
    assert (answer.status, answer.headers["content-type"][:18]) == (200, "multipart/related;")
    assert int(answer.headers["content-length"]) == len(answer.body)


def mtom(envelope: bytes, *parts: bytes) -> bytes:
    root = b"--B\r\nContent-Type: application/xop+xml; charset=UTF-8\r\n\r\n" + envelope
    more = b"".join(b"\r\n--B\r\nContent-ID: <p%d@x>\r\n\r\n%b" % (n, part) for n, part in enumerate(parts))
    return root + more + b"\r\n--B--"


def test_mtom_is_accepted_where_it_is_not_asked_for_and_answered_simply(
    connection: HTTPConnection, query_envelope: Spell
) -> None:
    answer = ask(connection, "/xds/registry", mtom(query_envelope()), MTOM)
    assert (answer.status, answer.headers["content-type"][:20]) == (200, "application/soap+xml")


def test_without_mtom_where_the_profile_demands_it_a_sentence_says_so(
    connection: HTTPConnection, envelope: Spell, provide: SOAPBinding, submission: Callable[..., str]
) -> None:
    answer = ask(connection, "/xds/repository", envelope(provide.action, submission([])))
    assert answer.status == 400
    assert "Provide and Register Document Set-b [ITI-41] must be sent in MTOM/XOP format" in answer.text


@pytest.mark.parametrize(
    ("old", "new", "status", "words"),
    [
        (b"RegistryStoredQuery<", b"Nothing<", 400, "is not offered here; this endpoint takes urn:ihe:iti:2007:Regis"),
        (b"AdhocQueryRequest", b"AdhocQuestion", 400, "goes with a body"),
        (b"<a:MessageID>", b'<x:H xmlns:x="urn:x" s:mustUnderstand="1"/><a:MessageID>', 500, "{urn:x}H"),
        (b"<s:Envelope", b"<!DOCTYPE s:Envelope><s:Envelope", 400, "DTD"),
        (b"</s:Body>", b"", 400, "not well-formed"),
        (b"urn:uuid:1", b"\xff", 400, "encoding"),
        (b"<s:Body>", b"<s:Body>" + b"<a>" * 300, 400, "depth"),
        (
            b"AdhocQueryRequest",
            b"AdhocQueryRequest " + b" ".join(b'a%d=""' % n for n in range(9000)),
            400,
            "attributes",
        ),
        (b"AdhocQueryRequest", b'AdhocQueryRequest please="refuse"', 400, "The token was refused"),
    ],
)
def test_a_wrong_message_gets_a_fault_that_relates_to_it(
    connection: HTTPConnection, query_envelope: Spell, old: bytes, new: bytes, status: int, words: str
) -> None:
    answer = ask(connection, "/xds/registry", query_envelope().replace(old, new, 1))
    assert (answer.status, words in answer.text) == (status, True), answer.text
    fault = answer.xml[1][0]
    assert fault.tag == "{http://www.w3.org/2003/05/soap-envelope}Fault"
    assert ask(connection, "/xds/registry", query_envelope()).status == 200, "the connection goes on"


def test_the_fault_of_a_security_check_reaches_the_sender_with_its_subcode(
    connection: HTTPConnection, query_envelope: Spell
) -> None:
    request = query_envelope().replace(b"AdhocQueryRequest", b'AdhocQueryRequest please="refuse"', 1)
    value = ask(connection, "/xds/registry", request).xml.find(".//{*}Subcode/{*}Value")
    assert value is not None
    prefix, _, name = (value.text or "").partition(":")
    assert (value.nsmap[prefix], name) == (WSSE, "InvalidSecurityToken")


def test_what_nobody_foresaw_is_answered_with_a_number_and_no_detail(
    connection: HTTPConnection, server: Any, query_envelope: Spell
) -> None:
    request = query_envelope().replace(b"AdhocQueryRequest", b'AdhocQueryRequest please="fail"', 1)
    answer = ask(connection, "/xds/registry", request)
    assert answer.status == 500
    assert "Jane Doe" not in answer.text
    assert server.repository.requests[-1][1].correlation_id in answer.text
    assert answer.xml.findtext(".//{*}RelatesTo") == "urn:uuid:1"


@pytest.mark.parametrize(
    ("content_type", "more", "status", "words"),
    [
        ("application/json", {}, 415, "application/json"),
        ("", {}, 415, "no media type"),
        ('multipart/related; type="text/xml"; boundary=B', {}, 415, "SOAP with Attachments"),
        (SOAP, {"Content_Encoding": "gzip"}, 415, "gzip"),
    ],
)
def test_a_package_that_is_not_taken_is_refused_by_name(
    connection: HTTPConnection, query_envelope: Spell, content_type: str, more: dict[str, str], status: int, words: str
) -> None:
    answer = ask(connection, "/xds/registry", query_envelope(), content_type, **more)
    assert (answer.status, words in answer.text) == (status, True)
    assert ask(connection, "/xds/registry", query_envelope()).status == 200


@pytest.mark.parametrize("announced", ["text/xml", SOAP])
def test_soap_11_gets_version_mismatch_in_soap_11(
    connection: HTTPConnection, query_envelope: Spell, announced: str
) -> None:
    old = query_envelope().replace(b"www.w3.org/2003/05/soap-envelope", b"schemas.xmlsoap.org/soap/envelope/")
    answer = ask(connection, "/xds/registry", old, announced)
    assert (answer.status, answer.headers["content-type"]) == (500, "text/xml; charset=UTF-8")
    assert answer.xml.findtext(".//faultcode") == "env:VersionMismatch"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_what_is_offered(connection: HTTPConnection, method: str) -> None:
    answer = ask(connection, "/xds/registry", method=method, content_type="")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, GET")
    assert (b"POST" in answer.body) is (method != "HEAD")


def test_a_post_without_body_is_told_that_one_is_needed(connection: HTTPConnection) -> None:
    answer = ask(connection, "/xds/registry", b"")
    assert (answer.status, "no body" in answer.text) == (400, True)


def test_other_resources_are_served_beside(connection: HTTPConnection) -> None:
    assert ask(connection, "/health/live", method="GET", content_type="").body == b"alive"
    assert ask(connection, "/nowhere", b"x").status == 404


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"", "breaks off before its last boundary"),
        (b"\r\n--C--", "breaks off before its last boundary"),
        (b"\r\n--B\r\n\r\nx\r\n--B--", "no Content-ID"),
    ],
)
def test_a_damaged_package_is_refused_and_its_parts_are_thrown_away(
    connection: HTTPConnection, server: Any, query_envelope: Spell, tail: bytes, words: str
) -> None:
    message = mtom(query_envelope(), b"x" * 200_000).removesuffix(b"\r\n--B--") + tail
    answer = ask(connection, "/xds/repository", message, MTOM)
    assert (answer.status, words in answer.text) == (400, True)
    assert ask(connection, "/xds/registry", query_envelope()).status == 200
    server.node.settle()
    assert (server.spool.made, server.spool.left) == (1, [])


def test_a_boundary_that_does_not_occur_is_told(connection: HTTPConnection, query_envelope: Spell) -> None:
    answer = ask(connection, "/xds/repository", mtom(query_envelope()), MTOM.replace('"B"', '"C"'))
    assert (answer.status, "The boundary --C of the Content-Type was not found" in answer.text) == (400, True)
    assert "the message begins with --B" in answer.text


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_over_the_cap_is_refused_with_413(
    serve: Callable[..., Any], query_envelope: Spell, *, chunked: bool
) -> None:
    server = serve(SOAPLimits(body=50_000))
    message = mtom(query_envelope(), b"x" * 3_000_000)
    chunks = iter([message[n : n + 65_536] for n in range(0, len(message), 65_536)])
    connection = HTTPConnection("localhost", server.port, timeout=20)
    answer = ask(connection, "/xds/repository", chunks if chunked else message, MTOM)
    assert (answer.status, "larger than the 50000 bytes" in answer.text) == (413, True)
    assert ask(connection, "/xds/registry", query_envelope()).status == 200, "the rest was read past"
    connection.close()
    server.node.settle()
    assert server.spool.left == []


def test_a_document_that_cannot_be_read_to_its_end_cuts_the_connection(
    connection: HTTPConnection, envelope: Spell, provide: SOAPBinding, submission: Callable[..., str]
) -> None:
    """The length is promised already: a shorter answer must not look complete."""
    body = submission([]).replace(" xmlns:x", ' please="break" xmlns:x', 1)
    with pytest.raises((IncompleteRead, ConnectionResetError)):
        ask(connection, "/xds/repository", mtom(envelope(provide.action, body)), MTOM)


def test_a_document_that_is_at_hand_needs_no_other_thread(
    connection: HTTPConnection, envelope: Spell, provide: SOAPBinding, submission: Callable[..., str]
) -> None:
    body = submission([]).replace(" xmlns:x", ' please="at hand" xmlns:x', 1)
    answer = ask(connection, "/xds/repository", mtom(envelope(provide.action, body)), MTOM)
    assert b"Content-ID: <d@x>\r\n\r\nsame\r\n--" in answer.body


def raw(server: Any, data: bytes) -> socket.socket:
    opened = socket.create_connection(("localhost", server.port), timeout=20)
    opened.sendall(data)
    return opened


def post(body: bytes, path: str = "/xds/registry", version: str = "HTTP/1.1", more: str = "") -> bytes:
    head = f"POST {path} {version}\r\nHost: x\r\nContent-Type: {SOAP}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize("path", ["/xds/registry", "/xds/%72egistry", "/xds/registry/below?x"])
@pytest.mark.parametrize(
    ("version", "more"),
    [("HTTP/1.0", ""), ("HTTP/1.0", "Connection: keep-alive\r\n"), ("HTTP/1.1", "Connection: close\r\n")],
)
def test_the_head_of_an_answer_is_complete_and_each_header_stands_once(
    server: Any, query_envelope: Spell, path: str, version: str, more: str
) -> None:
    """RFC 9110: 6.6.1 asks for a Date; RFC 9112: 9.6 closes the connection that is not to be kept."""
    with raw(server, post(query_envelope(), path, version, more)) as opened:
        head, _, body = opened.makefile("rb").read().partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert status == f"{version} 200 OK"
    asked_to_close = {"Connection"} if "close" in more else set()
    assert set(headers) == {"Server", "Date", "Content-Type", "Content-Length"} | asked_to_close
    assert len(headers) == len(lines)
    assert int(headers["Content-Length"]) == len(body)
    sent = parsedate_to_datetime(headers["Date"])
    assert abs((sent - datetime.now(UTC)).total_seconds()) < 60


def test_the_head_of_a_refusal_is_complete_too(server: Any) -> None:
    with raw(server, post(b"x", more="Connection: close\r\n").replace(SOAP.encode(), b"text/html", 1)) as opened:
        head = opened.makefile("rb").read().partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 415 Unsupported Media Type\r\n")
    assert (head.count(b"\r\nDate: "), head.count(b"\r\nConnection: close")) == (1, 1)


def test_requests_that_come_together_are_answered_in_turn(server: Any, query_envelope: Spell) -> None:
    numbers = [f"urn:uuid:{number}" for number in range(20)]
    last = post(query_envelope(message_id="urn:uuid:20"), more="Connection: close\r\n")
    with raw(server, b"".join(post(query_envelope(message_id=each)) for each in numbers) + last) as opened:
        answers = opened.makefile("rb").read()
    found = re.findall(rb"<wsa:RelatesTo>(.*?)</wsa:RelatesTo>", answers)
    assert found == [each.encode() for each in [*numbers, "urn:uuid:20"]]


def test_who_leaves_before_the_work_begins_is_not_answered(server: Any, query_envelope: Spell) -> None:
    """They cannot learn the outcome, and will send again."""
    held: list[Callable[[], object]] = []

    def hold(work: Callable[[], object]) -> "Deferred[object]":
        waiting: Deferred[object] = Deferred()
        held.append(lambda: waiting.callback(work()))
        return waiting

    server.site.defer = hold
    opened = raw(server, post(query_envelope()))
    while not held:
        server.node.settle()
    # closing sends a reset; an orderly end, so soon, may come from one who still listens
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()
    while server.site.open:
        server.node.settle()
    server.node.call(held[0])
    assert server.repository.requests == []


def test_who_ends_only_its_own_side_is_answered_all_that_it_asked(server: Any, query_envelope: Spell) -> None:
    """Also what it asked before the first answer (RFC 9112: 9.3.2, 9.6)."""
    ids = [f"urn:uuid:{number}" for number in range(3)]
    with raw(server, b"".join(post(query_envelope(message_id=each)) for each in ids)) as opened:
        opened.shutdown(socket.SHUT_WR)
        answered = opened.makefile("rb").read()
    assert [answered.count(f'requestId="{each}"'.encode()) for each in ids] == [1, 1, 1]


def test_who_ends_in_the_middle_of_a_body_is_not_waited_for(server: Any, query_envelope: Spell) -> None:
    with raw(server, post(query_envelope())[:-9]) as opened:
        opened.shutdown(socket.SHUT_WR)
        assert opened.makefile("rb").read() == b""
    while server.site.open:
        server.node.settle()
    assert server.repository.requests == []


def test_a_server_without_any_thread_says_so(server: Any, connection: HTTPConnection, query_envelope: Spell) -> None:
    def no_thread(work: Callable[[], object]) -> "Deferred[object]":
        raise RuntimeError("can't start new thread")

    server.site.defer, usual = no_thread, server.site.defer
    assert ask(connection, "/xds/registry", query_envelope()).status == 500
    server.site.defer = usual
    assert ask(connection, "/xds/registry", query_envelope()).status == 200


def test_a_sender_that_asks_first_is_told_to_continue(server: Any, query_envelope: Spell) -> None:
    body = query_envelope()
    head = f"POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: {SOAP}\r\nExpect: 100-continue\r\n"
    with raw(server, f"{head}Content-Length: {len(body)}\r\n\r\n".encode()) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        opened.sendall(body)
        assert opened.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_sender_that_asks_first_need_not_send_in_vain(server: Any) -> None:
    head = b"POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: text/html\r\nExpect: 100-continue\r\n"
    with raw(server, head + b"Content-Length: 1000000000\r\n\r\n") as opened:
        assert opened.makefile("rb").read().startswith(b"HTTP/1.1 415 ")


def test_too_many_headers_are_refused(server: Any) -> None:
    with raw(server, b"POST /xds/registry HTTP/1.1\r\n" + b"X: y\r\n" * 5000) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_sender_that_trickles_is_cut_off(serve: Callable[..., Any]) -> None:
    server = serve(SOAPLimits(grace=0, pace=1_000_000_000))
    with raw(server, b"POST /xds/registry HTTP/1.1\r\n") as opened, pytest.raises(OSError, match="reset"):
        while True:
            opened.sendall(b"X")
            opened.settimeout(0.05)
            try:
                assert opened.recv(1) != b"", "closed"
            except TimeoutError:
                continue
            except AssertionError:
                raise OSError("reset") from None


def test_a_connection_too_many_is_told_so_and_may_still_ask_how_we_are(
    serve: Callable[..., Any], query_envelope: Spell
) -> None:
    server = serve(SOAPLimits(connections=1))
    first, second, third = (HTTPConnection("localhost", server.port, timeout=20) for _ in range(3))
    assert ask(first, "/xds/registry", query_envelope()).status == 200
    refused = ask(second, "/xds/registry", query_envelope())
    assert (refused.status, refused.headers["retry-after"], "busy" in refused.text) == (503, "10", True)
    assert refused.headers["connection"] == "close"
    assert ask(third, "/health/live", method="GET", content_type="").body == b"alive"
    assert ask(first, "/xds/registry", query_envelope()).status == 200
    first.close()


def test_connections_beyond_all_reason_are_cut(serve: Callable[..., Any]) -> None:
    server = serve(SOAPLimits(connections=1))
    opened = [raw(server, b"GET /health/live HTTP/1.1\r\n") for _ in range(1 + RESERVE)]
    with pytest.raises(OSError, match="reset"), raw(server, b"GET") as last:
        last.recv(1)
    for each in opened:
        each.close()


@pytest.mark.parametrize("head", [b"GET /" + b"a" * 40_000, b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n"])
def test_headers_that_are_too_long_are_answered(server: Any, head: bytes) -> None:
    with raw(server, head) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.mark.parametrize("length", [b"-5", b"9" * 5000, b"1,2", b"0x10"])
def test_a_length_that_is_no_number_is_answered(server: Any, length: bytes) -> None:
    with raw(server, b"POST /xds/registry HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n") as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("last", [b"Connection: close\r\n", b""])
def test_a_client_that_does_not_take_its_answer_is_cut_off(
    serve: Callable[..., Any], envelope: Spell, provide: SOAPBinding, submission: Callable[..., str], last: bytes
) -> None:
    server = serve(SOAPLimits(idle=0.2))
    body = mtom(envelope(provide.action, submission([])), b"x" * 30_000_000)
    head = b"POST /xds/repository HTTP/1.1\r\n%bContent-Type: %b\r\n" % (last, MTOM.encode())
    with raw(server, head + b"Content-Length: %d\r\n\r\n" % len(body) + body) as opened:
        while server.site.open:
            server.node.settle()
        with pytest.raises(ConnectionResetError):
            opened.makefile("rb").read()


def test_draining_answers_the_request_that_is_under_way(server: Any, query_envelope: Spell) -> None:
    """A connection that stays silent is closed; one in the middle of its request gets its answer first."""
    body = query_envelope()
    head = f"POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: {SOAP}\r\nContent-Length: {len(body)}\r\n\r\n"
    with raw(server, b"") as idle, raw(server, head.encode() + body[:50]) as busy:
        while server.site.requests_under_way < 1 or server.site.open < 2:
            server.node.settle()
        drained = server.node.start(server.site.drain)
        assert idle.recv(1) == b""
        assert not drained.done()
        busy.sendall(body[50:])
        answer = busy.makefile("rb").read()
        assert b"HTTP/1.1 200 OK\r\n" in answer
        assert b"Connection: close" in answer
        drained.result(20)


def test_draining_answers_a_request_that_was_on_its_way(server: Any, query_envelope: Spell) -> None:
    """Whoever sends on a connection that has just been idle is not turned away, and is told that it was the last."""
    with raw(server, post(query_envelope())) as opened:
        received = opened.makefile("rb")
        length = next(int(line.split()[1]) for line in received if line.lower().startswith(b"content-length"))
        received.readline()
        received.read(length)
        drained = server.node.start(server.site.drain)
        server.node.settle()
        opened.sendall(post(query_envelope()))
        answer = received.read()
    assert b"HTTP/1.1 200 OK\r\n" in answer
    assert b"Connection: close" in answer
    drained.result(20)


def test_a_client_that_leaves_in_the_middle_leaves_nothing(server: Any, query_envelope: Spell) -> None:
    message = mtom(query_envelope(), b"x" * 500_000)
    head = f"POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Type: {MTOM}\r\nContent-Length: {len(message)}\r\n\r\n"
    opened = raw(server, head.encode() + message[:400_000])
    while not server.spool.left:
        server.node.settle()
    opened.close()
    while server.spool.left:
        server.node.settle()
    assert server.repository.requests == []


def test_documents_sent_to_a_wrong_path_are_thrown_away(
    connection: HTTPConnection, server: Any, query_envelope: Spell
) -> None:
    assert ask(connection, "/xds/repo", mtom(query_envelope(), b"x" * 100_000), MTOM).status == 404
    server.node.settle()
    while server.spool.left:  # the answer may leave before the request was read, or thrown away
        server.node.settle()


def test_every_byte_of_a_body_passes_the_hooks_that_we_rely_on(
    server: Any, envelope: Spell, provide: SOAPBinding, submission: Callable[..., str]
) -> None:
    """Pins gotLength and handleContentChunk, which Twisted calls private: byte by byte, in HTTP chunks, at once."""
    message = mtom(envelope(provide.action, submission(["cid:p0@x"])), b"content")
    head = f"POST /xds/repository HTTP/1.1\r\nHost: x\r\nContent-Type: {MTOM}\r\n".encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, message[n : n + 1]) for n in range(len(message))) + b"0\r\n\r\n"
    spelled = [
        head + b"Content-Length: %d\r\n\r\n" % len(message) + message,
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
    ]
    for request in spelled:
        with raw(server, b"") as opened:
            for n in range(0, len(request), 97):
                opened.sendall(request[n : n + 97])
            assert opened.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    assert [part.size for request, _ in server.repository.requests for part in request.parts.values()] == [7, 7]


def test_a_fault_is_an_error_of_the_client(server: Any, stored_query: SOAPBinding) -> None:
    with pytest.raises(FaultReceived, match="goes with a body") as caught:
        server.client("/xds/registry").call(stored_query, [b"<x/>"])
    assert (caught.value.status, caught.value.code, caught.value.subcodes) == (400, "Sender", ("ActionNotSupported",))
