"""One request of a steward, and its answer, without the wire."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from affinity.stewardship import bodies
from affinity.stewardship.access import StewardName
from affinity.stewardship.bodies import Body
from affinity.stewardship.shapes import Plain
from pix.model import Origin

TRANSACTION = "stewardship"
"""What the events of a steward's decision name as their transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. ``path`` is what follows ``/pix/stewardship/``; ``content`` is None if it is too long."""

    method: str
    path: tuple[str, ...]
    query: str = ""
    authorization: str = ""
    content_type: str = ""
    content: bytes | None = b""
    peer: str = ""
    secure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request of a steward who is who he or she says."""

    call: Call
    steward: StewardName
    correlation: str

    @property
    def body(self) -> Body:
        """What the request sends."""
        return bodies.body(self.call.content_type, self.call.content)

    def parameters(self, *known: str) -> Mapping[str, str]:
        """What the URL asks."""
        return bodies.parameters(self.call.query, *known)

    def origin(self, reason: str | None) -> Origin:
        """Where the events of this request come from: each request is a message of its own."""
        return Origin(
            source=f"steward|{self.steward}",
            message_id=self.correlation,
            digest=self.correlation,
            answer=b"",
            transaction=TRANSACTION,
            reason=reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status and body."""

    status: int
    content: Plain


class Audited(Protocol):
    """Is told how a call ends, before its answer leaves."""

    steward: str | None

    def answered(self, status: int) -> None:
        """The answer may leave, once this returns."""


class _Unaudited:
    steward: str | None = None

    def answered(self, status: int) -> None:
        """Nobody asks."""


@contextmanager
def unaudited(_call: Call) -> Iterator[Audited]:
    """Records nothing: for tests of what lies beneath."""
    yield _Unaudited()
