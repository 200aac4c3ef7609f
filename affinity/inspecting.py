"""Any file of certificates, keys and revocation lists, in words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from affinity.partners import alternative_names
from affinity.pki import is_development

BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "a TLS server",
    ExtendedKeyUsageOID.CLIENT_AUTH: "a TLS client",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "e-mail",
    ExtendedKeyUsageOID.CODE_SIGNING: "code",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP answers",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamps",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anything",
}
SMALLEST_RSA_KEY = 2048
SHOWN_SERIALS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One thing in a file: what it is, its properties by name in order, and what is to be said against it."""

    kind: str
    properties: dict[str, str]
    remarks: tuple[str, ...] = ()


def inspect(content: bytes, now: datetime | None = None) -> list[Inspected]:
    """Everything that is in a file. ValueError says that it holds nothing that is known."""
    now = now or datetime.now(UTC)
    things = list(_pem(content)) if b"-----BEGIN " in content else [_der(content)]
    certificates = [each for each in things if isinstance(each, x509.Certificate)]
    if not things:
        raise ValueError("it holds no whole PEM block")
    return [_inspected(each, certificates, now) for each in things]


def _pem(content: bytes) -> Iterator[Any]:
    for block in BLOCK.finditer(content):
        label, text = block[1].decode(), block[0] + b"\n"
        if label.endswith("PRIVATE KEY"):
            yield _private_key(text)
            continue
        read = READERS.get(label)
        yield read(text) if read else label


def _private_key(text: bytes) -> Any:
    try:
        return load_pem_private_key(text, password=None)
    except TypeError:
        return "a private key under a password"


READERS: dict[str, Callable[[bytes], Any]] = {
    "CERTIFICATE": x509.load_pem_x509_certificate,
    "X509 CRL": x509.load_pem_x509_crl,
    "CERTIFICATE REQUEST": x509.load_pem_x509_csr,
}


def _der(content: bytes) -> Any:
    tries: tuple[Callable[[bytes], Any], ...] = (
        x509.load_der_x509_certificate,
        x509.load_der_x509_crl,
        x509.load_der_x509_csr,
        lambda data: load_der_private_key(data, password=None),
        lambda data: pkcs12.load_pkcs12(data, None).cert.certificate,  # type: ignore[union-attr]
    )
    for read in tries:
        try:
            return read(content)
        except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
            continue
    raise ValueError(
        "it is no certificate, key, revocation list or request, in PEM or DER; a PKCS #12 file under a password is "
        "opened with: openssl pkcs12 -in FILE -out FILE.pem -nodes"
    )


def _inspected(thing: Any, certificates: list[x509.Certificate], now: datetime) -> Inspected:
    match thing:
        case x509.Certificate():
            return _certificate(thing, certificates, now)
        case x509.CertificateRevocationList():
            return _revocation_list(thing, now)
        case x509.CertificateSigningRequest():
            key = key_words(thing.public_key())
            return Inspected(kind="request", properties={"subject": thing.subject.rfc4514_string(), "key": key})
        case str():
            return Inspected(kind=thing, properties={})
        case _:
            return _key(thing, certificates)


def _certificate(shown: x509.Certificate, others: list[x509.Certificate], now: datetime) -> Inspected:
    properties = {
        "subject": shown.subject.rfc4514_string(),
        "issued by": _issuer(shown, others),
        "valid": _validity(shown.not_valid_before_utc, shown.not_valid_after_utc, now),
        "for": ", ".join(purposes(shown)),
        "names": ", ".join(sorted(alternative_names(shown))) or "none",
        "key": key_words(shown.public_key()),
        "signed with": _signature(shown),
        "serial": f"{shown.serial_number:x}",
        "sha256": shown.fingerprint(SHA256()).hex(),
    }
    return Inspected(kind="certificate", properties=properties, remarks=tuple(_remarks(shown, now)))


def _issuer(shown: x509.Certificate, others: list[x509.Certificate]) -> str:
    name = shown.issuer.rfc4514_string()
    if _issued(shown, shown):
        return "itself (self-signed)"
    for number, each in enumerate(others, 1):
        if _issued(shown, each):
            return f"{name} (certificate {number} of this file)"
    return name


