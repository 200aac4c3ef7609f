"""What is told of exchanges, so that they are audited: that they begin, and how they end."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from ihe.exchange import Exchange
from ihe.transactions import Transaction
from xua.errors import AssertionRefused

Wire = Any


class Outcomes(Protocol):
    """What is told how an exchange ends. Each raises AuditUnavailable where it must be recorded and cannot."""

    request: Any

    def succeeded(self, response: Any) -> None:
        """The answer may leave."""

    def refused(self, why: str) -> None:
        """The request is refused."""

    def failed(self, error: Exception) -> None:
        """The request broke something."""


class Auditing(Protocol):
    """Opens the audit of exchanges."""

    def open(
        self, transaction: Transaction[Any, Any, Any, Any, Any], wire: Wire, exchange: Exchange
    ) -> AbstractContextManager[Outcomes]:
        """A context in which the exchange is open; it gives what is told the outcome."""

    def unauthenticated(
        self, transaction: Transaction[Any, Any, Any, Any, Any], exchange: Exchange, refused: AssertionRefused
    ) -> None:
        """Record that nobody could be recognised, so that no exchange began. Raises AuditUnavailable."""

    def not_admitted(self, exchange: Exchange, reason: str) -> None:
        """Record that a node was not let in. Raises AuditUnavailable."""


class Unaudited:
    """Records nothing: for tests of what lies beneath."""

    request: Any = None

    def open(self, transaction: object, wire: Wire, exchange: Exchange) -> "Unaudited":
        """Open nothing."""
        return self

    def __enter__(self) -> "Unaudited":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        """Nothing was opened."""

    def unauthenticated(self, transaction: object, exchange: Exchange, refused: AssertionRefused) -> None:
        """Nobody asks."""

    def succeeded(self, response: Any) -> None:
        """Nobody asks."""

    def refused(self, why: str) -> None:
        """Nobody asks."""

    def not_admitted(self, exchange: Exchange, reason: str) -> None:
        """Nobody asks."""

    def failed(self, error: Exception) -> None:
        """Nobody asks."""


UNAUDITED = Unaudited()
