"""What ``affinity doctor`` looks at in a running server, through its ports: reachable, TLS, ready, clock, WSDL."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from cryptography import x509

from affinity.cli.finding import Finding, failed, ok, skipped, warning
from affinity.client.connecting import explain_connection
from soap.xml import XMLRefused, parse

SKEW = 30
"""Seconds by which clocks may differ: assertions and certificates are judged by them."""
LATE_ALERT = 0.5
"""Seconds in which a server that dislikes our certificate says so after the handshake of TLS 1.3."""
MOST = 16 * 2**20
ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap12/}address"
PATHS = ("/xds/registry", "/xds/repository", "/pix", "/pdq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server to look at. ``tls`` is used where a port speaks it; None: what this system trusts."""

    urls: tuple[str, ...]
    mllp: tuple[tuple[str, int, bool], ...]
    tls: ssl.SSLContext
    timeout: float


def server(target: Target) -> Iterator[Finding]:
    """Every check of a running server."""
    for host, port, secured in target.mllp:
        yield _port(f"MLLP{' over TLS' if secured else ''} {host}:{port}", (host, port), secured, target)
    for url in target.urls:
        address = urlsplit(url)
        secured = address.scheme == "https"
        where = (address.hostname or "", address.port or (443 if secured else 80))
        reached = _port(f"{address.scheme} {where[0]}:{where[1]}", where, secured, target)
        yield reached
        if reached.state == "ok":
            yield from _web(url.rstrip("/"), target)


def _port(check: str, where: tuple[str, int], secured: bool, target: Target) -> Finding:
    try:
        with socket.create_connection(where, target.timeout) as plain:
            return ok(check, _shake_hands(plain, where[0], target.tls) if secured else "accepts connections")
    except OSError as error:
        return failed(check, explain_connection(error), "openssl s_client -connect shows more" if secured else "")


def _shake_hands(plain: socket.socket, host: str, context: ssl.SSLContext) -> str:
    """Do the handshake and say what came of it; OSError if either side refuses the other."""
    with context.wrap_socket(plain, server_hostname=host) as secured:
        secured.settimeout(LATE_ALERT)
        with suppress(TimeoutError):  # no alert: the server has accepted our certificate, or asks for none
            secured.recv(1)
        certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
        name, end = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc
        return f"{secured.version()}, certificate of {name}, until {end:%Y-%m-%d}"


def _web(url: str, target: Target) -> Iterator[Finding]:
    asked = datetime.now(UTC)
    try:
        status, date, body = fetch(f"{url}/health/ready", target)
    except (OSError, http.client.HTTPException) as error:
        yield failed("ready", f"{url}/health/ready: {error}", "")
        return
    yield _readiness(url, status, body)
    yield clock(date, asked)
    for path in PATHS:
        yield _wsdl(f"{url}{path}", target)


def _readiness(url: str, status: int, body: bytes) -> Finding:
    said = body[:200].decode("utf-8", "replace").strip()
    if status == 404:
        return skipped("ready", f"{url} has no /health/ready: another product")
    if status != 200:
        return failed("ready", f"HTTP {status}: {said}", "the server's log says more")
    return ok("ready", said)


def clock(date: str | None, asked: datetime) -> Finding:
    """Does the server's clock agree with ours? It told its time at some moment since it was ``asked``."""
    if date is None:
        return skipped("clock", "the server does not tell its time")
    told = parsedate_to_datetime(date)
    seconds = round((told - min(max(told, asked), datetime.now(UTC))).total_seconds())
    if abs(seconds) > SKEW:
        return failed("clock", f"the server's differs by {seconds} s from ours", "let both follow a time server (NTP)")
    return ok("clock", f"differs by {seconds} s")


def _wsdl(url: str, target: Target) -> Finding:
    check = f"WSDL {urlsplit(url).path}"
    try:
        status, _, body = fetch(f"{url}?wsdl", target)
        if status != 200:
            return skipped(check, f"HTTP {status}: nothing answers there")
        addresses = {each.get("location", "") for each in parse(body).iter(ADDRESS)}
    except (OSError, http.client.HTTPException, XMLRefused) as error:
        return failed(check, str(error), "")
    if url not in addresses:
        return warning(
            check, f"it names {', '.join(addresses)}", "set listen.public_url to the address that clients use"
        )
    return ok(check, "loads, and names this address")


def fetch(url: str, target: Target) -> tuple[int, str | None, bytes]:
    """GET: status, Date and body, which is cut where it is absurdly long. Raises OSError, HTTPException."""
    address = urlsplit(url)
    host = address.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, address.port, timeout=target.timeout, context=target.tls)
        if address.scheme == "https"
        else http.client.HTTPConnection(host, address.port, timeout=target.timeout)
    )
    try:
        connection.request("GET", f"{address.path}?{address.query}" if address.query else address.path)
        response = connection.getresponse()
        return response.status, response.getheader("Date"), response.read(MOST)
    finally:
        connection.close()