def _issued(shown: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        shown.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def purposes(shown: x509.Certificate) -> Iterator[str]:
    """What a certificate may be used for, in words."""
    basic = _extension(shown, x509.BasicConstraints)
    if basic is not None and basic.ca:
        yield "a certificate authority"
    usage = _extension(shown, x509.ExtendedKeyUsage)
    if usage is None and not (basic is not None and basic.ca):
        yield "anything (no extendedKeyUsage)"
    for each in usage or ():
        yield PURPOSES.get(each, each.dotted_string)


def _extension(shown: x509.Certificate, kind: Any) -> Any:
    try:
        return shown.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _validity(start: datetime, end: datetime, now: datetime) -> str:
    dates = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    if now < start:
        return f"{dates}: not yet, in {_span(start - now)}"
    if now > end:
        return f"{dates}: over since {_span(now - end)}"
    return f"{dates}: {_span(end - now)} left"


def _span(time: timedelta) -> str:
    return f"{time.days} days" if time.days else f"{int(time.total_seconds() // 3600)} hours"


def key_words(key: Any) -> str:
    """What kind of key it is, and how strong."""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA, {key.key_size} bits"
        case ec.EllipticCurvePublicKey():
            return f"elliptic curve {key.curve.name}"
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return type(key).__name__.removesuffix("PublicKey")
        case dsa.DSAPublicKey():
            return f"DSA, {key.key_size} bits"
        case _:
            return type(key).__name__


def _signature(shown: x509.Certificate) -> str:
    try:
        algorithm = shown.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return shown.signature_algorithm_oid.dotted_string
    return algorithm.name.upper() if algorithm else "the key's own hash"


def _remarks(shown: x509.Certificate, now: datetime) -> Iterator[str]:
    if now > shown.not_valid_after_utc:
        yield "it has expired"
    if now < shown.not_valid_before_utc:
        yield "it is not valid yet: compare this machine's clock"
    if is_development(shown):
        yield "it is one of development: `affinity serve` refuses it"
    if _signature(shown) in ("SHA1", "MD5"):
        yield f"it is signed with {_signature(shown)}: TLS refuses that"
    key = shown.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SMALLEST_RSA_KEY:
        yield f"its key is shorter than {SMALLEST_RSA_KEY} bits"
    if "a TLS server" in purposes(shown) and not alternative_names(shown):
        yield "it names no host as subjectAltName: clients refuse such a server (ITI TF-2: 3.19.6.1.4)"


def _revocation_list(shown: x509.CertificateRevocationList, now: datetime) -> Inspected:
    serials = [f"{each.serial_number:x}" for each in shown]
    more = f" and {len(serials) - SHOWN_SERIALS} more" if len(serials) > SHOWN_SERIALS else ""
    end = shown.next_update_utc
    properties = {
        "issued by": shown.issuer.rfc4514_string(),
        "valid": _validity(shown.last_update_utc, end, now) if end else f"since {shown.last_update_utc:%Y-%m-%d %H:%M}",
        "revoked": f"{len(serials)} certificates",
        "serials": ", ".join(serials[:SHOWN_SERIALS]) + more,
    }
    over = end is not None and now > end
    remarks = (
        ("it is out of date: whom its authority has certified is refused until there is a new one",) if over else ()
    )
    return Inspected(kind="revocation list", properties=properties, remarks=remarks)


def _key(key: Any, certificates: list[x509.Certificate]) -> Inspected:
    own = _spelled(key.public_key())
    fitting = [number for number, each in enumerate(certificates, 1) if _spelled(each.public_key()) == own]
    properties = {"key": key_words(key.public_key())}
    if certificates:
        fits = f"certificate {fitting[0]} of this file" if fitting else "none of the certificates in this file"
        properties["belongs to"] = fits
    return Inspected(kind="private key", properties=properties, remarks=("it is not encrypted: keep it from others",))


def _spelled(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
