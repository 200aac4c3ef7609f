"""How many connections one peer may hold: an address until it is known who is there, then the partner.

So whoever opens connections without end, or half opens them, takes no partner's place.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seat:
    """Who holds a connection, and how many of them they may; None: as many as there are."""

    holder: Hashable
    most: int | None = None


Recognize = Callable[[bytes], Seat | None]
"""Says who shows a certificate (DER); None: nobody who is known, whose address goes on counting."""


def recognize_nobody(_: bytes) -> Seat | None:
    """There are no partners."""
    return None


class Places:
    """The connections of all ports of a node, by who holds them. For one thread."""

    def __init__(self, most_of_address: int | None = None, recognize: Recognize = recognize_nobody) -> None:
        self._most_of_address = most_of_address
        self._recognize = recognize
        self._held: Counter[Hashable] = Counter()

    def arrive(self, address: str) -> "Place | None":
        """Take a connection of somebody at this address; None: they have too many."""
        seat = Seat(("address", address), self._most_of_address)
        return Place(self, seat) if self.take(seat) else None

    def recognize(self, certificate: bytes) -> Seat | None:
        """Whose certificate this is."""
        return self._recognize(certificate)

    def take(self, seat: Seat) -> bool:
        """Count one more for a holder, unless it is one too many."""
        if seat.most is not None and self._held[seat.holder] >= seat.most:
            return False
        self._held[seat.holder] += 1
        return True

    def give_back(self, seat: Seat) -> None:
        """Count one less."""
        self._held[seat.holder] -= 1
        if not self._held[seat.holder]:
            del self._held[seat.holder]

    def held(self, holder: Hashable) -> int:
        """How many connections somebody holds."""
        return self._held[holder]


class Place:
    """One connection's place."""

    def __init__(self, places: Places, seat: Seat) -> None:
        self._places = places
        self._seat: Seat | None = seat

    def show(self, certificate: bytes) -> bool:
        """The handshake has proved a certificate: count for its partner from now on. False: that has too many."""
        seat = self._places.recognize(certificate)
        if seat is None or self._seat is None:
            return True
        if not self._places.take(seat):
            return False
        self._places.give_back(self._seat)
        self._seat = seat
        return True

    def leave(self) -> None:
        """The connection is gone; harmless when said twice."""
        if self._seat is not None:
            self._places.give_back(self._seat)
        self._seat = None
