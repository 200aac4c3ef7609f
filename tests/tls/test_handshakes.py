"""Every way in which a handshake fails, over real TLS, with the words that the people on both sides read (ITI-19)."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from OpenSSL import SSL

from affinity.authority import Authority
from affinity.client.connecting import explain_connection
from mllp.client import Address, Connection, NoAnswer, NotConnected, client_context
from mllp.framing import frame
from tests.mllp.test_endpoint import adt
from tests.tls.conftest import NOW, Open, Port, Stock
from tls.failure import Side
from tls.files import TLS


def words(port: Port, context: ssl.SSLContext, name: str = "localhost") -> str:
    """What a client of the standard library comes to know: nothing if it is served."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port.number), 20) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            secured.sendall(frame(adt("1")))
            assert secured.recv(1000).startswith(b"\x0bMSH")
    except OSError as error:
        return explain_connection(error)
    return ""


def said(port: Port, tls: TLS) -> str:
    """What our own client says: nothing if it is served."""
    address = Address(host="127.0.0.1", port=port.number, tls=tls, server_name="localhost")
    try:
        with Connection(address, 20) as connection:
            connection.exchange(adt("1"))
    except (NotConnected, NoAnswer) as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Bad:
    """A client's certificate, and what each side reads."""

    name: str
    ours: str
    theirs: str


REFUSED = "we refused the server's certificate: "
PURPOSE = "it was issued for another purpose: a client needs clientAuth, a server serverAuth (extendedKeyUsage)"
ISSUED = ",O=Affinity development, issued by CN=Affinity development CA,O=Affinity development: "


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    "bad",
    [
        Bad(
            "other/client",
            "the client's certificate CN=stranger.example.org,O=Affinity development, issued by CN=Another CA,"
            "O=Affinity development: no authority that is trusted has issued it, or it came without its chain",
            "it does not trust the authority that issued our certificate",
        ),
        Bad(
            "expired",
            f"the client's certificate CN=expired.example.org{ISSUED}it has expired",
            "our certificate has expired",
        ),
        Bad(
            "not-yet",
            f"the client's certificate CN=not-yet.example.org{ISSUED}it is not valid yet: compare the clocks of both "
            "machines",
            "it does not accept our certificate",
        ),
        Bad(
            "server",
            f"the client's certificate CN=localhost{ISSUED}{PURPOSE}",
            "our certificate was issued for another purpose",
        ),
        Bad(
            "revoked",
            f"the client's certificate CN=revoked.example.org{ISSUED}it is revoked",
            "our certificate is revoked",
        ),
        Bad(
            "self-signed",
            "the client's certificate CN=A stranger, issued by CN=A stranger: it is self-signed, and not a certificate "
            "that is trusted by itself",
            "it does not trust the authority that issued our certificate",
        ),
    ],
    ids=lambda bad: bad.name if isinstance(bad, Bad) else "",
)
def test_a_bad_client_certificate(open_port: Open, stock: Stock, bad: Bad, version: ssl.TLSVersion) -> None:
    port = open_port(stock.tls("server", revocation_lists=(stock.lists,)))
    context = client_context(stock.tls(bad.name))
    context.minimum_version = context.maximum_version = version
    assert words(port, context) == f"the server ended the TLS handshake: {bad.theirs}"
    failure = port.failure()
    assert (failure.side, failure.reason) == (Side.WE, bad.ours)
    assert failure.refused is not None


@pytest.mark.parametrize(
    ("server", "trusted", "name", "ours", "theirs"),
    [
        (
            "other/server",
            "ca",
            "localhost",
            "it does not trust the authority that issued our certificate",
            f"{REFUSED}no authority that is trusted has issued it, or it came without its chain "
            "(--tls-ca names the file of authorities to trust)",
        ),
        (
            "expired-server",
            "ca",
            "localhost",
            "our certificate has expired",
            f"{REFUSED}it has expired",
        ),
        (
            "server",
            "ca",
            "records.example.org",
            "it does not accept our certificate",
            f"{REFUSED}it was issued for another host name [Hostname mismatch, certificate is not valid for "
            "'records.example.org'.]",
        ),
        (
            "client",
            "ca",
            "localhost",
            "our certificate was issued for another purpose",
            f"{REFUSED}{PURPOSE}",
        ),
    ],
)
def test_a_bad_server_certificate(
    open_port: Open, stock: Stock, server: str, trusted: str, name: str, ours: str, theirs: str
) -> None:
    port = open_port(stock.tls(server))
    assert words(port, client_context(stock.tls("client", trusted)), name) == theirs
    failure = port.failure()
    assert (failure.side, failure.reason) == (Side.THEY, ours)


def no_certificate(context: ssl.SSLContext, stock: Stock) -> ssl.SSLContext:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(stock.credential("ca").certificate)
    return bare


