"""Counts of what happens before a message: handshakes that fail, certificates that end."""

from affinity.metrics import HANDSHAKES_FAILED
from tls.failure import HandshakeFailure


def count_failure(failure: HandshakeFailure) -> None:
    """One more failed handshake."""
    HANDSHAKES_FAILED.labels(failure.side).inc()
