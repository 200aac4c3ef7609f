"""The blocking client against servers that answer well, badly, and not at all."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ihe.transactions import SOAPBinding
from soap.client import FaultReceived, NoAnswer, SOAPClient, file_part
from soap.mtom import pack

Canned = Callable[..., str]
SOAP = "application/soap+xml; charset=UTF-8"
ENVELOPE = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><a:RelatesTo '
    b'xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:1</a:RelatesTo></s:Header><s:Body>%b</s:Body></s:Envelope>'
)
FAULT = (
    b"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:InvalidSecurity</s:Value></s:Subcode></s:Code>"
    b'<s:Reason><s:Text xml:lang="en">No token</s:Text></s:Reason><s:Detail><s:Value>x:y</s:Value></s:Detail></s:Fault>'
)


@pytest.fixture
def canned() -> Iterator[Canned]:
    """A server that answers anything with the same bytes; gives its URL."""
    servers: list[socketserver.TCPServer] = []

    def start(media_type: str, body: bytes, status: str = "200 OK", *, cut: int = 0) -> str:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body) + cut}\r\n\r\n"

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = 0
                while (line := self.rfile.readline().lower()) not in (b"\r\n", b""):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.rfile.read(length)
                self.wfile.write(head.encode() + body)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/xds?a=b"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_answer_is_its_body_and_what_it_relates_to(canned: Canned, stored_query: SOAPBinding) -> None:
    answer = SOAPClient(url=canned(SOAP, ENVELOPE % b"<x/>")).call(stored_query, [b"<q/>"])
    assert (answer.body.tag, answer.relates_to, dict(answer.parts)) == ("x", "urn:uuid:1", {})


def test_a_fault_has_its_codes_and_its_sentence(canned: Canned, stored_query: SOAPBinding) -> None:
    with pytest.raises(FaultReceived, match="Sender/InvalidSecurity: No token") as caught:
        SOAPClient(url=canned(SOAP, ENVELOPE % FAULT, "400 Bad Request")).call(stored_query, [b"<q/>"])
    assert (caught.value.status, caught.value.code, caught.value.subcodes) == (400, "Sender", ("InvalidSecurity",))


def test_a_soap_11_fault_is_read_too(canned: Canned, stored_query: SOAPBinding) -> None:
    fault = b"<s:Fault><faultcode>s:VersionMismatch</faultcode><faultstring>old</faultstring></s:Fault>"
    old = (ENVELOPE % fault).replace(b"www.w3.org/2003/05/soap-envelope", b"schemas.xmlsoap.org/soap/envelope/")
    with pytest.raises(FaultReceived, match="VersionMismatch: old"):
        SOAPClient(url=canned("text/xml", old, "500 x")).call(stored_query, [b"<q/>"])


@pytest.mark.parametrize(
    ("media_type", "body", "sentence"),
    [
        ("text/html", b"<h1>Bad gateway</h1>", "HTTP 200 with text/html: <h1>Bad"),
        (SOAP, b"<not xml", "not well-formed"),
        (SOAP, b"<x/>", "no SOAP body"),
        (SOAP, ENVELOPE % b"", "no SOAP body"),
        ("multipart/related; boundary=B", b"--C--", "--B of the Content-Type was not found"),
        ("a/b; c", b"", "malformed"),
    ],
)
def test_what_is_no_soap_is_said(
    canned: Canned, stored_query: SOAPBinding, media_type: str, body: bytes, sentence: str
) -> None:
    with pytest.raises(NoAnswer, match=sentence):
        SOAPClient(url=canned(media_type, body)).call(stored_query, [b"<q/>"])


def test_an_answer_that_breaks_off_leaves_nothing(canned: Canned, stored_query: SOAPBinding, spool: Any) -> None:
    message = pack(ENVELOPE % b"<x/>", [], "urn:x")
    part = b"--B\r\nContent-Type: application/xop+xml\r\n\r\n<e/>\r\n--B\r\nContent-ID: <d@x>\r\n\r\n" + b"x" * 10_000
    url = canned("multipart/related; boundary=B", part, cut=1000)
    with pytest.raises(NoAnswer):
        SOAPClient(url=url, spool=spool).call(stored_query, [b"<q/>"])
    assert (spool.made, spool.left, message[1] > 0) == (1, [], True)


def test_documents_need_a_place(canned: Canned, stored_query: SOAPBinding, tmp_path: Path) -> None:
    document = tmp_path / "document"
    document.write_bytes(b"content")
    media_type, _, chunks = pack(ENVELOPE % b"<x/>", [file_part(document, "d@x", "text/plain")], "urn:x")
    with pytest.raises(NoAnswer, match="no place was given"):
        SOAPClient(url=canned(media_type, b"".join(chunks))).call(stored_query, [b"<q/>"])


def test_long_inline_base64_stays_inline_without_a_place(canned: Canned, stored_query: SOAPBinding) -> None:
    answer = SOAPClient(url=canned(SOAP, ENVELOPE % (b"<x>" + b"QUJD" * 50_000 + b"</x>"))).call(stored_query, [b""])
    assert len(answer.body.text or "") == 200_000


def test_nobody_there_is_an_os_error(stored_query: SOAPBinding) -> None:
    with pytest.raises(OSError):
        SOAPClient(url="http://127.0.0.1:1/", timeout=5).call(stored_query, [b"<q/>"])


def test_a_connection_that_is_reset_while_it_is_made_is_an_os_error(stored_query: SOAPBinding) -> None:
    """There is no answer that could be waiting, as there may be where a message was refused early."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reset = threading.Thread(target=_reset, args=(listener,))
        reset.start()
        with pytest.raises(ConnectionError):
            SOAPClient(url=f"https://127.0.0.1:{listener.getsockname()[1]}/", timeout=20).call(stored_query, [b"<q/>"])
        reset.join()


def _reset(listener: socket.socket) -> None:
    taken, _ = listener.accept()
    with taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_what_is_sent_is_what_appendix_v_asks_for(server: Any, stored_query: SOAPBinding) -> None:
    """IHE-WSA101: Action must be understood; IHE-WSA102: ReplyTo is present; the security header stands beside them."""
    security = (
        b'<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"/>'
    )
    body = b'<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"/>'
    server.client("/xds/registry").call(stored_query, [body], security=security)
    _, context = server.repository.requests[0]
    action, message_id, reply_to, to, _ = context.envelope.headers
    assert action.get("{http://www.w3.org/2003/05/soap-envelope}mustUnderstand") == "1"
    assert message_id.text == context.addressing.message_id
    assert reply_to[0].text == "http://www.w3.org/2005/08/addressing/anonymous"
    assert to.text == f"{server.url}/xds/registry"
    assert context.security is not None
