"""Real sockets and real TLS: the client, the port and everything between them."""

import socket
import ssl
import threading
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from affinity.pki import DevelopmentPKI
from hl7v2.er7 import parse
from mllp.client import Address, Connection, NoAnswer, NotConnected, client_context, send
from mllp.framing import frame
from mllp.patience import Limits
from tls.files import TLS


def adt(control_id: str, trigger: str = "ADT^A28", application: str = "") -> bytes:
    head = f"MSH|^~\\&|LIS|LAB|MPI|AGENCY|2026||{trigger}|{control_id}|P|2.5||||{application}"
    return f"{head}\rPID|1||77\r".encode()


def verdict(answer: bytes) -> tuple[str, str]:
    msa = parse(answer)["MSA"]
    return msa.text(1), msa.text(2)


def test_a_message_is_acknowledged(node: Any) -> None:
    assert verdict(send(node.serve(), adt("1"))) == ("AA", "1")


def test_many_messages_on_one_connection_survive_a_bad_one(node: Any) -> None:
    with Connection(node.serve()) as connection:
        assert verdict(connection.exchange(adt("1"))) == ("AA", "1")
        assert verdict(connection.exchange(adt("2", "ADT^A99"))) == ("AR", "2")
        assert verdict(connection.exchange(adt("3"))) == ("AA", "3")


def test_pipelined_messages_are_answered_in_order(node: Any) -> None:
    numbers = [str(number) for number in range(500)]
    with Connection(node.serve()) as connection:
        writer = threading.Thread(target=lambda: deque(map(connection.send, map(adt, numbers))))
        writer.start()
        assert [verdict(connection.receive())[1] for _ in numbers] == numbers
        writer.join()


def test_bytes_one_by_one_are_a_message(node: Any) -> None:
    address = node.serve()
    with socket.create_connection((address.host, address.port), 10) as plain:
        for byte in frame(adt("1")):
            plain.send(bytes([byte]))
        assert plain.recv(1000).startswith(b"\x0bMSH")


def test_a_client_that_closes_its_side_still_reads_the_answer(node: Any) -> None:
    address = node.serve()
    with socket.create_connection((address.host, address.port), 10) as plain:
        plain.sendall(frame(adt("1")))
        plain.shutdown(socket.SHUT_WR)
        assert plain.recv(1000).startswith(b"\x0bMSH")
        assert plain.recv(1000) == b""


def test_mutual_tls_tells_the_handler_who_asks(node: Any, server_tls: TLS, client_tls: TLS) -> None:
    address = replace(node.serve(tls=server_tls), tls=client_tls)
    answer = parse(send(address, adt("1")))
    assert answer["MSA"].text(1) == "AA"
    assert answer.control_id == "CN=Affinity development client,O=Affinity development"[-20:]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_are_spoken(node: Any, server_tls: TLS, client_tls: TLS, version: ssl.TLSVersion) -> None:
    context = client_context(client_tls)
    context.minimum_version = context.maximum_version = version
    assert _handshake(node.serve(tls=server_tls), context) == version.name.replace("_", ".")


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_suites_of_bcp_195_are_spoken(node: Any, server_tls: TLS, client_tls: TLS, suite: str) -> None:
    context = client_context(client_tls)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    assert _handshake(node.serve(tls=server_tls), context) == "TLSv1.2"


@pytest.mark.parametrize("exchange", ["DHE", "ECDHE"])
@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "AES256-GCM-SHA384"])
def test_the_four_suites_that_ihe_demands_are_spoken_with_an_rsa_certificate(
    node: Any, pki: DevelopmentPKI, server_tls: TLS, client_tls: TLS, exchange: str, cipher: str
) -> None:
    rsa = replace(server_tls, certificate=pki.sts.certificate, key=pki.sts.key)
    context = client_context(client_tls)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{exchange}-RSA-{cipher}")
    assert _handshake(node.serve(tls=rsa), context) == "TLSv1.2"


def test_suites_outside_bcp_195_are_refused(node: Any, server_tls: TLS, client_tls: TLS) -> None:
    context = client_context(client_tls)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError):
        _handshake(node.serve(tls=server_tls), context)


