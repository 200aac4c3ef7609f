"""``affinity doctor --connect`` says which side, which chain, which name, what expired."""

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affinity.cli import app
from affinity.cli.checks_handshake import handshake
from affinity.cli.finding import Finding, State
from affinity.cli.options import Security
from tests.tls.conftest import Open, Stock

Findings = dict[str, Finding]


def ask(port: int, stock: Stock, client: str | None, trusted: str = "ca", host: str = "localhost") -> Findings:
    """Look at one handshake; the findings by check."""
    own = stock.credential(client) if client else None
    security = Security(
        tls_ca=stock.credential(trusted).certificate,
        cert=own.certificate if own else None,
        key=own.key if own else None,
        timeout=20,
    )
    return {each.check: each for each in handshake(host, port, security)}


def failures(found: Findings) -> dict[str, str]:
    return {check: each.detail for check, each in found.items() if each.state is State.FAILED}


def test_a_good_handshake(open_port: Open, stock: Stock) -> None:
    found = ask(open_port(stock.tls("server")).number, stock, "client")
    assert failures(found) == {}
    assert found["handshake"].detail.startswith("TLSv1.3, ")
    assert found["server's chain"].detail == (
        "CN=localhost,O=Affinity development <- CN=Affinity development CA,O=Affinity development, issued by "
        "CN=Affinity development CA,O=Affinity development"
    )
    assert found["our certificate"].state == "ok"


@pytest.mark.parametrize(
    ("client", "ended"),
    [
        ("revoked", "the server ended the handshake: our certificate is revoked"),
        ("other/client", "the server ended the handshake: it does not trust the authority that issued our certificate"),
        ("server", "the server ended the handshake: our certificate was issued for another purpose"),
        (None, "the server ended the handshake: it demands a client certificate"),
    ],
)
def test_our_certificate_is_refused(open_port: Open, stock: Stock, client: str | None, ended: str) -> None:
    port = open_port(stock.tls("server", revocation_lists=(stock.lists,)))
    found = ask(port.number, stock, client)
    assert failures(found) == {"handshake": ended}


def test_it_says_whose_certificates_the_server_takes(open_port: Open, stock: Stock) -> None:
    port = open_port(stock.tls("server"))
    ours = ask(port.number, stock, "other/client")["our certificate"]
    assert ours.state == "warning"
    assert ours.detail == (
        "issued by CN=Another CA,O=Affinity development; the server says that it takes those of "
        "CN=Affinity development CA,O=Affinity development"
    )
    assert "takes those of CN=Affinity development CA" in ask(port.number, stock, None)["our certificate"].detail


def test_our_certificate_has_expired(open_port: Open, stock: Stock) -> None:
    found = failures(ask(open_port(stock.tls("server")).number, stock, "expired"))
    assert found["our certificate"].startswith("it is good from ")
    assert found["handshake"] == "the server ended the handshake: our certificate has expired"


def test_the_servers_certificate_has_expired(open_port: Open, stock: Stock) -> None:
    found = failures(ask(open_port(stock.tls("expired-server")).number, stock, "client"))
    assert found == {
        "server's certificate": "we refuse it: CN=localhost,O=Affinity development: it has expired",
    }


def test_the_server_is_of_another_authority(open_port: Open, stock: Stock) -> None:
    found = ask(open_port(stock.tls("other/server")).number, stock, "client")
    assert (
        "CN=localhost,O=Affinity development: no authority that is trusted" in failures(found)["server's certificate"]
    )
    assert found["server's certificate"].remedy == "we trust: CN=Affinity development CA,O=Affinity development"


def test_the_server_is_called_by_another_name(open_port: Open, stock: Stock) -> None:
    port = open_port(stock.tls("client"))
    found = failures(ask(port.number, stock, "client"))
    assert found["server's name"] == "we called localhost; the certificate is for no name at all"


def test_a_chain_out_of_order_is_told(open_port: Open, stock: Stock, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    parts = (stock.credential(name).certificate.read_bytes() for name in ("server", "other/ca"))
    chain.write_bytes(b"".join(parts))
    shown = stock.tls("server")
    found = failures(ask(open_port(replace(shown, certificate=chain)).number, stock, "client"))
    assert "CN=Another CA,O=Affinity development has not issued the one before it" in found["server's chain"]


def test_a_port_without_tls(stock: Stock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def hang_up() -> None:
            connection, _ = plain.accept()
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        found = failures(ask(plain.getsockname()[1], stock, "client", host="127.0.0.1"))
        thread.join()
    assert "does not speak TLS on this port" in found["handshake"]


def test_nobody_there(stock: Stock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (told,) = failures(ask(port, stock, "client", host="127.0.0.1")).values()
    assert "nothing listens there" in told
    done = CliRunner().invoke(app, ["doctor", "--connect", f"127.0.0.1:{port}"], env={"COLUMNS": "200"})
    assert done.exit_code == 1
    assert "nothing listens there" in done.stdout
