"""Which checks ``affinity doctor`` does: of an installation and its server, or of a server from outside."""

import json
import ssl
from collections.abc import Iterable, Iterator

from affinity.cli.checks_handshake import handshake
from affinity.cli.checks_installation import installation
from affinity.cli.checks_server import Target, server
from affinity.cli.finding import Finding, skipped
from affinity.cli.options import Security
from affinity.cli.soap_targets import client_context
from affinity.cli.targets import domain_of, loopback
from affinity.cli.verbs import wrong_use
from affinity.settings import Settings
from soap.client import client_tls

PUBLISHED = "ports.json"


def from_inside(settings: Settings, security: Security, *, domain_is_given: bool) -> Iterator[Finding]:
    """Everything about an installation, and about its server if one is running.

    Where no domain is given, it is the one with which the data directory was last used.
    """
    if not domain_is_given:
        settings = settings.model_copy(update={"domain": domain_of(settings)})
    yield from installation(settings)
    running = own_server(settings, security)
    if running is None:
        yield skipped("server", f"none is running: there is no {settings.data / PUBLISHED}")
    else:
        yield from server(running)


def own_server(settings: Settings, security: Security) -> Target | None:
    """The server that runs on a data directory, by the ports that it published; None if none does."""
    published = settings.data / PUBLISHED
    if not published.is_file():
        return None
    ports = json.loads(published.read_text())
    host = loopback(settings.listen.host)
    urls = tuple(f"{scheme}://{host}:{ports[scheme]}" for scheme in ("http", "https") if scheme in ports)
    mllp = tuple((host.strip("[]"), ports[name], name == "mllps") for name in ("mllp", "mllps") if name in ports)
    return Target(urls=urls, mllp=mllp, tls=_own_tls(settings, security), timeout=security.timeout)


def from_outside(urls: Iterable[str], addresses: Iterable[str], security: Security) -> Iterator[Finding]:
    """What can be seen of a server through its ports."""
    yield from server(elsewhere(urls, addresses, security))


def elsewhere(urls: Iterable[str], addresses: Iterable[str], security: Security) -> Target:
    """A server by its addresses."""
    mllp = tuple(_address(each, secured=security.tls_ca is not None) for each in addresses)
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise wrong_use(f"--url wants an http or https URL, not {url!r}")
    tls = client_context(security) or ssl.create_default_context()
    return Target(urls=tuple(urls), mllp=mllp, tls=tls, timeout=security.timeout)


def handshakes(addresses: Iterable[str], security: Security) -> Iterator[Finding]:
    """How a TLS handshake with each goes, and why."""
    if (security.cert is None) != (security.key is None):
        raise wrong_use("--cert and --key belong together")
    for each in addresses:
        host, port, _ = _address(each, secured=True)
        yield from handshake(host, port, security)


def _own_tls(settings: Settings, security: Security) -> ssl.SSLContext:
    """As asked for; else a development node's own client certificate."""
    asked, pki = client_context(security), settings.data / "pki"
    if asked is not None:
        return asked
    if (pki / "client.crt.pem").is_file():
        return client_tls(pki / "ca.crt.pem", pki / "client.crt.pem", pki / "client.key.pem")
    return ssl.create_default_context()


def _address(text: str, *, secured: bool) -> tuple[str, int, bool]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise wrong_use(f"--mllp and --connect want HOST:PORT, not {text!r}")
    return host.strip("[]"), int(port), secured
