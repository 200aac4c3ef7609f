"""A bucket of an S3-compatible store, by obstore: whole objects put and read back, bounded in time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from xds.documents import StoreUnavailable

Result = TypeVar("Result")

ATTEMPTS = 3
"""How often an object is asked for whose transfer broke in the middle; what fails before that obstore repeats."""

DRAFT = ".draft"
"""What a key ends with whose bytes shall take the place of another's."""


class NoObject(Exception):
    """There is no object of this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks: an access key and its secret, and a session token where they are temporary."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Which bucket, where. ``endpoint`` None: that of AWS in ``region``. ``authorities`` are trusted beside the system.

    ``seconds`` is how long one request may take, ``patience`` how long it is repeated while the store is busy.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    authorities: bytes | None = None
    seconds: float = 20
    patience: float = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object: its key without the prefix, its bytes, and since when it is there."""

    key: str
    size: int
    stored_at: datetime


class Bucket:
    """Objects by key. Each function raises StoreUnavailable where the store does not do as it is asked."""

    def __init__(self, address: Address, credentials: Callable[[], Credentials]) -> None:
        self._prefix = f"{address.prefix.strip('/')}/" if address.prefix.strip("/") else ""
        self._store = _open(address, credentials)

    def put(self, key: str, data: bytes) -> None:
        """Store an object and read it back: a store that changed it on its way does not have it."""
        path = self._prefix + key
        _asked(lambda: obstore.put(self._store, path, data, use_multipart=False))
        if self.get(key) != data:
            raise StoreUnavailable("the store returned other bytes than it was given")

    def replace(self, key: str, data: bytes) -> None:
        """Store other bytes in the place of an object, which stays until the store has them right under another key."""
        draft, path = f"{key}{DRAFT}", self._prefix + key
        self.put(draft, data)
        _asked(lambda: obstore.copy(self._store, self._prefix + draft, path))
        if self.get(key) != data:
            raise StoreUnavailable("the store copied other bytes than it was given")
        self.delete([draft])

    def get(self, key: str) -> bytes:
        """Read a whole object. NoObject if there is none."""
        for _ in range(1, ATTEMPTS):
            found = _asked(lambda: obstore.get(self._store, self._prefix + key))
            with suppress(StoreUnavailable):
                return _asked(lambda: found.bytes().to_bytes())  # noqa: B023 - asked at once
        return _asked(lambda: obstore.get(self._store, self._prefix + key).bytes().to_bytes())

    def size(self, key: str) -> int:
        """How many bytes an object has. NoObject if there is none."""
        return _asked(lambda: obstore.head(self._store, self._prefix + key)["size"])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is deleted."""
        paths = [self._prefix + key for key in keys]
        if paths:
            _asked(lambda: obstore.delete(self._store, paths))

    def list(self, directory: str = "") -> Iterator[Listed]:
        """Yield the objects below a directory, in the order of their keys."""
        pages = obstore.list(self._store, self._prefix + directory, chunk_size=1000)
        while page := _asked(lambda: next(pages, None)):
            for each in page:
                key = each["path"].removeprefix(self._prefix)
                yield Listed(key=key, size=each["size"], stored_at=each["last_modified"])


def _asked(ask: Callable[[], Result]) -> Result:
    """Ask the store; its errors name the request and never its headers."""
    try:
        return ask()
    except FileNotFoundError as error:
        raise NoObject from error
    except (BaseError, OSError, ValueError) as error:
        raise StoreUnavailable(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def _open(address: Address, credentials: Callable[[], Credentials]) -> S3Store:
    """The client; certificates are verified, whatever variables the environment has."""

    def provide() -> Any:
        held = credentials()
        return {
            "access_key_id": held.access_key_id,
            "secret_access_key": held.secret_access_key,
            "token": held.session_token,
            "expires_at": datetime.now(UTC) + timedelta(minutes=5),
        }

    options: dict[str, Any] = {
        "allow_http": (address.endpoint or "").startswith("http:"),
        "allow_invalid_certificates": False,
        "connect_timeout": timedelta(seconds=min(5.0, address.seconds)),
        "timeout": timedelta(seconds=address.seconds),
    }
    if address.authorities:
        options["root_certificate"] = address.authorities
    where: dict[str, Any] = {"endpoint": address.endpoint} if address.endpoint else {}
    return S3Store(
        address.bucket,
        region=address.region,
        virtual_hosted_style_request=False,
        skip_signature=False,
        unsigned_payload=False,
        client_options=options,  # type: ignore[arg-type]
        retry_config={"max_retries": ATTEMPTS, "retry_timeout": timedelta(seconds=address.patience)},
        credential_provider=provide,
        **where,
    )
