"""SOAP over mutual TLS: who has no certificate of ours is not let in, who has one is known to the handler."""

import http.client
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from affinity.pki import DevelopmentPKI, development_pki
from ihe.transactions import SOAPBinding
from soap.client import client_tls
from soap.context import Connection
from soap.faults import sender_fault
from tls.files import TLS
from tls.places import Places, Seat

Serve = Callable[..., Any]
QUERY = b'<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"/>'


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPKI:
    return development_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server(serve: Serve, pki: DevelopmentPKI) -> Any:
    tls = TLS(certificate=pki.server.certificate, key=pki.server.key, authorities=pki.authority.certificate)
    return serve(tls=tls)


@pytest.fixture
def partner(pki: DevelopmentPKI) -> ssl.SSLContext:
    return client_tls(pki.authority.certificate, pki.client.certificate, pki.client.key)


def test_the_certificate_of_a_partner_reaches_the_handler(
    server: Any, stored_query: SOAPBinding, partner: ssl.SSLContext, pki: DevelopmentPKI
) -> None:
    server.client("/xds/registry", tls=partner).call(stored_query, [QUERY])
    shown = server.repository.requests[0][1].connection
    assert shown.secure
    assert x509.load_der_x509_certificate(shown.certificate) == x509.load_pem_x509_certificate(
        pki.client.certificate.read_bytes()
    )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(
    server: Any, stored_query: SOAPBinding, partner: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    partner.minimum_version = partner.maximum_version = version
    assert server.client("/xds/registry", tls=partner).call(stored_query, [QUERY]).body is not None


def test_without_a_certificate_nobody_gets_in(server: Any, stored_query: SOAPBinding, pki: DevelopmentPKI) -> None:
    with pytest.raises(OSError):
        server.client("/xds/registry", tls=client_tls(pki.authority.certificate)).call(stored_query, [QUERY])
    assert server.repository.requests == []


def test_a_certificate_of_another_authority_is_refused(
    server: Any, stored_query: SOAPBinding, pki: DevelopmentPKI, tmp_path: Path
) -> None:
    stranger = development_pki(tmp_path / "stranger")
    tls = client_tls(pki.authority.certificate, stranger.client.certificate, stranger.client.key)
    with pytest.raises(OSError):
        server.client("/xds/registry", tls=tls).call(stored_query, [QUERY])
    assert server.repository.requests == []


def test_large_documents_pass_through_tls(
    server: Any, provide: SOAPBinding, submission: Callable[..., str], partner: ssl.SSLContext, tmp_path: Path
) -> None:
    from soap.client import file_part

    document = tmp_path / "document"
    document.write_bytes(b"0123456789" * 600_000)
    client = server.client("/xds/repository", tls=partner, spool=server.spool)
    answer = client.call(
        provide, [submission(["cid:d@x"]).encode()], parts=[file_part(document, "d@x", "application/pdf")]
    )
    (part,) = answer.parts.values()
    assert Path(part.spooled).read_bytes() == document.read_bytes()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_is_cheap_and_still_knows_who_asks(
    server: Any, query_envelope: Callable[..., bytes], partner: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    partner.minimum_version = partner.maximum_version = version
    body = query_envelope()
    head = "POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nContent-Length: "
    session: ssl.SSLSession | None = None
    for resumed in (False, True):
        with (
            socket.create_connection(("localhost", server.port), timeout=20) as plain,
            partner.wrap_socket(plain, server_hostname="localhost", session=session) as secured,
        ):
            secured.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
            assert secured.recv(100).startswith(b"HTTP/1.1 200 OK")
            assert secured.session_reused is resumed
            session = secured.session
    first, second = (context.connection.certificate for _, context in server.repository.requests)
    assert first == second
    assert first is not None


def post(server: Any, partner: ssl.SSLContext, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=partner)
    connection.request("POST", "/xds/registry", body, {"Content-Type": "application/soap+xml", **headers})
    return connection.getresponse().status


def test_no_header_says_who_asks(
    server: Any, query_envelope: Callable[..., bytes], partner: ssl.SSLContext, pki: DevelopmentPKI
) -> None:
    claimed = {"Client-Cert": ":AAAA:", "X-SSL-Client-Cert": "x", "X-Forwarded-For": "10.9.9.9", "Forwarded": "for=x"}
    assert post(server, partner, query_envelope(), **claimed) == 200
    shown = server.repository.requests[0][1].connection
    assert shown.peer == "127.0.0.1"
    assert shown.certificate == x509.load_pem_x509_certificate(pki.client.certificate.read_bytes()).public_bytes(
        Encoding.DER
    )


def test_who_is_behind_a_connection_is_asked_for_each_request(
    server: Any, query_envelope: Callable[..., bytes], partner: ssl.SSLContext
) -> None:
    def behind(connection: Connection, headers: Any) -> Connection:
        if headers.hasHeader(b"Refuse"):
            raise sender_fault("Nobody is behind that", status=403)
        return replace(connection, certificate=b"another")

    server.site.behind = behind
    assert post(server, partner, query_envelope()) == 200
    assert server.repository.requests[0][1].connection.certificate == b"another"
    assert post(server, partner, query_envelope(), Refuse="yes") == 403


def test_a_partner_above_its_cap_is_told_that_we_are_busy(
    server: Any, query_envelope: Callable[..., bytes], partner: ssl.SSLContext
) -> None:
    server.site.places = Places(None, lambda certificate: Seat("lab", 1))
    with (
        socket.create_connection(("localhost", server.port), 20) as plain,
        partner.wrap_socket(plain, server_hostname="localhost") as first,
    ):
        first.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        assert post(server, partner, query_envelope()) == 503


def test_an_address_above_its_cap_is_told_so_then_cut_off(serve: Serve, query_envelope: Callable[..., bytes]) -> None:
    server = serve()
    server.site.places = Places(1)
    body = query_envelope()
    with ExitStack() as opened:
        opened.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("POST", "/xds/registry", body, {"Content-Type": "application/soap+xml"})
        assert connection.getresponse().status == 503
        with suppress(ConnectionError):  # which may come before the connection is made, as far as we know
            many = [opened.enter_context(socket.create_connection(("127.0.0.1", server.port), 20)) for _ in range(40)]
            assert many[-1].recv(100) == b""
