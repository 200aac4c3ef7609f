"""Where MLLP listens: plain, or with mutual TLS (ITI TF-2: C.2.1, 3.19)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint

from mllp.factory import MLLPFactory
from tls.files import TLS
from tls.server import Certificates, secured


def listen(reactor: Any, factory: MLLPFactory, host: str, port: int, tls: TLS | None = None) -> "Deferred[Any]":
    """Listen at an address (port 0: any free one); fires with Twisted's IListeningPort.

    Raises ValueError or OSError at once if a certificate file is not usable.
    """
    endpoint = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
    certificates = None if tls is None else Certificates(tls)
    listening: Deferred[Any] = endpoint(reactor, port, interface=host).listen(secured(factory, certificates, reactor))
    return listening
