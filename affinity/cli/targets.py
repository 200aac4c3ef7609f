"""A node on this machine, whose addresses stand in for those that were not given; and whom to call by MLLP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from affinity.cli.options import Security, Sender
from affinity.cli.verbs import wrong_use
from affinity.client.hl7 import Route
from affinity.settings import Settings, load
from mllp.client import Address
from tls.files import TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """A node on this machine: its domain's name or directory, and its ports as it published them, or as configured."""

    domain: str
    host: str
    ports: Mapping[str, int]

    @classmethod
    def find(cls, data: Path | None, domain: str | None = None) -> Self:
        """By the settings that ``affinity up`` would have here: environment variables count, too."""
        given = {"data": data, "domain": domain}
        settings = load(None, {name: value for name, value in given.items() if value is not None})
        used = settings.domain if domain is not None else domain_of(settings)
        return cls(domain=used, host=loopback(settings.listen.host), ports=_ports(settings))

    def url(self, path: str) -> str:
        """The plain HTTP address of a path."""
        if "http" not in self.ports:
            raise wrong_use("the node on this machine has no plain HTTP port: give the address, with https")
        return f"http://{self.host}:{self.ports['http']}{path}"

    def mllp(self) -> str:
        """The plain MLLP address."""
        if "mllp" not in self.ports:
            raise wrong_use("the node on this machine has no plain MLLP port: give --mllp HOST:PORT and --tls-ca")
        return f"{self.host}:{self.ports['mllp']}"


def mllp_address(given: str | None, security: Security, node: LocalNode) -> Address:
    """Whom to call by MLLP. TLS is mutual there, so its three files belong together (ITI TF-2: 3.19)."""
    host, colon, port = (given or node.mllp()).rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise wrong_use(f"--mllp wants HOST:PORT, not {given!r}")
    return Address(host=host.strip("[]"), port=int(port), tls=_mutual_tls(security))


def route(sender: Sender) -> Route:
    """MSH-3 to MSH-6."""
    application, bar, facility = sender.sender.partition("|")
    receiving, other_bar, receiving_facility = sender.receiver.partition("|")
    if not bar or not other_bar:
        raise wrong_use("--sender and --receiver have the form APPLICATION|FACILITY")
    return Route(
        application=application,
        facility=facility,
        receiving_application=receiving,
        receiving_facility=receiving_facility,
    )


def _mutual_tls(security: Security) -> TLS | None:
    if security.tls_ca is None and security.cert is None and security.key is None:
        return None
    if security.tls_ca is None or security.cert is None or security.key is None:
        raise wrong_use(
            "MLLP over TLS takes a certificate of both sides: give --tls-ca, --cert, --key (ITI TF-2: 3.19)"
        )
    return TLS(certificate=security.cert, key=security.key, authorities=security.tls_ca)


def _ports(settings: Settings) -> Mapping[str, int]:
    published = settings.data / "ports.json"
    if published.is_file():
        found: dict[str, int] = json.loads(published.read_text())
        return found
    listen = settings.listen
    known = {"http": listen.http_port, "https": listen.https_port, "mllp": listen.mllp_port, "mllps": listen.mllps_port}
    return {name: port for name, port in known.items() if port}


def domain_of(settings: Settings) -> str:
    """The domain that the data directory was last used with; else the configured one."""
    note = settings.data / "domain.txt"
    return note.read_text().strip() if note.is_file() else settings.domain


def loopback(host: str) -> str:
    """Where this machine reaches a server that listens on ``host``, as it stands in a URL."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
