"""Where MLLP listens: plain, or with mutual TLS 1.2 or 1.3 (ITI TF-2: 3.19.6.2.3, TLS 1.2 floor using BCP195)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.ssl import (
    AcceptableCiphers,
    Certificate,
    CertificateOptions,
    DiffieHellmanParameters,
    TLSVersion,
    trustRootFromCertificates,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.filepath import FilePath

from mllp.factory import MLLPFactory

SUITES = ":".join(
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
    )
)
"""TLS 1.2: forward secrecy and authenticated encryption. 3.19.6.2.3 asks for the last three and ECDHE-RSA-AES256."""

DH_GROUP = Path(__file__).with_name("ffdhe3072.pem")
"""The group ffdhe3072 of RFC 7919, for the two DHE suites that IHE still asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """PEM files: our certificate with its chain, its private key, and the authorities that issue our partners'."""

    certificate: Path
    key: Path
    authorities: Path


def listen(reactor: Any, factory: MLLPFactory, host: str, port: int, tls: TLS | None = None) -> "Deferred[Any]":
    """Listen at an address (port 0: any free one); fires with Twisted's IListeningPort.

    Raises ValueError or OSError at once if a certificate file is not usable.
    """
    endpoint = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
    listening: Deferred[Any] = endpoint(reactor, port, interface=host).listen(secured(factory, tls, reactor))
    return listening


def secured(factory: MLLPFactory, tls: TLS | None, clock: Any = None) -> Any:
    """Put TLS around a factory, also for sockets that were bound elsewhere; None leaves it plain."""
    return factory if tls is None else _TLSFactory(server_context(tls), False, factory, clock)


def server_context(tls: TLS) -> CertificateOptions:
    """TLS 1.2 or 1.3 with the suites above; a client must show a certificate that one of ``authorities`` issued."""
    certificate, *chain = _certificates(tls.certificate)
    authorities = [Certificate.loadPEM(each.public_bytes(Encoding.PEM)) for each in _certificates(tls.authorities)]
    return CertificateOptions(
        privateKey=load_pem_private_key(tls.key.read_bytes(), password=None),
        certificate=certificate,
        extraCertChain=chain,
        trustRoot=trustRootFromCertificates(authorities),
        raiseMinimumTo=TLSVersion.TLSv1_2,
        acceptableCiphers=AcceptableCiphers.fromOpenSSLCipherString(SUITES),
        dhParameters=DiffieHellmanParameters.fromFile(FilePath(str(DH_GROUP))),
        enableSessions=True,
        enableSessionTickets=True,
    )


def _certificates(file: Path) -> list[x509.Certificate]:
    """Raises ValueError if the file holds none."""
    return x509.load_pem_x509_certificates(file.read_bytes())


class _TLSFactory(TLSMemoryBIOFactory):  # type: ignore[misc]
    """Twisted's, which cannot take a factory that refuses a connection."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)
