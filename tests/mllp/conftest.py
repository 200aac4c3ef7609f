"""A trivial answer function and one listening port on a reactor of its own thread."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.threads import blockingCallFromThread

from affinity.pki import DevelopmentPKI, development_pki
from hl7v2.ack import ack
from hl7v2.er7 import parse, serialize
from ihe.exchange import Exchange
from mllp.client import Address
from mllp.endpoint import listen
from mllp.factory import MLLPFactory
from mllp.patience import Limits
from mllp.replies import Peer
from tls.files import TLS


async def acknowledge(data: bytes, peer: Peer) -> bytes | None:
    """Accept everything, except that ADT^A99 fails in a way that nobody foresaw, and MSH-16 NE wants no answer."""
    message = parse(data)
    if message.trigger == "ADT^A99":
        raise ZeroDivisionError("a defect")
    if message.header.text(16) == "NE":
        return None
    exchange = Exchange(correlation_id=peer.subject or "plain", received_at=datetime.now(UTC), peer=peer.address)
    accepted = ack(message, None, exchange)
    return serialize(accepted) if accepted else None


class Node:
    """Ports on loopback whose reactor runs in a thread."""

    def __init__(self) -> None:
        self.reactor: Any = SelectReactor()
        self._thread = threading.Thread(target=self.reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
        self._thread.start()

    def serve(self, limits: Limits | None = None, tls: TLS | None = None, answer: Any = acknowledge) -> Address:
        """Open one port and say where it is."""
        self.factory = MLLPFactory(answer, self.reactor, limits)
        port = self.call(listen, self.reactor, self.factory, "127.0.0.1", 0, tls)
        return Address(host="127.0.0.1", port=port.getHost().port)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function on the reactor, wait for its Deferred, return or raise its result."""
        return blockingCallFromThread(self.reactor, function, *arguments)

    def stop(self) -> None:
        """Stop the reactor and its thread."""
        self.reactor.callFromThread(self.reactor.stop)
        self._thread.join(10)


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A reactor of its own, beside the one that other tests may use."""
    running = Node()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPKI:
    """Development certificates."""
    return development_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def server_tls(pki: DevelopmentPKI) -> TLS:
    """What the server shows and trusts."""
    return TLS(certificate=pki.server.certificate, key=pki.server.key, authorities=pki.authority.certificate)


@pytest.fixture(scope="session")
def client_tls(pki: DevelopmentPKI) -> TLS:
    """What a partner shows and trusts."""
    return TLS(certificate=pki.client.certificate, key=pki.client.key, authorities=pki.authority.certificate)


@pytest.fixture
def pending() -> "list[Deferred[bytes | None]]":
    """Answers that a test fires when it likes."""
    return []


@pytest.fixture(scope="session")
def stranger_tls(client_tls: TLS, tmp_path_factory: pytest.TempPathFactory) -> TLS:
    """What somebody shows whose certificate another authority issued."""
    other = development_pki(Path(tmp_path_factory.mktemp("stranger")))
    return TLS(certificate=other.client.certificate, key=other.client.key, authorities=client_tls.authorities)