def old_version(context: ssl.SSLContext, stock: Stock) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def weak_suite(context: ssl.SSLContext, stock: Stock) -> ssl.SSLContext:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:AES128-SHA")
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize(
    ("change", "ours", "theirs"),
    [
        (no_certificate, "the other side shows no certificate", "it demands a client certificate"),
        (
            old_version,
            "the other side speaks no TLS 1.2 or 1.3",
            "it speaks no version of TLS that we speak (1.2 and 1.3)",
        ),
        (
            weak_suite,
            "the other side offers none of the cipher suites of BCP 195",
            "it speaks none of our cipher suites, or demands a client certificate",
        ),
    ],
)
def test_a_client_that_is_not_up_to_it(
    open_port: Open,
    stock: Stock,
    context: ssl.SSLContext,
    change: Callable[..., ssl.SSLContext],
    ours: str,
    theirs: str,
) -> None:
    port = open_port(stock.tls("server"))
    assert theirs in words(port, change(context, stock))
    failure = port.failure()
    assert (failure.side, failure.reason) == (Side.WE, ours)


def test_our_own_client_says_the_same(open_port: Open, stock: Stock) -> None:
    port = open_port(stock.tls("server", revocation_lists=(stock.lists,)))
    assert "our certificate is revoked" in said(port, stock.tls("revoked"))
    assert "our certificate has expired" in said(port, stock.tls("expired"))
    assert "its certificate is not trusted" in said(port, stock.tls("client", "other/ca"))
    assert said(port, stock.tls("client")) == ""


def test_http_without_tls_is_named(open_port: Open, stock: Stock) -> None:
    port = open_port(stock.tls("server"))
    with socket.create_connection(("127.0.0.1", port.number), 20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"MSH" not in plain.recv(100)
    assert port.failure().reason == "the other side speaks HTTP without TLS on this port"


def test_who_hangs_up_in_the_middle_is_named_and_who_only_looks_is_not(open_port: Open, stock: Stock) -> None:
    port = open_port(stock.tls("server"))
    socket.create_connection(("127.0.0.1", port.number), 20).close()
    with socket.create_connection(("127.0.0.1", port.number), 20) as plain:
        plain.sendall(b"\x16\x03\x01")
    assert port.failure().side is Side.NOBODY
    assert port.failures.empty()


def test_a_pinned_certificate_needs_no_authority(open_port: Open, stock: Stock) -> None:
    """Direct certificate validation (ITI TF-2: 3.19.6.1.2)."""
    pins = frozenset({stock.fingerprint("self-signed"), stock.fingerprint("other/client")})
    port = open_port(stock.tls("server", pinned=pins, revocation_lists=(stock.lists,)))
    for name in ("self-signed", "other/client", "client"):
        assert words(port, client_context(stock.tls(name))) == ""


def test_a_pin_is_for_one_certificate_and_forgives_nothing_but_the_chain(open_port: Open, stock: Stock) -> None:
    pins = frozenset({stock.fingerprint("self-signed"), stock.fingerprint("expired")})
    port = open_port(stock.tls("server", pinned=pins))
    assert words(port, client_context(stock.tls("other/client"))) != ""
    assert "no authority that is trusted" in port.failure().reason
    assert words(port, client_context(stock.tls("expired"))) != ""
    assert port.failure().reason.endswith("it has expired")


def test_a_stranger_that_brings_its_own_authority_along_is_a_stranger(
    open_port: Open, stock: Stock, tmp_path: Any
) -> None:
    chain = tmp_path / "chain.pem"
    parts = (stock.credential("other/client"), stock.credential("other/ca"))
    chain.write_bytes(b"".join(each.certificate.read_bytes() for each in parts))
    shown = TLS(certificate=chain, key=parts[0].key, authorities=stock.credential("ca").certificate)
    for pins in (frozenset(), frozenset({stock.fingerprint("self-signed")})):
        port = open_port(stock.tls("server", pinned=pins))
        assert words(port, client_context(shown)) != ""
        assert "Another CA" in port.failure().reason


def test_a_revocation_list_that_is_out_of_date_lets_nobody_in(open_port: Open, stock: Stock, tmp_path: Any) -> None:
    old = Authority(stock.directory, NOW - timedelta(days=60)).revoke(())
    kept = tmp_path / "old.crl"
    old.rename(kept)
    Authority(stock.directory, NOW).revoke([stock.certificate("revoked")])
    port = open_port(stock.tls("server", revocation_lists=(kept,)))
    assert words(port, client_context(stock.tls("client"))) != ""
    assert "revocation list is out of date" in port.failure().reason


def test_nobody_negotiates_again_or_compresses(open_port: Open, stock: Stock, context: ssl.SSLContext) -> None:
    """RFC 9325: 3.3 and 3.5."""
    port = open_port(stock.tls("server"))
    client = SSL.Context(SSL.TLS_CLIENT_METHOD)
    client.set_max_proto_version(SSL.TLS1_2_VERSION)
    client.use_certificate_file(str(stock.credential("client").certificate))
    client.use_privatekey_file(str(stock.credential("client").key))
    with socket.create_connection(("127.0.0.1", port.number), 20) as plain:
        connection = SSL.Connection(client, plain)
        plain.settimeout(None)
        connection.set_connect_state()
        connection.do_handshake()
        connection.renegotiate()
        with pytest.raises(SSL.Error, match="no renegotiation"):
            connection.do_handshake()
            connection.send(frame(adt("1")))
            connection.recv(1000)
    with socket.create_connection(("127.0.0.1", port.number), 20) as plain:
        context.options &= ~ssl.OP_NO_COMPRESSION
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            assert secured.compression() is None
