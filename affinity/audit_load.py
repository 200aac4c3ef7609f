"""The audit trail as the courier of one repository sees it: loads of it, and how far it is."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from affinity.collectors import Parcel
from affinity.shifts import Shift
from atna.forwarding import Backlog, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The next parcels, and up to which number the trail has been looked through for them.

    ``waits``: a number behind that is not there yet, and may be in a moment.
    """

    parcels: Sequence[Parcel]
    through: int
    waits: bool = False


class Outbox(Protocol):
    """The trail as one courier sees it."""

    def shift(self) -> AbstractContextManager[Shift]:
        """Be the one node that brings it, as long as the context lasts."""

    def progress(self) -> Progress:
        """How far it was when last written down."""

    def note(self, progress: Progress) -> None:
        """Write down how far it is."""

    def load(self, after: int, limit: int) -> Load:
        """What comes after a number, in order and without gaps."""

    def backlog(self, after: int) -> Backlog:
        """How much comes after a number."""
