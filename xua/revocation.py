"""Certificate revocation lists as files, which somebody else keeps fresh (RFC 5280, sections 5 and 6.3).

A list is read again when its file changes. There is no OCSP: a question to the network in the path of every request
would give an outsider a say in whether patients' records can be reached.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock

import structlog
from cryptography import x509

from xua.errors import AssertionRefused, Subcode

log = structlog.get_logger()

_STAMP = tuple[int, int, int]


class Stale(StrEnum):
    """What is done when a list is older than its nextUpdate, or cannot be read: refuse its signers, or go on with the
    last one that could."""

    REFUSE = "refuse"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class _Read:
    """One state of the file: its stamp, the serial numbers on it, and when the next is due."""

    stamp: _STAMP
    serials: frozenset[int]
    next_update: datetime | None


class RevocationList:
    """One CRL, PEM or DER, of one of ``authorities``. Safe between threads."""

    def __init__(self, path: Path, authorities: tuple[x509.Certificate, ...], stale: Stale = Stale.REFUSE) -> None:
        """ValueError or OSError where the file holds no list that can be used."""
        self._path = path
        self._authorities = authorities
        self._stale = stale
        self._lock = Lock()
        self._read = self._load(_stamp(path))

    def check(self, certificate: x509.Certificate, now: datetime) -> None:
        """AssertionRefused for a certificate on the list, or when the list is too old to say."""
        read = self._current()
        if certificate.serial_number in read.serials:
            raise _refused("the signer's certificate is revoked")
        if self._stale is Stale.REFUSE and (read.next_update is None or now > read.next_update):
            raise _refused(f"the revocation list {self._path.name} is out of date since {read.next_update}")

    def covers(self, certificate: x509.Certificate) -> bool:
        """Claim that the list is one of the authority that issued the certificate."""
        return any(authority.subject == certificate.issuer for authority in self._authorities)

    def _current(self) -> _Read:
        """What the file says now; where it cannot be read, what it said last, unless that is refused."""
        try:
            stamp = _stamp(self._path)
            if stamp == self._read.stamp:
                return self._read
            with self._lock:
                if stamp != self._read.stamp:
                    self._read = self._load(stamp)
        except (OSError, ValueError) as error:
            log.error("revocation list unusable", reason=f"{self._path.name}: {error}")
            if self._stale is Stale.REFUSE:
                raise _refused(f"the revocation list {self._path.name} cannot be read") from error
        return self._read

    def _load(self, stamp: _STAMP) -> _Read:
        data = self._path.read_bytes()
        pem = data.lstrip().startswith(b"-----BEGIN")
        crl = x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
        self._refuse_foreign(crl)
        for extension in crl.extensions:
            if extension.critical and not _is_complete(extension.value):
                raise ValueError(f"{self._path}: a critical extension is not understood: {extension.oid.dotted_string}")
        return _Read(stamp, frozenset(each.serial_number for each in crl), crl.next_update_utc)

    def _refuse_foreign(self, crl: x509.CertificateRevocationList) -> None:
        for authority in self._authorities:
            # Pinned keys are RSA or EC (``xua.keys``).
            if authority.subject == crl.issuer and crl.is_signature_valid(authority.public_key()):  # type: ignore[arg-type]
                return
        raise ValueError(f"{self._path}: the revocation list is not signed by a pinned authority")


def _is_complete(value: x509.ExtensionType) -> bool:
    """Claim that a critical extension leaves nothing out: no delta, no other issuer's entries, no reasons apart."""
    return isinstance(value, x509.IssuingDistributionPoint) and not (
        value.indirect_crl
        or value.only_some_reasons
        or value.only_contains_attribute_certs
        or value.only_contains_ca_certs
    )


def _stamp(path: Path) -> _STAMP:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _refused(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, reason)
