"""Where the documents of a node are: in files of its data directory, or in a bucket that several nodes may share."""

import configparser
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from affinity.data_directory import UnusableData
from affinity.settings import DocumentStoreKind, Settings
from xds.documents import DocumentStore
from xds.file_store import FileStore
from xds.key_file import KeyFile, create_keys

if TYPE_CHECKING:
    from xds.bucket import Credentials

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Environment variables, and in lower case the keys of a credentials file, as other programs have them."""


def open_store(settings: Settings) -> DocumentStore:
    """Open the document store of these settings. Raises UnusableData."""
    if settings.documents.store is DocumentStoreKind.S3:
        return _object_store(settings)
    content = settings.data / "documents" / "content"
    return FileStore(settings.data / "documents", _keys(settings, lambda: any(content.glob("*/*/*.sealed"))))


def key_file(settings: Settings) -> Path:
    """Where the keys are that seal documents: the configured file, else one made once in the data directory."""
    return settings.master_key or settings.data / "documents.key"


def _object_store(settings: Settings) -> DocumentStore:
    # Imported here: its client takes memory and threads that a node with files does not need.
    from xds.bucket import Address, Bucket
    from xds.object_store import ObjectStore

    chosen = settings.documents
    address = Address(
        bucket=chosen.bucket or "",
        prefix=chosen.prefix,
        endpoint=chosen.endpoint,
        region=chosen.region,
        authorities=_read(chosen.authorities) if chosen.authorities else None,
        seconds=chosen.request_seconds,
        patience=chosen.retry_seconds,
    )
    held = _credentials(chosen.credentials)
    held()  # found now, or the node does not start
    bucket = Bucket(address, held)
    keys = _keys(settings, lambda: any(bucket.list()))
    return ObjectStore(bucket, settings.data / "documents" / "spool", keys)


def _credentials(file: Path | None) -> "Callable[[], Credentials]":
    """Who asks the bucket, read anew each time: a file that is replaced counts at once. Raises UnusableData."""
    from xds.bucket import Credentials

    def read() -> Credentials:
        found = _of_file(file) if file else {name.lower(): os.environ.get(name, "") for name in VARIABLES}
        id, secret, token = (found.get(name.lower(), "") for name in VARIABLES)
        if not id or not secret:
            where = str(file) if file else "the environment"
            raise UnusableData(f"{where} has no {VARIABLES[0]} and {VARIABLES[1]}: nobody can ask the bucket")
        return Credentials(access_key_id=id, secret_access_key=secret, session_token=token or None)

    return read


def _of_file(file: Path) -> dict[str, str]:
    """The section ``default`` of a credentials file in the form of the AWS tools."""
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(_read(file).decode())
    except (configparser.Error, UnicodeDecodeError):
        # Their text would hold the line, and with it the secret.
        raise UnusableData(f"{file} is no credentials file: it begins with [default], then key = value") from None
    return dict(parser["default"]) if parser.has_section("default") else {}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnusableData(f"{file} cannot be read: {error.strerror}") from error


def _keys(settings: Settings, anything_is_sealed: Callable[[], bool]) -> KeyFile | None:
    if not settings.encrypt_documents:
        return None
    file = key_file(settings)
    if settings.master_key or file.exists():
        return _load(file)
    if anything_is_sealed():
        raise UnusableData(
            f"{file} is missing, but stored documents are sealed with its keys; restore it from a backup"
        )
    create_keys(file)
    return KeyFile(file)


def _load(file: Path) -> KeyFile:
    try:
        return KeyFile(file)
    except ValueError as error:
        raise UnusableData(
            f"{file} holds no usable keys ({error}); it has one key a line, of 64 hexadecimal digits. Documents sealed "
            "under a lost key cannot be read again: restore the file from a backup"
        ) from error
