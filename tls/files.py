"""What a node shows and whom it believes, as files (ITI TF-2: 3.19.6.1); PEM, or DER where one thing is in a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

SUITES = ":".join(
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
    )
)
"""TLS 1.2: forward secrecy and authenticated encryption. 3.19.6.2.3 asks for the last three and ECDHE-RSA-AES256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """Files: our certificate with its chain, its key, the authorities that issue our partners', what these revoked.

    ``pinned`` are SHA-256 fingerprints of clients' certificates that are trusted by themselves (3.19.6.1.2).
    """

    certificate: Path
    key: Path
    authorities: Path
    revocation_lists: tuple[Path, ...] = ()
    pinned: frozenset[str] = frozenset()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file, in the order in which they are read."""
        return (self.certificate, self.key, self.authorities, *self.revocation_lists)


def certificates(file: Path) -> list[x509.Certificate]:
    """The certificates of a file, PEM or DER. ValueError says that it holds none."""
    content = file.read_bytes()
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificates(content)
    return [x509.load_der_x509_certificate(content)]


def revocation_lists(file: Path) -> Iterator[x509.CertificateRevocationList]:
    """The revocation lists of a file, PEM or DER. ValueError says that it holds none."""
    content, end = file.read_bytes(), b"-----END X509 CRL-----"
    if b"-----BEGIN" not in content:
        yield x509.load_der_x509_crl(content)
        return
    pieces = content.split(end)[:-1]
    if not pieces:
        raise ValueError("no X509 CRL in PEM form")
    for piece in pieces:
        yield x509.load_pem_x509_crl(piece[piece.index(b"-----BEGIN") :] + end + b"\n")
