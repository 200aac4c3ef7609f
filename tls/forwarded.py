"""A client's certificate that a proxy has forwarded: verified as if the client had shown it here (RFC 9440: 3.1)."""

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL.crypto import X509, X509Store, X509StoreContext, X509StoreContextError, X509StoreFlags

from tls.files import TLS, certificates, revocation_lists
from tls.verification import NO_REVOCATION_LIST, fingerprint, issuers
from tls.words import certificate_fault

PURPOSE, NOT_YET, OVER = 26, 9, 10


class Untrusted(ValueError):
    """The certificate is not one of a client that this node trusts; the text says why."""


class ForwardedCertificates:
    """Verifies certificates against the files of a node, as they were when this was made."""

    def __init__(self, tls: TLS) -> None:
        self._pinned = tls.pinned
        self._authorities = certificates(tls.authorities)
        self._lists = [found for file in tls.revocation_lists for found in revocation_lists(file)]

    def verify(self, shown: x509.Certificate, now: datetime | None = None) -> None:
        """Raises Untrusted."""
        now = now or datetime.now(UTC)
        self._check_dates(shown, now)
        if fingerprint(shown.public_bytes(Encoding.DER)) in self._pinned:
            return
        _check_purpose(shown)
        self._check_chain(X509.from_cryptography(shown), now)

    def _check_chain(self, shown: Any, now: datetime) -> None:
        try:
            X509StoreContext(self._store(now, lists=True), shown).verify_certificate()
        except X509StoreContextError as error:
            code = error.errors[0]
            if code == NO_REVOCATION_LIST and self._unlisted(shown):
                return self._check_chain_alone(shown, now)
            raise Untrusted(certificate_fault(code)) from error

    def _check_chain_alone(self, shown: Any, now: datetime) -> None:
        try:
            X509StoreContext(self._store(now, lists=False), shown).verify_certificate()
        except X509StoreContextError as error:
            raise Untrusted(certificate_fault(error.errors[0])) from error

    def _unlisted(self, shown: Any) -> bool:
        return shown.to_cryptography().issuer.rfc4514_string() not in issuers(self._lists)

    def _store(self, now: datetime, *, lists: bool) -> X509Store:
        store = X509Store()
        for each in self._authorities:
            store.add_cert(X509.from_cryptography(each))
        store.set_flags(X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(now)
        for found in self._lists if lists else ():
            store.add_crl(found)
            store.set_flags(X509StoreFlags.CRL_CHECK)
        return store

    def _check_dates(self, shown: x509.Certificate, now: datetime) -> None:
        if now < shown.not_valid_before_utc:
            raise Untrusted(certificate_fault(NOT_YET))
        if now > shown.not_valid_after_utc:
            raise Untrusted(certificate_fault(OVER))


def _check_purpose(shown: x509.Certificate) -> None:
    try:
        purposes = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise Untrusted(certificate_fault(PURPOSE))
