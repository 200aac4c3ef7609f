"""New certificates without a restart: what is good is used, what is broken is told and changes nothing."""

import shutil
import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from twisted.internet.task import Clock

from affinity import authority
from affinity.authority import Authority
from affinity.certificates import LOOK_SECONDS, CertificateWatch, ends
from mllp.client import client_context
from mllp.framing import frame
from tests.mllp.test_endpoint import adt
from tests.tls.conftest import NOW, Open, Port, Stock
from tests.tls.test_handshakes import words
from tls.files import TLS
from tls.server import Certificates


@pytest.fixture
def files(stock: Stock, tmp_path: Path) -> TLS:
    """A server's files that a test may change; the revocation list is empty."""
    for name in ("server.crt.pem", "server.key.pem", "ca.crt.pem"):
        shutil.copy(stock.directory / name, tmp_path / name)
    (tmp_path / "list.pem").write_bytes(_empty_list(stock, tmp_path))
    return TLS(
        certificate=tmp_path / "server.crt.pem",
        key=tmp_path / "server.key.pem",
        authorities=tmp_path / "ca.crt.pem",
        revocation_lists=(tmp_path / "list.pem",),
    )


def _empty_list(stock: Stock, tmp_path: Path) -> bytes:
    copy = tmp_path / "authority"
    copy.mkdir()
    for name in ("ca.crt.pem", "ca.key.pem"):
        shutil.copy(stock.directory / name, copy / name)
    return Authority(copy, NOW).revoke(()).read_bytes()


def shown(port: Port, context: ssl.SSLContext) -> bytes | None:
    """The server's certificate."""
    with (
        socket.create_connection(("127.0.0.1", port.number), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.getpeercert(binary_form=True)


def watch(certificates: Certificates) -> tuple[CertificateWatch, Clock]:
    clock = Clock()
    watching = CertificateWatch(clock, certificates, lambda: NOW + timedelta(seconds=clock.seconds()))
    watching.start()
    return watching, clock


def renew(stock: Stock, files: TLS) -> None:
    """Put a new certificate and key into the server's files."""
    made = Authority(stock.directory, NOW).renew("renewed", authority.server())
    shutil.copy(made.certificate, files.certificate)
    shutil.copy(made.key, files.key)


def test_a_changed_file_is_used_for_connections_that_come_later(
    open_port: Open, stock: Stock, files: TLS, context: ssl.SSLContext
) -> None:
    port = open_port(files)
    _, clock = watch(port.certificates)
    before = shown(port, context)
    renew(stock, files)
    assert shown(port, context) == before
    with capture_logs() as logs:
        clock.advance(LOOK_SECONDS)
    assert "certificates reloaded" in [each["event"] for each in logs]
    assert shown(port, context) != before


def test_a_broken_file_changes_nothing_and_is_told_once(
    open_port: Open, stock: Stock, files: TLS, context: ssl.SSLContext
) -> None:
    port = open_port(files)
    _, clock = watch(port.certificates)
    before = shown(port, context)
    files.certificate.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    with capture_logs() as logs:
        clock.advance(LOOK_SECONDS)
        clock.advance(LOOK_SECONDS)
    (told,) = (each for each in logs if each["event"] == "certificates not reloaded")
    assert told["log_level"] == "error"
    assert str(files.certificate) in told["reason"]
    assert shown(port, context) == before


def test_a_certificate_whose_key_comes_a_moment_later_is_used_when_it_is_there(
    open_port: Open, stock: Stock, files: TLS, context: ssl.SSLContext
) -> None:
    port = open_port(files)
    _, clock = watch(port.certificates)
    before = shown(port, context)
    made = Authority(stock.directory, NOW).renew("renewed", authority.server())
    shutil.copy(made.certificate, files.certificate)
    with capture_logs() as logs:
        clock.advance(LOOK_SECONDS)
    assert "is the key of another certificate" in next(each["reason"] for each in logs if "reason" in each)
    shutil.copy(made.key, files.key)
    clock.advance(LOOK_SECONDS)
    assert shown(port, context) != before


def test_a_missing_file_changes_nothing(open_port: Open, files: TLS, context: ssl.SSLContext) -> None:
    port = open_port(files)
    watching, _ = watch(port.certificates)
    files.key.unlink()
    with capture_logs() as logs:
        watching.reload()
    assert [each["event"] for each in logs] == ["certificates not reloaded"]
    assert shown(port, context)


def test_who_is_revoked_is_not_let_in_any_more_nor_by_an_old_session(open_port: Open, stock: Stock, files: TLS) -> None:
    port = open_port(files)
    _, clock = watch(port.certificates)
    context = client_context(stock.tls("revoked"))
    session = _session(port, context)
    assert session is not None
    files.revocation_lists[0].write_bytes(stock.lists.read_bytes())
    clock.advance(LOOK_SECONDS)
    with pytest.raises(OSError):
        _session(port, context, session)
    assert port.failure().reason.endswith("it is revoked")
    assert words(port, context).endswith("our certificate is revoked")


def _session(port: Port, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSession | None:
    with (
        socket.create_connection(("127.0.0.1", port.number), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as secured,
    ):
        secured.sendall(frame(adt("1")))
        if not secured.recv(1000):
            raise ConnectionError
        return secured.session


def test_what_ends_soon_is_told_each_day_and_measured(stock: Stock, files: TLS) -> None:
    certificates = Certificates(files)
    first = min(each.at for each in ends(files) if each.file == files.certificate)
    clock = Clock()
    watching = CertificateWatch(clock, certificates, lambda: first - timedelta(days=20) + timedelta(clock.seconds()))
    with capture_logs() as logs:
        watching.look()
        watching.look()
        clock.advance(1)
        watching.look()
    soon = [each for each in logs if each["event"] == "certificate ends soon"]
    told = [each for each in soon if each["file"] == str(files.certificate)]
    assert [each["days"] for each in told] == [20, 19]
    (measured,) = watching.measure()
    assert measured.values[("server.crt.pem", told[0]["certificate"])] == first.timestamp()


def test_what_has_ended_is_told_in_that_moment(files: TLS) -> None:
    first = min(each.at for each in ends(files) if each.file == files.certificate)
    clock = Clock()
    before = first - timedelta(hours=1)
    watching = CertificateWatch(clock, Certificates(files), lambda: before + timedelta(seconds=clock.seconds()))
    watching.start()
    with capture_logs() as logs:
        clock.advance(3590)
        assert [each["event"] for each in logs] == []  # "ends soon" was told at the start, and will be tomorrow
        clock.advance(LOOK_SECONDS)
    told = [each for each in logs if each["event"] == "certificate has ended"]
    assert str(files.certificate) in {each["file"] for each in told}
    assert {each["log_level"] for each in told} == {"error"}
