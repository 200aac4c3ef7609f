"""A handshake from the client's side that goes on whatever it finds, to say afterwards all that is wrong (ITI-19)."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

from tls.files import SUITES
from tls.words import alert, certificate_fault, stumbled

LATE_ALERT = 0.5
"""Seconds in which a server that dislikes our certificate says so after the handshake of TLS 1.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the probe shows and believes; None: nothing, and what this system believes."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(slots=True)
class Probed:
    """What a handshake has shown. ``faults`` are OpenSSL's codes by the depth of a certificate in the chain.

    ``accepted`` are the authorities whose clients the server says it admits; it may say so of none.
    """

    chain: list[x509.Certificate] = field(default_factory=list)
    faults: list[tuple[int, int]] = field(default_factory=list)
    accepted: tuple[str, ...] = ()
    version: str = ""
    suite: str = ""
    ended: str = ""
    """Why it did not come to an end, in words; empty if it did."""


def probe(host: str, port: int, credentials: Credentials, timeout: float) -> Probed:
    """Shake hands. OSError: nobody could be reached, or nothing came in time."""
    found = Probed()
    with socket.create_connection((host, port), timeout) as plain:
        connection = SSL.Connection(_context(credentials, found), None)
        connection.set_connect_state()
        connection.set_tlsext_host_name(host.encode())
        try:
            _pump(plain, connection, connection.do_handshake, timeout)
            found.version, found.suite = connection.get_protocol_version_name(), connection.get_cipher_name() or ""
            _wait_for_alert(plain, connection)
        except SSL.Error as error:
            found.ended = _words(error)
        _note(connection, found)
    return found


def name_fault(certificate: x509.Certificate, host: str) -> bool:
    """Claim that the certificate is not for this host (RFC 6125; ITI TF-2: 3.19.6.1.4)."""
    try:
        if host.replace(".", "").isdecimal() or ":" in host:
            verify_certificate_ip_address(certificate, host)
        else:
            verify_certificate_hostname(certificate, host)
    except (CertificateError, VerificationError, ValueError):
        return True
    return False


def _context(credentials: Credentials, found: Probed) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(SUITES.encode())
    if credentials.authorities is None:
        context.set_default_verify_paths()
    else:
        context.load_verify_locations(str(credentials.authorities))
    if credentials.certificate and credentials.key:
        context.use_certificate_chain_file(str(credentials.certificate))
        context.use_privatekey_file(str(credentials.key))

    def collect(connection: Any, shown: Any, code: int, depth: int, fine: int) -> bool:
        if not fine:
            found.faults.append((depth, code))
        return True

    context.set_verify(SSL.VERIFY_PEER, collect)
    return context


def _note(connection: Any, found: Probed) -> None:
    found.chain = list(connection.get_peer_cert_chain(as_cryptography=True) or ())
    accepted = connection.get_client_ca_list(as_cryptography=True)
    found.accepted = tuple(each.rfc4514_string() for each in accepted)


def _pump(plain: socket.socket, connection: Any, work: Callable[[], Any], timeout: float) -> Any:
    """Carry bytes between OpenSSL and the socket until ``work`` is done. TimeoutError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            result = work()
            _send(plain, connection)
            return result
        except SSL.WantReadError:
            _send(plain, connection)
        except SSL.Error:
            _send(plain, connection)
            raise
        plain.settimeout(max(deadline - time.monotonic(), 0.001))
        data = plain.recv(65536)
        if data:
            connection.bio_write(data)
        else:
            connection.bio_shutdown()


def _send(plain: socket.socket, connection: Any) -> None:
    while True:
        try:
            plain.sendall(connection.bio_read(65536))
        except SSL.WantReadError:
            return


def _wait_for_alert(plain: socket.socket, connection: Any) -> None:
    try:
        _pump(plain, connection, lambda: connection.recv(1), LATE_ALERT)
    except (TimeoutError, SSL.ZeroReturnError):
        return  # no alert: the server has accepted our certificate, or asks for none


def _words(error: Any) -> str:
    if isinstance(error, SSL.SysCallError) or not error.args or not error.args[0]:
        return "the server closed the connection in the middle of the handshake, as a port without TLS does"
    reason = str(error.args[0][-1][2])
    said = alert(reason)
    return f"the server ended the handshake: {said}" if said else f"we ended the handshake: {stumbled(reason)}"


def chain_faults(found: Probed) -> list[str]:
    """What is wrong with the certificates of the server, each with whose it is."""
    return [f"{_whose(found, depth)}: {certificate_fault(code)}" for depth, code in dict.fromkeys(found.faults)]


def _whose(found: Probed, depth: int) -> str:
    return found.chain[depth].subject.rfc4514_string() if depth < len(found.chain) else f"certificate {depth + 1}"
