"""What a collector may be believed to have, and from where to send again (ITI TF-2: 3.20.4.1.1).

Syslog has no acknowledgement: a ``send`` that succeeded has reached a socket, nobody's disk. Three steps make up for
it. Octets are *sent*; an orderly end of the connection, or an answer of HTTP, *confirms* that the collector has read
them; once it has lived for ``window`` seconds longer, so that it could store them, they are *settled*. When a loss is
noticed, everything that is not settled is sent again: duplicates are allowed, gaps are not.
"""

from collections import deque


class Delivery:
    """The way of numbered records to one repository; times are those of a monotonic clock."""

    def __init__(self, settled: int, window: float) -> None:
        self._window = window
        self._confirmed: deque[tuple[float, int]] = deque()
        self.settled = settled
        """Everything up to this number is believed to be stored there. This is what is written down."""
        self.sent = settled
        """Everything up to this number has been given to a socket."""

    @property
    def confirmed(self) -> int:
        """Everything up to this number has been read by the collector."""
        return self._confirmed[-1][1] if self._confirmed else self.settled

    @property
    def is_unconfirmed(self) -> bool:
        """Has something been sent of which it is not known whether it was read?"""
        return self.sent > self.confirmed

    def send(self, number: int) -> None:
        """Records up to this one were given to the socket."""
        self.sent = max(self.sent, number)

    def confirm(self, number: int, now: float) -> None:
        """The collector has read everything up to this one."""
        if number > self.confirmed:
            self._confirmed.append((now, number))

    def settle(self, now: float) -> int:
        """Believe in what was confirmed long enough ago; return the number that is settled now.

        Only a collector that is known to be alive at ``now`` may be believed.
        """
        while self._confirmed and self._confirmed[0][0] + self._window <= now:
            self.settled = self._confirmed.popleft()[1]
        return self.settled

    def pass_over(self, number: int) -> None:
        """Up to this one there is nothing that the repository should have."""
        if self.sent == self.settled:
            self.settled = number
        self.sent = number

    def part(self) -> int:
        """The collector has taken its leave: what it has read it keeps. Returns how many are sent once more."""
        again = self.sent - self.confirmed
        self.sent = self.confirmed
        return again

    def lose(self) -> int:
        """The collector was lost: go back to what is settled. Returns how many numbers are sent once more."""
        again = self.sent - self.settled
        self._confirmed.clear()
        self.sent = self.settled
        return again
