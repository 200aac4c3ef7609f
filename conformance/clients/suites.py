"""Every suite for a client, by name."""

from conformance.clients import (
    audit_sender,
    document_consumer,
    document_source,
    identity_source,
    pdq_consumer,
    pix_consumer,
    pix_manager,
    v3,
    x_service_user,
)
from conformance.clients.steps import ClientSuite

DELAY = 60.0
"""Seconds for which a late answer keeps away, unless a client is known to wait longer."""


def client_suites(delay: float = DELAY) -> tuple[ClientSuite, ...]:
    """All of them, in the order of a patient's way through the systems."""
    return (
        identity_source.suite(delay),
        v3.identity_source(delay),
        pix_consumer.suite(),
        v3.pix_consumer(),
        pdq_consumer.suite(),
        v3.pdq_consumer(),
        document_source.suite(delay),
        document_consumer.suite(),
        x_service_user.suite(),
        audit_sender.over_syslog(),
        audit_sender.over_udp(),
        audit_sender.over_fhir(),
        pix_manager.suite(),
    )


def client_suite(name: str, delay: float = DELAY) -> ClientSuite:
    """The suite of that name. ValueError names those that there are."""
    every = client_suites(delay)
    for each in every:
        if each.name == name:
            return each
    raise ValueError(f"there is no suite {name!r} for a client; there are {', '.join(each.name for each in every)}")