def _handshake(address: Address, context: ssl.SSLContext) -> str | None:
    plain = socket.create_connection((address.host, address.port), 10)
    with context.wrap_socket(plain, server_hostname="localhost") as secured:
        secured.sendall(frame(adt("1")))
        assert secured.recv(1000).startswith(b"\x0bMSH")
        return secured.version()


def test_a_strangers_certificate_is_refused(node: Any, server_tls: TLS, stranger_tls: TLS) -> None:
    address = replace(node.serve(tls=server_tls), tls=stranger_tls)
    with pytest.raises(NoAnswer, match="does not trust the authority"):
        send(address, adt("1"))


def test_a_server_that_is_not_trusted_is_not_spoken_to(node: Any, server_tls: TLS, stranger_tls: TLS) -> None:
    other = replace(stranger_tls, authorities=stranger_tls.certificate)
    with pytest.raises(NotConnected, match="not trusted"):
        send(replace(node.serve(tls=server_tls), tls=other), adt("1"))


def test_a_certificate_of_another_name_is_not_accepted(node: Any, server_tls: TLS, client_tls: TLS) -> None:
    address = replace(node.serve(tls=server_tls), tls=client_tls, server_name="elsewhere.example")
    with pytest.raises(NotConnected, match="not trusted"):
        send(address, adt("1"))


def test_tls_on_the_plain_port_is_closed_at_once(node: Any, client_tls: TLS) -> None:
    with pytest.raises(NotConnected, match=r"without TLS|reset|EOF"):
        send(replace(node.serve(), tls=client_tls), adt("1"), timeout=5)


def test_a_handshake_that_never_comes_is_cut_off(node: Any, server_tls: TLS) -> None:
    address = node.serve(Limits(frame_seconds=0.05), server_tls)
    with socket.create_connection((address.host, address.port), 10) as plain, pytest.raises(ConnectionResetError):
        plain.recv(10)


def test_nobody_at_the_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotConnected, match="refused"):
        send(Address(host="127.0.0.1", port=port), adt("1"))


def test_silence_is_a_clear_error(node: Any) -> None:
    with pytest.raises(NoAnswer, match="nothing came in time"):
        send(node.serve(), adt("1", application="NE"), timeout=0.2)


def test_a_closed_connection_is_a_clear_error(node: Any) -> None:
    with pytest.raises(NoAnswer, match="closed without an answer"):
        send(node.serve(), b"not HL7")


def test_a_connection_above_the_limit_is_closed(node: Any, server_tls: TLS, client_tls: TLS) -> None:
    address = replace(node.serve(Limits(connections=1), server_tls), tls=client_tls)
    with Connection(address) as first:
        first.exchange(adt("1"))
        with pytest.raises((NotConnected, NoAnswer)):
            send(address, adt("2"))
        assert verdict(first.exchange(adt("3"))) == ("AA", "3")


def test_draining_answers_and_closes(node: Any) -> None:
    with Connection(node.serve()) as connection:
        assert verdict(connection.exchange(adt("1"))) == ("AA", "1")
        node.call(node.factory.drain)
        with pytest.raises(NoAnswer):
            connection.exchange(adt("2"))


def test_draining_does_not_wait_for_a_tls_peer_that_never_says_goodbye(
    node: Any, server_tls: TLS, client_tls: TLS
) -> None:
    """Most senders read when they wait for an answer, and not before."""
    address = replace(node.serve(Limits(frame_seconds=10_000), server_tls), tls=client_tls)
    with Connection(address) as connection:
        assert verdict(connection.exchange(adt("1"))) == ("AA", "1")
        node.call(lambda: node.factory.drain().addTimeout(60, node.reactor))


def test_sixteen_mebibytes_are_a_message_and_one_byte_more_is_not(node: Any) -> None:
    limit = 16 * 1024 * 1024
    body = adt("1") + b"ZZZ|"
    with Connection(node.serve()) as connection:
        assert verdict(connection.exchange(body + b"x" * (limit - len(body)))) == ("AA", "1")
        assert verdict(connection.exchange(body + b"x" * (limit - len(body) + 1))) == ("AR", "1")
        assert verdict(connection.exchange(adt("2"))) == ("AA", "2")
