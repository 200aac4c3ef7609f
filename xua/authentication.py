"""Which SOAP requests must say who asks: none, those that claim to, or all (ITI TF-2: 3.40.4.1.1)."""

from datetime import datetime
from enum import StrEnum

from lxml.etree import _Element

from ihe.exchange import Principal
from xua.envelope import find_security
from xua.verifier import Verifier


class XUAMode(StrEnum):
    """When the Provide X-User Assertion transaction is necessary."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


def authenticate(
    envelope: _Element,
    mode: XUAMode,
    verifier: Verifier,
    now: datetime,
    client_certificate: bytes | None = None,
    profile: str | None = None,
) -> Principal | None:
    """The person who asks; None where nobody needs to say. Raises AssertionRefused.

    Optional means that an assertion may be absent, never that a bad one passes. ``profile`` is the token profile agreed
    with the sender.
    """
    if mode is XUAMode.OFF:
        return None
    if mode is XUAMode.OPTIONAL:
        security = find_security(envelope)
        return None if security is None else verifier.verify_header(security, now, client_certificate, profile)
    return verifier.verify(envelope, now, client_certificate, profile)
