"""The key that seals the audit trail: Ed25519, made once, in a file. Here alone cryptography is imported."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ihe.durable import write_whole


class UnusableKey(ValueError):
    """The file holds no key that seals."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Tells our signatures from others."""

    key: Ed25519PublicKey

    @property
    def pem(self) -> str:
        """The public key, fit to be kept elsewhere."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Claim that the holder of the key signed exactly this."""
        try:
            self.key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SealingKey:
    """Signs batches."""

    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """What others need to verify."""
        return Verifier(self.key.public_key())

    def sign(self, content: bytes) -> bytes:
        """Sign."""
        return self.key.sign(content)


def sealing_key(file: Path) -> SealingKey:
    """Load the key, or make it if there is none yet. Raises UnusableKey."""
    if not file.exists():
        _create(file)
    return kept_key(file)


def kept_key(file: Path) -> SealingKey:
    """Load the key that is there. Raises UnusableKey."""
    if not file.exists():
        raise UnusableKey(f"{file} is missing: restore it from a backup; without it nothing can be said of the seals")
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise UnusableKey(f"{file} holds no private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey(f"{file} holds a key of another kind than Ed25519")
    return SealingKey(key)


def verifier(pem: str) -> Verifier:
    """Read a public key. Raises UnusableKey."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise UnusableKey(f"no public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnusableKey("the public key is of another kind than Ed25519")
    return Verifier(key)


def _create(file: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_whole(file, pem)
