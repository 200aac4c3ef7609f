"""Which certificates may have made an assertion's signature: those pinned to the issuer, or one of its authority.

With an authority the message itself shows the certificate, in KeyInfo. It is believed only if a pinned authority issued
it, and if it shows what the issuer's signers show: a hospital's TLS client certificate of the same authority does not.
"""

from datetime import datetime

from lxml.etree import _Element

from xua.errors import AssertionRefused, Subcode
from xua.keys import Certificate, issuing_authority, load_shown_certificate, refuse_other_purposes
from xua.names import clark
from xua.trust import TrustedIssuer

MOST_SHOWN = 4
"""Certificates of one KeyInfo that are looked at."""


def signing_certificates(assertion: _Element, issuer: TrustedIssuer, now: datetime) -> tuple[Certificate, ...]:
    """The certificates to verify with, in this order. AssertionRefused where there is none."""
    if not issuer.authorities:
        return issuer.certificates
    acceptable, reasons = _shown(assertion, issuer, now)
    candidates = (*issuer.certificates, *acceptable)
    if not candidates:
        raise AssertionRefused(
            Subcode.INVALID_SECURITY_TOKEN, "; ".join(reasons) or "KeyInfo shows no certificate of the signer"
        )
    return candidates


def _shown(assertion: _Element, issuer: TrustedIssuer, now: datetime) -> tuple[list[Certificate], list[str]]:
    """The certificates in KeyInfo that may sign for the issuer, and why the others may not."""
    written = assertion[1].findall("/".join(map(clark, ("ds:KeyInfo", "ds:X509Data", "ds:X509Certificate"))))
    if len(written) > MOST_SHOWN:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, f"KeyInfo shows {len(written)} certificates")
    acceptable: list[Certificate] = []
    reasons: list[str] = []
    for element in written:
        try:
            certificate = load_shown_certificate(element.text or "")
            issuing_authority(certificate, issuer.authorities, now)
            rule = issuer.shown_by_signers
            refuse_other_purposes(certificate, rule.extended_key_usages, rule.subject)
            acceptable.append(certificate)
        except ValueError as error:
            reasons.append(str(error))
    return acceptable, reasons
