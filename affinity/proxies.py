"""Proxies that end TLS for others: only one with an agreement is believed, for its certificate, in its one header."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from affinity.admission import CITATION, Shown
from affinity.partners import Partners, Proxy
from soap.context import Connection
from soap.faults import SOAPFault, sender_fault
from tls.forwarded import Untrusted

log = structlog.get_logger()

FORBIDDEN = 403
BYTE_SEQUENCE = re.compile(r":([A-Za-z0-9+/=]+):")
"""How RFC 9440 writes a certificate (RFC 8941: 3.3.5)."""


def tell_nobody(_: Shown, __: str) -> None:
    """The log is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """Who is behind a connection. ``verify`` raises Untrusted for a certificate that this node would not let in.

    ``on_refusal`` is told what the proxy itself has proved, and why what it forwards is not believed.
    """

    partners: Partners
    verify: Callable[[x509.Certificate], None]
    on_refusal: Callable[[Shown, str], None] = tell_nobody

    def __call__(self, connection: Connection, headers: Any) -> Connection:
        """The connection as it is; of a proxy that forwards a certificate, its client's. Raises SOAPFault."""
        agreement = self.partners.shown(connection.certificate) if connection.certificate else None
        if agreement is None or agreement.proxy is None:
            return connection
        forwarded = headers.getRawHeaders(agreement.proxy.header.encode()) or []
        if not any(forwarded):
            return connection  # the proxy speaks for itself, or for a client without a certificate
        try:
            shown = self._certificate(agreement.proxy, forwarded)
        except ValueError as error:
            raise self._unbelieved(agreement.partner.name, connection, error) from error
        return replace(connection, certificate=shown)

    def _unbelieved(self, partner: str, connection: Connection, error: ValueError) -> SOAPFault:
        reason = f"the forwarded certificate is not let in: {error}" if isinstance(error, Untrusted) else str(error)
        log.warning("forwarded certificate refused", partner=partner, peer=connection.peer, reason=reason)
        self.on_refusal(Shown(peer=connection.peer, certificate=connection.certificate), reason)
        return sender_fault(f"Proxy {partner}: {reason} ({CITATION})", status=FORBIDDEN)

    def _certificate(self, proxy: Proxy, forwarded: list[bytes]) -> bytes:
        if len(forwarded) != 1:
            raise ValueError(f"the header {proxy.header} stands more than once")
        shown = _read(forwarded[0].decode("latin-1").strip(), proxy)
        self.verify(shown)
        certificate = shown.public_bytes(Encoding.DER)
        behind = self.partners.shown(certificate)
        if behind is not None and behind.proxy is not None:
            raise ValueError("a proxy does not speak for another proxy")
        return certificate


def _read(text: str, proxy: Proxy) -> x509.Certificate:
    try:
        if proxy.encoding == "url-pem":
            return x509.load_pem_x509_certificate(unquote_to_bytes(text))
        written = BYTE_SEQUENCE.fullmatch(text)
        if written is None:
            raise ValueError("no byte sequence")
        return x509.load_der_x509_certificate(base64.b64decode(written[1], validate=True))
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"the header {proxy.header} holds no certificate in the form {proxy.encoding}") from error
