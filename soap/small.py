"""The body of a request that is no SOAP: kept in memory if it is small, dropped while it arrives if it is not."""

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from soap.faults import sender_fault


class SmallBody:
    """Takes a body of at most ``most`` bytes; ``content`` is None once it is longer."""

    refused: Failure | None = None

    def __init__(self, most: int) -> None:
        self._most = most
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def content(self) -> bytes | None:
        """What has arrived."""
        return b"".join(self._chunks) if self._size <= self._most else None

    def data(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size += len(chunk)
        if self._size <= self._most:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def end(self, then: Callable[[], None]) -> None:
        """It is all here."""
        then()

    def open(self) -> Any:
        """There is no envelope in it."""
        raise sender_fault("The body is no SOAP envelope", status=415)

    def throw_away(self) -> None:
        """Nothing was spooled."""

    def discard(self) -> None:
        """Nobody needs it any more."""
        self._chunks.clear()
