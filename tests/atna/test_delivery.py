"""The replay window: whatever happens to a collector, everything that it did not store is sent again."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from atna.delivery import Delivery

WINDOW = 30.0


class Collecting(RuleBasedStateMachine):
    """A collector that reads late, stores what it read within the window while it lives, and dies at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.delivery = Delivery(0, WINDOW)
        self.now = 0.0
        self.read: list[tuple[float, int]] = []
        self.stored: set[int] = set()
        self.in_socket: list[int] = []

    @rule(count=st.integers(1, 5))
    def records_are_sent(self, count: int) -> None:
        for number in range(self.delivery.sent + 1, self.delivery.sent + count + 1):
            self.in_socket.append(number)
            self.delivery.send(number)

    @rule(seconds=st.floats(0, 40), settles=st.booleans())
    def time_passes(self, seconds: float, settles: bool) -> None:
        self.now += seconds
        self.stored |= {number for at, number in self.read if at + WINDOW <= self.now}
        if settles:
            self.delivery.settle(self.now)

    @rule(part=st.floats(0, 1))
    def the_collector_reads(self, part: float) -> None:
        count = int(len(self.in_socket) * part)
        self.read += [(self.now, number) for number in self.in_socket[:count]]
        del self.in_socket[:count]

    @rule()
    def the_connection_ends_in_order(self) -> None:
        self.the_collector_reads(1.0)
        self.delivery.confirm(self.delivery.sent, self.now)

    @rule()
    def the_collector_is_killed(self) -> None:
        self.read, self.in_socket = [], []
        self.delivery.lose()

    @rule()
    def the_sender_is_killed(self) -> None:
        """What was in the socket may arrive or not; the new sender knows what was written down."""
        self.in_socket = []
        self.delivery = Delivery(self.delivery.settled, WINDOW)

    @invariant()
    def nothing_is_believed_that_is_not_stored(self) -> None:
        assert set(range(1, self.delivery.settled + 1)) <= self.stored

    @invariant()
    def the_numbers_are_in_order(self) -> None:
        assert self.delivery.settled <= self.delivery.confirmed <= self.delivery.sent


TestCollecting = Collecting.TestCase


@given(window=st.floats(0, 100), number=st.integers(1, 1000))
def test_without_a_loss_everything_is_settled_after_the_window(window: float, number: int) -> None:
    delivery = Delivery(0, window)
    delivery.send(number)
    assert delivery.settle(1e9) == 0
    delivery.confirm(number, 5.0)
    assert delivery.settle(5.0 + window) == number
    assert not delivery.is_unconfirmed


def test_a_loss_sends_again_what_was_confirmed_a_moment_ago() -> None:
    delivery = Delivery(10, WINDOW)
    delivery.send(15)
    delivery.confirm(15, 100.0)
    assert delivery.settle(129.0) == 10
    assert delivery.lose() == 5
    assert delivery.sent == 10
