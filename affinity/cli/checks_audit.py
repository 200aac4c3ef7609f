"""What ``affinity doctor`` looks at of Audit Record Repositories: reachable, over TLS (ITI TF-2: 3.20)."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from affinity.cli.finding import Finding, failed, ok, warning
from affinity.client.connecting import explain_connection
from affinity.domain import DomainError, load
from affinity.domain_model import Repository
from affinity.settings import Settings
from mllp.client import client_context
from tls.files import TLS

TIMEOUT = 5.0
LATE_ALERT = 0.5
"""Seconds in which a collector that dislikes our certificate says so after the handshake of TLS 1.3."""


def audit_repositories(settings: Settings) -> Iterator[Finding]:
    """Every repository that the trail is forwarded to."""
    try:
        repositories = load(settings.domain).repositories
    except DomainError:
        return  # another check says what is wrong with the domain
    for each in repositories:
        yield _reachable(each, _tls(settings))


def _tls(settings: Settings) -> TLS | None:
    """What the node shows where it calls others: the configured files, else those of development."""
    own, pki = settings.certificates, settings.data / "pki"
    if own.certificate and own.key and own.client_authorities:
        return TLS(certificate=own.certificate, key=own.key, authorities=own.client_authorities)
    if not (pki / "client.crt.pem").is_file():
        return None
    return TLS(certificate=pki / "client.crt.pem", key=pki / "client.key.pem", authorities=pki / "ca.crt.pem")


def _reachable(repository: Repository, tls: TLS | None) -> Finding:
    check, wire = f"audit repository {repository.name}", urlsplit(repository.wire)
    host, secured = wire.hostname or "", wire.scheme in ("syslog+tls", "https")
    if wire.scheme == "syslog+udp":
        return _resolved(check, host)
    if secured and tls is None:
        return failed(check, "it is spoken to over TLS, and no certificates are set", "set [certificates]")
    try:
        with socket.create_connection((host, wire.port or (443 if secured else 80)), TIMEOUT) as plain:
            return ok(check, _shake_hands(plain, host, tls) if secured and tls else "accepts connections")
    except OSError as error:
        return failed(check, explain_connection(error), "records wait until it can be reached; none is lost")


def _resolved(check: str, host: str) -> Finding:
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        return failed(check, explain_connection(error), "mend the host in repositories.toml")
    return warning(check, "UDP: nobody can tell whether it listens", "let it listen on TLS (syslog+tls://)")


def _shake_hands(plain: socket.socket, host: str, tls: TLS) -> str:
    """Do the handshake and say what came of it; OSError if either side refuses the other."""
    with client_context(tls).wrap_socket(plain, server_hostname=host) as secured:
        secured.settimeout(LATE_ALERT)
        try:
            if not secured.recv(1):
                raise ConnectionResetError("it closed the connection after the handshake")
        except TimeoutError:  # no alert: it has accepted our certificate
            pass
        return f"{secured.version()}, and it accepts our certificate"
