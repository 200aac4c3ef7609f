"""One TLS port on loopback whose failed handshakes are kept, and certificates with every defect."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from affinity import authority
from affinity.authority import Authority, Credential
from mllp.client import client_context
from mllp.factory import MLLPFactory
from tests.mllp.conftest import Node, acknowledge
from tls.failure import HandshakeFailure
from tls.files import TLS
from tls.places import Places
from tls.server import Certificates, secured
from tls.verification import fingerprint
from xua.keys import make_stranger

NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def reactor() -> Iterator[Node]:
    """A reactor in a thread."""
    running = Node()
    yield running
    running.stop()


@dataclass
class Stock:
    """Certificates of one authority, good and bad, by name."""

    directory: Path
    lists: Path = field(init=False)

    def __post_init__(self) -> None:
        past, now, later = (Authority(self.directory, NOW + timedelta(days=days)) for days in (-500, 0, 30))
        now.issue("server", authority.server())
        now.issue("client", authority.client("lis.example.org"))
        now.issue("revoked", authority.client("revoked.example.org"))
        past.renew("expired", authority.client("expired.example.org"))
        past.renew("expired-server", authority.server())
        later.renew("not-yet", authority.client("not-yet.example.org"))
        other = Authority(self.directory / "other", NOW, "Another CA")
        other.issue("client", authority.client("stranger.example.org"))
        other.issue("server", authority.server())
        self._self_signed()
        self.lists = now.revoke([self.certificate("revoked")])

    def tls(self, name: str, authorities: str = "ca", **options: Any) -> TLS:
        """What one node shows and believes."""
        shown = self.credential(name)
        trusted = self.credential(authorities).certificate
        return TLS(certificate=shown.certificate, key=shown.key, authorities=trusted, **options)

    def credential(self, name: str) -> Credential:
        """The files of a certificate."""
        return authority.credential(self.directory, name)

    def certificate(self, name: str) -> x509.Certificate:
        """A certificate."""
        return x509.load_pem_x509_certificate(self.credential(name).certificate.read_bytes())

    def fingerprint(self, name: str) -> str:
        """How it is pinned."""
        return fingerprint(self.certificate(name).public_bytes(Encoding.DER))

    def _self_signed(self) -> None:
        key, certificate = make_stranger(NOW)
        made = self.credential("self-signed")
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Certificates for every test."""
    return Stock(tmp_path_factory.mktemp("certificates"))


@dataclass
class Port:
    """A TLS port that acknowledges HL7 v2 messages."""

    number: int
    certificates: Certificates
    factory: MLLPFactory
    places: Places
    failures: "Queue[HandshakeFailure]"

    def failure(self) -> HandshakeFailure:
        """The next handshake that failed."""
        return self.failures.get(timeout=20)


Open = Callable[..., Port]


@pytest.fixture
def open_port(reactor: Node) -> Open:
    """Open ports."""

    def start(tls: TLS, places: Places | None = None) -> Port:
        certificates, failures = Certificates(tls), Queue[HandshakeFailure]()
        factory = MLLPFactory(acknowledge, reactor.reactor, None, places)
        outer = secured(factory, certificates, reactor.reactor, failures.put)
        listening = reactor.call(reactor.reactor.listenTCP, 0, outer, 50, "127.0.0.1")
        return Port(listening.getHost().port, certificates, factory, places or Places(), failures)

    return start


@pytest.fixture
def context(stock: Stock) -> ssl.SSLContext:
    """A client's context with a good certificate."""
    return client_context(stock.tls("client"))
