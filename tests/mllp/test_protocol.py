"""One connection without a network: order, limits, time-outs, drain, and what goes back when something is wrong."""

import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from hl7v2.er7 import parse
from hl7v2.message import Message
from mllp.factory import MLLPFactory
from mllp.framing import Framer, Received, frame
from mllp.patience import Limits
from mllp.replies import Peer

LIMITS = Limits(message=1000, connections=2, idle_seconds=100, frame_seconds=10)


def adt(control_id: str = "1", trigger: str = "ADT^A28") -> bytes:
    return f"MSH|^~\\&|LIS|LAB|MPI|AGENCY|2026||{trigger}|{control_id}|P|2.5\rPID|1||77\r".encode()


class Wire(StringTransport):  # type: ignore[misc]
    """A transport that remembers whether it was cut."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    @property
    def answers(self) -> list[bytes]:
        return [event.message for event in Framer().feed(self.value()) if isinstance(event, Received)]

    @property
    def ended(self) -> bool:
        return self.disconnecting or self.aborted


class Line:
    """One connection of one factory."""

    def __init__(self, answer: Any, limits: Limits = LIMITS, factory: MLLPFactory | None = None) -> None:
        self.clock = Clock()
        self.factory = factory or MLLPFactory(answer, self.clock, limits)
        self.wire = Wire()
        self.protocol = self.factory.buildProtocol(None)
        assert self.protocol is not None
        self.protocol.makeConnection(self.wire)
        self.say = self.protocol.dataReceived

    def lose(self) -> None:
        assert self.protocol is not None
        self.protocol.connectionLost(Failure(ConnectionDone()))


async def echo(data: bytes, peer: Peer) -> bytes:
    return data


def slow(pending: "list[Deferred[bytes | None]]", data: bytes, peer: Peer) -> "Deferred[bytes | None]":
    answer: Deferred[bytes | None] = Deferred()
    pending.append(answer)
    return answer


def only(wire: Wire) -> Message:
    (answer,) = wire.answers
    return parse(answer)


def test_messages_of_one_chunk_are_answered_in_order() -> None:
    line = Line(echo)
    line.say(frame(adt("1")) + frame(adt("2")) + frame(adt("3")))
    assert line.wire.answers == [adt("1"), adt("2"), adt("3")]


def test_the_next_message_waits_for_the_answer_to_the_one_before(pending: list[Any]) -> None:
    line = Line(functools.partial(slow, pending))
    line.say(frame(adt("1")) + frame(adt("2")))
    assert (len(pending), line.wire.producerState) == (1, "paused")
    pending[0].callback(b"first")
    assert (len(pending), line.wire.producerState) == (2, "producing")
    pending[1].callback(b"second")
    assert line.wire.answers == [b"first", b"second"]


def test_a_single_message_does_not_stop_the_reading(pending: list[Any]) -> None:
    line = Line(functools.partial(slow, pending))
    line.say(frame(adt()))
    assert line.wire.producerState == "producing"


def test_no_answer_is_made_while_the_peer_takes_none() -> None:
    line = Line(echo)
    assert line.protocol is not None
    line.protocol.pauseProducing()
    line.say(frame(adt("1")))
    assert line.wire.answers == []
    line.protocol.resumeProducing()
    assert line.wire.answers == [adt("1")]


def test_a_peer_that_takes_no_answers_is_cut_off() -> None:
    line = Line(echo)
    assert line.protocol is not None
    line.protocol.pauseProducing()
    line.clock.advance(101)
    assert line.wire.aborted


def test_a_silent_connection_is_closed() -> None:
    line = Line(echo)
    line.clock.advance(99)
    assert not line.wire.ended
    line.clock.advance(2)
    assert line.wire.disconnecting


def test_every_message_starts_the_patience_anew() -> None:
    line = Line(echo)
    line.clock.advance(99)
    line.say(frame(adt()))
    line.clock.advance(99)
    assert not line.wire.ended


def test_noise_buys_no_time() -> None:
    line = Line(echo)
    line.clock.advance(99)
    line.say(b"\0\0 noise")
    line.clock.advance(2)
    assert line.wire.disconnecting


def test_a_message_that_drips_is_cut_off_however_many_bytes_come() -> None:
    line = Line(echo)
    line.say(b"\x0bMSH|")
    for _ in range(9):
        line.clock.advance(1)
        line.say(b"x")
    assert not line.wire.aborted
    line.clock.advance(2)
    assert line.wire.aborted


def test_no_time_out_runs_while_we_are_the_ones_who_work(pending: list[Any]) -> None:
    line = Line(functools.partial(slow, pending))
    line.say(frame(adt()))
    line.clock.advance(10_000)
    assert not line.wire.ended


def test_connections_above_the_limit_are_refused_until_one_ends() -> None:
    line = Line(echo)
    Line(echo, factory=line.factory)
    assert line.factory.buildProtocol(None) is None
    line.lose()
    assert line.factory.buildProtocol(None) is not None


def test_draining_answers_what_was_received_and_closes(pending: list[Any]) -> None:
    line = Line(functools.partial(slow, pending))
    line.say(frame(adt("1")) + frame(adt("2")))
    drained = line.factory.drain()
    line.say(frame(adt("too late")))
    for answer in (b"first", b"second"):
        pending[-1].callback(answer)
    assert (line.wire.answers, line.wire.disconnecting) == ([b"first", b"second"], True)
    assert not drained.called
    line.lose()
    assert drained.called


def test_draining_closes_an_idle_connection_at_once_and_refuses_new_ones() -> None:
    line = Line(echo)
    line.say(frame(adt()))
    line.factory.drain()
    assert line.wire.disconnecting
    assert line.factory.buildProtocol(None) is None


def test_draining_answers_who_has_just_come_and_closes_who_stays_silent() -> None:
    line = Line(echo)
    quiet = Line(echo, factory=line.factory)
    quiet.clock = line.clock
    line.factory.drain()
    line.clock.advance(0.5)
    line.say(frame(adt())[:9])
    line.clock.advance(0.6)
    assert (line.wire.ended, quiet.wire.disconnecting) == (False, True)
    line.say(frame(adt())[9:])
    assert (line.wire.answers, line.wire.disconnecting) == ([adt()], True)
    line.lose()
    quiet.lose()
    assert line.clock.getDelayedCalls() == []


def test_draining_waits_for_the_rest_of_a_message_and_takes_no_other() -> None:
    line = Line(echo)
    begun = frame(adt("1"))
    line.say(begun[:20])
    drained = line.factory.drain()
    assert not line.wire.ended
    line.say(begun[20:] + frame(adt("2"))[:20])
    line.say(frame(adt("2"))[20:] + frame(adt("3")))
    assert (line.wire.answers, line.wire.disconnecting, line.wire.aborted) == ([adt("1")], True, False)
    line.lose()
    assert drained.called


def test_draining_waits_for_the_end_of_an_oversize_message_and_no_longer() -> None:
    line = Line(echo)
    line.say(frame(adt() + b"x" * 2000)[:-1])
    line.factory.drain()
    assert not line.wire.ended
    line.say(b"\r")
    assert line.wire.disconnecting


def test_draining_does_not_wait_for_the_rest_of_a_message_whose_sender_has_ended() -> None:
    line = Line(echo)
    assert line.protocol is not None
    line.say(frame(adt())[:20])
    line.factory.drain()
    line.protocol.readConnectionLost()
    assert line.wire.disconnecting


def test_a_message_that_drips_keeps_no_drain_waiting_for_ever() -> None:
    line = Line(echo)
    line.say(frame(adt())[:20])
    line.factory.drain()
    line.clock.advance(LIMITS.frame_seconds + 1)
    assert line.wire.aborted


def test_a_factory_without_connections_is_drained_at_once() -> None:
    assert MLLPFactory(echo, Clock()).drain().called


def test_a_peer_that_does_not_let_go_is_cut_off() -> None:
    line = Line(echo)
    line.say(frame(adt()))
    line.factory.drain()
    line.clock.advance(11)
    assert line.wire.aborted


def test_a_half_closed_connection_still_gets_its_answer(pending: list[Any]) -> None:
    line = Line(functools.partial(slow, pending))
    assert line.protocol is not None
    line.say(frame(adt()))
    line.protocol.readConnectionLost()
    assert not line.wire.ended
    pending[0].callback(b"answer")
    assert (line.wire.answers, line.wire.disconnecting) == ([b"answer"], True)


def test_what_is_not_answered_when_the_connection_breaks_is_forgotten(pending: list[Any]) -> None:
    line = Line(functools.partial(slow, pending))
    line.say(frame(adt("1")) + frame(adt("2")))
    line.lose()
    pending[0].callback(b"first")
    assert (len(pending), line.clock.getDelayedCalls()) == (1, [])


def test_a_defect_is_answered_without_its_details_and_the_next_message_works() -> None:
    async def broken(data: bytes, peer: Peer) -> bytes:
        if b"A99" in data:
            raise ZeroDivisionError("SELECT name FROM patients")
        return data

    line = Line(broken)
    with capture_logs() as logs:
        line.say(frame(adt("9", "ADT^A99")) + frame(adt("10")))
    refusal = parse(line.wire.answers[0])
    assert [refusal["MSA"].raw(1), refusal["MSA"].raw(2), refusal["ERR"].text(3)] == ["AR", "9", "207"]
    assert b"SELECT" not in line.wire.value()
    assert logs[0]["incident"] in refusal["ERR"].text(7)
    assert line.wire.answers[1] == adt("10")


def test_an_unreadable_message_is_answered_with_its_breach() -> None:
    async def reads(data: bytes, peer: Peer) -> bytes:
        parse(data)
        return b"read"

    line = Line(reads)
    line.say(frame(adt().replace(b"PID", b"pid")) + frame(adt()))
    assert parse(line.wire.answers[0])["ERR"].text(3) == "100"
    assert line.wire.answers[1] == b"read"


def test_an_oversize_message_is_rejected_and_the_next_is_answered() -> None:
    line = Line(echo)
    line.say(frame(adt("7") + b"x" * 2000) + frame(adt("8")))
    refusal = parse(line.wire.answers[0])
    assert [refusal["MSA"].raw(1), refusal["MSA"].raw(2)] == ["AR", "7"]
    assert "1000 bytes" in refusal["ERR"].text(7)
    assert line.wire.answers[1] == adt("8")


@pytest.mark.parametrize(
    "data",
    [frame(b"not HL7 at all"), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\x01", adt(), frame(b"x" * 2000)],
)
def test_what_cannot_be_answered_closes_the_connection_with_a_log_line(data: bytes) -> None:
    async def reads(data: bytes, peer: Peer) -> bytes:
        parse(data)
        return b"read"

    line = Line(reads)
    with capture_logs() as logs:
        line.say(frame(adt()))
        line.say(data)
    assert line.wire.answers == [b"read"]
    assert line.wire.disconnecting
    assert [entry["event"] for entry in logs] == ["mllp connection closed"]
    assert "77" not in str(logs)


def test_noise_is_logged_and_passed_over() -> None:
    line = Line(echo)
    with capture_logs() as logs:
        line.say(b"noise" + frame(adt()))
    assert only(line.wire).control_id == "1"
    assert [(entry["event"], entry["size"]) for entry in logs] == [("mllp noise between frames ignored", 5)]


PIECES = [b"\x0b", b"\x1c\r", b"\x1c", b"\r", b"\0", b"x", frame(adt("1")), frame(adt("2")), frame(b"MSH|^~\\&")]
chunks = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join), max_size=12)


@given(chunks=chunks, fired=st.lists(st.booleans(), max_size=20))
def test_whatever_comes_the_messages_are_answered_in_order_or_the_line_is_closed(
    chunks: list[bytes], fired: list[bool]
) -> None:
    pending: list[tuple[bytes, Deferred[bytes | None]]] = []

    def later(data: bytes, peer: Peer) -> Deferred[bytes | None]:
        pending.append((data, Deferred()))
        return pending[-1][1]

    line = Line(later)
    asked: list[bytes] = []
    for chunk, fire in zip(chunks, [*fired, *[True] * len(chunks)], strict=False):
        line.say(chunk)
        while fire and pending:
            asked.append(pending[0][0])
            pending.pop()[1].callback(asked[-1])
    while pending:
        asked.append(pending[0][0])
        pending.pop()[1].callback(asked[-1])
    whole = [event.message for event in Framer(LIMITS.message).feed(b"".join(chunks)) if isinstance(event, Received)]
    assert line.wire.answers == asked == whole
    line.clock.advance(1000)
    assert line.wire.ended
    line.lose()
    assert line.clock.getDelayedCalls() == []


def test_what_all_connections_hold_together_is_bounded_and_the_largest_pays() -> None:
    limits = Limits(message=1000, held=1500, connections=3)
    small = Line(echo, limits)
    middle, large = (Line(echo, limits, small.factory) for _ in range(2))
    small.say(b"\x0b" + adt() + b"x" * 100)
    middle.say(b"\x0b" + b"x" * 600)
    large.say(b"\x0b" + b"x" * 700)
    assert [line.wire.aborted for line in (small, middle, large)] == [False, False, False]
    middle.say(b"x" * 50)
    assert [line.wire.aborted for line in (small, middle, large)] == [False, False, True]
    large.lose()
    small.say(b"\x1c\r")
    assert len(small.wire.answers) == 1


def test_a_message_that_is_being_answered_counts_until_it_is(pending: list[Any]) -> None:
    limits = Limits(message=1000, held=1500, connections=3)
    first = Line(functools.partial(slow, pending), limits)
    second = Line(echo, limits, first.factory)
    first.say(frame(adt() + b"x" * 800))
    second.say(b"\x0b" + b"x" * 700)
    assert (first.wire.aborted, second.wire.aborted) == (True, False)
    pending[0].callback(b"late")
    third = Line(echo, limits, first.factory)
    third.say(b"\x0b" + b"x" * 700)
    assert (second.wire.aborted, third.wire.aborted) == (False, False)
