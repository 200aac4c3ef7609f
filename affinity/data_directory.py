"""The data directory of a node: one process, or one parent with its workers, holds it; the keys of its documents."""

import fcntl
import os
from pathlib import Path

from affinity.settings import Settings
from xds.encryption import KeyRing, create_keys, load_keys


class UnusableData(ValueError):
    """The node must not start on this data directory; the text says what to mend."""


def lock_data(data: Path) -> int:
    """Make sure that no other process works in the data directory. Returns the descriptor that holds the lock."""
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        # Two processes would each believe that they alone write to it.
        raise UnusableData(f"{data} is in use by another affinity process; stop it or choose --data") from None
    return descriptor


def document_keys(settings: Settings) -> KeyRing | None:
    """The key that seals documents: the configured file, else one made once in the data directory."""
    if not settings.encrypt_documents:
        return None
    file = settings.master_key or settings.data / "documents.key"
    if settings.master_key or file.exists():
        return _load(file)
    if any((settings.data / "documents" / "content").glob("*/*/*.sealed")):
        raise UnusableData(
            f"{file} is missing, but stored documents are sealed with its keys; restore it from a backup"
        )
    return create_keys(file)


def _load(file: Path) -> KeyRing:
    try:
        return load_keys(file)
    except ValueError as error:
        raise UnusableData(
            f"{file} holds no usable keys ({error}); it has one key a line, of 64 hexadecimal digits. Documents sealed "
            "under a lost key cannot be read again: restore the file from a backup"
        ) from error
