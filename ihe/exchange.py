"""What surrounds a request: who asks, and when; and the shapes in which wires and profiles meet."""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from ihe.datatypes import Code
from ihe.partners import Partner, Quirk, Validation

if TYPE_CHECKING:
    from lxml.etree import _Element

Connection = TypeVar("Connection", covariant=True)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A person as a verified assertion names them (ITI TF-2: 3.40.4.1.2).

    ``alias`` is the Subject's SPProvidedID; audit writes ``alias<name_id@issuer>`` (ITI TF-2: 3.40.4.2).
    ``provider_identifier`` and ``resource_id`` are in CX form. ``docid`` and ``acp`` say which consent documents and
    published policies the caller relies on (Authz-Consent Option, ITI TF-2: 3.40.4.1.2.2).
    ``patient_bound``: with a ``resource_id``, requests about that patient alone are allowed.
    """

    issuer: str
    assertion_id: str
    name_id: str
    alias: str | None = None
    subject_id: str | None = None
    organization: tuple[str, ...] = ()
    organization_id: tuple[str, ...] = ()
    roles: tuple[Code, ...] = ()
    purpose_of_use: tuple[Code, ...] = ()
    home_community_id: str | None = None
    resource_id: str | None = None
    npi: str | None = None
    provider_identifier: tuple[str, ...] = ()
    docid: tuple[str, ...] = ()
    acp: tuple[str, ...] = ()
    patient_bound: bool = True


def note_nothing(_: str) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The circumstances of one request. ``correlation_id`` appears in logs and answers.

    ``peer`` is the network address of the other side and ``node`` the subject of the certificate that it proved.
    ``endpoint`` is the URL that was asked, where there is one. ``partner`` is the node that sent it, None where the
    domain has no agreement with it. ``on_forgiven`` is told of each deviation that was taken.
    """

    correlation_id: str
    received_at: datetime
    peer: str = ""
    partner: Partner | None = None
    principal: Principal | None = None
    node: str | None = None
    endpoint: str = ""
    validation: Validation = Validation.STRICT
    on_forgiven: Callable[[str], None] = note_nothing

    def forgive(self, quirk: Quirk) -> bool:
        """Claim that this quirk of the sender is taken; whoever asks does take it, so it is written down."""
        agreed = self.partner is not None and self.partner.has(quirk, self.received_at.date())
        if self.validation is Validation.STRICT and not agreed:
            return False
        self.on_forgiven(quirk)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One received binary part, spooled to disk. ``sha1`` and ``sha256`` are lower-case hex of the plain bytes."""

    content_id: str
    media_type: str
    size: int
    sha1: str
    sha256: str
    spooled: str


class Sink(Protocol):
    """Where one incoming part is written while it arrives."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def finish(self, content_id: str, media_type: str) -> Part:
        """Close the part and say what was received."""

    def discard(self) -> None:
        """Throw away what was written, also after ``finish``; harmless once the part was adopted by a store."""


NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
REFUSING = NO_ROOM | {errno.EROFS, errno.EIO}
"""What a disk says that its operator must mend; what it was asked to keep may be sent again then."""

Spool = Callable[[], Sink]
"""Makes a Sink for each incoming part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingPart:
    """One binary part of an answer; ``chunks`` opens it and yields its ``size`` bytes in bounded pieces.

    ``is_at_hand``: they are in memory already, and few.
    """

    content_id: str
    media_type: str
    size: int
    chunks: Callable[[], Iterator[bytes]]
    is_at_hand: bool = False


@dataclass(frozen=True, slots=True)
class SOAPRequest:
    """The body element of a request and its parts by Content-ID (no angle brackets, percent-decoded)."""

    body: "_Element"
    parts: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SOAPReply:
    """The body element of an answer as ready bytes, and the parts that its xop:Include elements name."""

    body: Iterable[bytes]
    parts: tuple[OutgoingPart, ...] = ()


class Transactor(Protocol[Connection]):
    """The database as a profile sees it: all of ``work`` or nothing; returns after the commit."""

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` on a consistent snapshot that is never written."""

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in a transaction and return its result after the commit is durable."""
