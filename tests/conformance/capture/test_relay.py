"""The proxy between real sockets: bytes pass unchanged, and everything that goes over is recorded."""

import socket
import ssl
import struct
import threading
import tracemalloc

import pytest
from OpenSSL import SSL

from affinity.pki import DevelopmentPKI
from conformance.exchanges import Wire
from ihe.exchange import OutgoingPart
from mllp.framing import frame
from soap.client import client_tls
from soap.mtom import pack
from tests.conformance.capture.conftest import PATIENCE, Proxy, Serve

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWolt\r\n2\r\ner\r\n0\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + bytes(2_000_000)
ASK = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc"


def connect(port: int) -> socket.socket:
    return socket.create_connection(("localhost", port), PATIENCE)


def read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        assert piece, f"the connection ended after {data!r}"
        data += piece
    return data


def message(control_id: str) -> bytes:
    return f"MSH|^~\\&|A|B|C|D|20260401||ADT^A28^ADT_A05|{control_id}|P|2.5\rPID|||1\r".encode()


def acknowledgement(control_id: str) -> bytes:
    return f"MSH|^~\\&|C|D|A|B|20260401||ACK|R{control_id}|P|2.5\rMSA|AA|{control_id}\r".encode()


def test_chunks_pass_as_they_are_and_the_record_has_none(proxy: Proxy, serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        read(connection, len(ASK))
        connection.sendall(CHUNKED)
        connection.recv(1)

    with connect(proxy.open(Wire.HTTP, serve(answer))) as client:
        client.sendall(ASK)
        assert read(client, len(CHUNKED)) == CHUNKED
    (recorded,) = proxy.recorded(1)
    assert recorded.answer is not None
    assert recorded.answer.chunked
    assert b"".join(recorded.answer.body()) == b"Wolter"
    assert recorded.request.head + b"".join(recorded.request.body()) == ASK


def test_pipelined_messages_are_paired_by_what_their_answers_name(proxy: Proxy, serve: Serve) -> None:
    sent = b"".join(frame(message(each)) for each in ("M1", "M2", "M3"))
    answered = b"".join(frame(acknowledgement(each)) for each in ("M2", "M1", "M3"))

    def answer(connection: socket.socket) -> None:
        read(connection, len(sent))
        connection.sendall(answered)
        connection.recv(1)

    with connect(proxy.open(Wire.MLLP, serve(answer))) as client:
        client.sendall(sent)
        assert read(client, len(answered)) == answered
    pairs = {(each.request.text.content(), each.answer and each.answer.text.content()) for each in proxy.recorded(3)}
    assert pairs == {(message(each), acknowledgement(each)) for each in ("M1", "M2", "M3")}


def test_connections_do_not_wait_for_each_other(proxy: Proxy, serve: Serve) -> None:
    others = threading.Barrier(3)

    def answer(connection: socket.socket) -> None:
        read(connection, len(frame(message("M1"))))
        others.wait(PATIENCE)  # all three must be here before one is answered
        connection.sendall(frame(acknowledgement("M1")))
        connection.recv(1)

    port = proxy.open(Wire.MLLP, serve(answer))
    clients = [connect(port) for _ in range(3)]
    for each in clients:
        each.sendall(frame(message("M1")))
    assert {read(each, len(frame(acknowledgement("M1")))) for each in clients} == {frame(acknowledgement("M1"))}
    assert {each.connection for each in proxy.recorded(3)} == {1, 2, 3}
    for each in clients:
        each.close()


def test_twenty_megabytes_of_a_document_pass_in_little_memory(proxy: Proxy, serve: Serve) -> None:
    size, piece = 20 * 2**20, bytes(range(256)) * 256
    part = OutgoingPart(
        content_id="1@test", media_type="a/b", size=size, chunks=lambda: iter([piece] * (size // len(piece)))
    )
    content_type, length, chunks = pack(b"<Envelope/>", [part], "urn:test")
    head = f"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()
    received = []

    def answer(connection: socket.socket) -> None:
        left = len(head) + length
        while left:
            left -= len(connection.recv(min(left, 2**16)))
        received.append(left)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1)

    tracemalloc.start()
    with connect(proxy.open(Wire.HTTP, serve(answer))) as client:
        client.sendall(head)
        for each in chunks:
            client.sendall(each)
        client.recv(100)
    (recorded,) = proxy.recorded(1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == [0]
    (attachment,) = recorded.request.attachments
    assert attachment.blob.size == size
    assert recorded.request.size == length
    assert peak < 4 * 2**20


def test_a_server_that_takes_nothing_makes_the_client_wait(proxy: Proxy, serve: Serve) -> None:
    over = threading.Event()
    with connect(proxy.open(Wire.HTTP, serve(lambda connection: over.wait(PATIENCE) or None))) as client:
        client.settimeout(1)
        client.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n")
        with pytest.raises(TimeoutError):
            for _ in range(1024):
                client.sendall(bytes(2**18))
        over.set()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_reset_in_the_middle_of_a_body_reaches_the_server(proxy: Proxy, serve: Serve) -> None:
    ended: list[str] = []
    begun, over = threading.Event(), threading.Event()

    def answer(connection: socket.socket) -> None:
        read(connection, len(ASK) - 1)
        begun.set()
        try:
            ended.append(f"read {connection.recv(1)!r}")
        except ConnectionResetError:
            ended.append("reset")
        over.set()

    client = connect(proxy.open(Wire.HTTP, serve(answer)))
    client.sendall(ASK[:-1])
    assert begun.wait(PATIENCE)
    reset(client)
    assert over.wait(PATIENCE)
    assert ended == ["reset"]
    (recorded,) = proxy.recorded(1)
    assert (recorded.failure, recorded.answer) == ("the client reset the connection", None)
    assert b"".join(recorded.request.body()) == b"ab"


def test_a_reset_of_the_server_reaches_the_client(proxy: Proxy, serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        read(connection, len(ASK))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        reset(connection)

    with connect(proxy.open(Wire.HTTP, serve(answer))) as client:
        client.sendall(ASK)
        with pytest.raises(ConnectionResetError):
            while client.recv(1000):
                pass
    (recorded,) = proxy.recorded(1)
    assert recorded.failure == "the server reset the connection"


def test_the_end_of_one_side_leaves_the_other_open(proxy: Proxy, serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        read(connection, len(ASK))
        assert connection.recv(1) == b""  # the client has ended and still listens
        connection.sendall(CHUNKED)

    with connect(proxy.open(Wire.HTTP, serve(answer))) as client:
        client.sendall(ASK)
        client.shutdown(socket.SHUT_WR)
        assert read(client, len(CHUNKED)) == CHUNKED
        assert client.recv(1) == b""


def test_a_server_that_is_not_there_is_told_of(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with connect(proxy.open(Wire.HTTP, port)) as client, pytest.raises(ConnectionResetError):
        client.sendall(ASK)
        while client.recv(1000):
            pass
    (recorded,) = proxy.recorded(1)
    assert recorded.failure.startswith(f"no connection to the server localhost:{port}")


def serving(pki: DevelopmentPKI) -> ssl.SSLContext:
    """Of a server that asks for a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server.certificate, pki.server.key)
    context.load_verify_locations(pki.authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls_ends_at_the_proxy_and_begins_anew_with_certificates_on_both_sides(
    proxy: Proxy, serve: Serve, pki: DevelopmentPKI
) -> None:
    shown = []

    def answer(connection: ssl.SSLSocket) -> None:
        shown.append(dict(pair for each in (connection.getpeercert() or {})["subject"] for pair in each)["commonName"])  # type: ignore[union-attr,misc,has-type,index]
        read(connection, len(ASK))
        connection.sendall(CHUNKED)
        connection.recv(1)

    ours = client_tls(pki.authority.certificate, pki.client.certificate, pki.client.key)
    port = proxy.open(Wire.HTTP, serve(answer, serving(pki)), tls=serving(pki), server_tls=ours)
    with ours.wrap_socket(connect(port), server_hostname="localhost") as client:
        client.sendall(ASK)
        assert read(client, len(CHUNKED)) == CHUNKED
    assert shown == ["Affinity development client"]
    (recorded,) = proxy.recorded(1)
    assert recorded.answer is not None and not recorded.failure


def test_the_end_of_one_side_leaves_the_other_open_over_tls(proxy: Proxy, serve: Serve, pki: DevelopmentPKI) -> None:
    """RFC 8446: 6.1."""

    def answer(connection: socket.socket) -> None:
        read(connection, len(ASK))
        assert connection.recv(1) == b""  # the client has ended and still listens
        connection.sendall(LONG)

    ours = client_tls(pki.authority.certificate, pki.client.certificate, pki.client.key)
    port = proxy.open(Wire.HTTP, serve(answer, serving(pki)), tls=serving(pki), server_tls=ours)
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)  # Python's own cannot end one direction alone
    context.use_certificate_file(str(pki.client.certificate))
    context.use_privatekey_file(str(pki.client.key))
    with connect(port) as plain:
        plain.setblocking(True)
        client = SSL.Connection(context, plain)
        client.set_connect_state()
        client.sendall(ASK)
        client.shutdown()
        assert b"".join(iter(lambda: _received(client), b"")) == LONG
    (recorded, *_) = proxy.recorded(1)
    assert recorded.answer is not None and not recorded.failure


def _received(client: SSL.Connection) -> bytes:
    try:
        return bytes(client.recv(65536))
    except SSL.ZeroReturnError:
        return b""


def test_who_shows_no_certificate_is_not_passed_on(proxy: Proxy, serve: Serve, pki: DevelopmentPKI) -> None:
    came: list[socket.socket] = []
    port = proxy.open(Wire.HTTP, serve(came.append), tls=serving(pki))
    nobody = ssl.create_default_context(cafile=str(pki.authority.certificate))
    with pytest.raises(OSError), nobody.wrap_socket(connect(port), server_hostname="localhost") as client:
        client.sendall(ASK)
        if not client.recv(1):
            raise ConnectionError
    assert came == []
    assert proxy.finish() == []
