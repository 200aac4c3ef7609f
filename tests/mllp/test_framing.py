"""The framer: any chunking gives the same messages, and what real systems do between and around them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mllp.framing import Event, Framer, Noise, Oversize, Received, frame

A, B = b"MSH|^~\\&|A\rPID|1\r", b"MSH|^~\\&|B\r"

contents = st.binary(min_size=1, max_size=30).filter(
    lambda each: (
        b"\x0b" not in each and b"\x1c" not in each and each.strip(b" \t\r\n\0") != b"" and not each.startswith(b"\x0b")
    )
)


def received(events: list[Event]) -> list[bytes]:
    return [event.message for event in events if isinstance(event, Received)]


def fed(data: bytes, size: int, limit: int = 1000) -> list[Event]:
    framer = Framer(limit)
    return [event for at in range(0, len(data), size) for event in framer.feed(data[at : at + size])]


@given(sent=st.lists(contents, max_size=6), size=st.integers(1, 7))
def test_any_chunking_yields_the_same_messages(sent: list[bytes], size: int) -> None:
    assert received(fed(b"".join(map(frame, sent)), size)) == sent


@given(data=st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\0", b"MSH", b"x", A, B]), max_size=30).map(b"".join))
def test_no_input_breaks_the_framer_and_chunks_do_not_matter(data: bytes) -> None:
    whole = fed(data, max(len(data), 1), limit=25)
    assert received(fed(data, 1, limit=25)) == received(whole)
    assert [each for each in fed(data, 1, limit=25) if isinstance(each, Oversize)] == [
        each for each in whole if isinstance(each, Oversize)
    ]


@pytest.mark.parametrize("junk", [b"\0\0\0", b"\r\n", b" \r\n\t", b"\x1c\r", b"\0\x1c\r\r\n"])
def test_blanks_and_nuls_between_frames_are_passed_over(junk: bytes) -> None:
    assert fed(junk + frame(A) + junk + frame(B) + junk, 3) == [Received(A), Received(B)]


def test_other_bytes_between_frames_are_reported() -> None:
    assert fed(frame(A) + b"garbage" + frame(B), 1000) == [Received(A), Noise(7, b"garbage"), Received(B)]


def test_doubled_framing_is_one_message() -> None:
    assert fed(frame(frame(A)), 2) == [Received(A)]


def test_an_empty_frame_is_no_message() -> None:
    assert fed(frame(b"") + frame(b"\r\r") + frame(A), 2) == [Received(A)]


def test_a_frame_given_up_and_begun_again_is_reported_and_the_second_is_read() -> None:
    assert fed(b"\x0bMSH|^~\\&|half" + frame(A), 4) == [Noise(14, b"\x0bMSH|^~\\"), Received(A)]


def test_an_end_byte_inside_a_text_ends_nothing() -> None:
    assert fed(frame(b"MSH|a\x1cb"), 1) == [Received(b"MSH|a\x1cb")]


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_an_oversize_message_is_reported_once_and_the_next_is_read(size: int) -> None:
    events = fed(frame(A + b"x" * 4000) + frame(B), size)
    assert events == [Oversize((A + b"x" * 4000)[:1000], 1000), Received(B)]


def test_a_message_of_exactly_the_limit_is_read() -> None:
    assert fed(frame(b"x" * 1000), 9) == [Received(b"x" * 1000)]


def test_an_oversize_message_is_not_kept() -> None:
    framer = Framer(limit=1000)
    for chunk in (b"\x0b", *[b"x" * 65536] * 100):
        framer.feed(chunk)
    assert len(framer._buffer) < 10


def test_the_time_for_single_bytes_grows_with_their_number_alone() -> None:
    assert _seconds(400_000) < 12 * _seconds(100_000)


def _seconds(size: int) -> float:
    framer = Framer()
    framer.feed(b"\x0b")
    started = time.process_time()
    for _ in range(size):
        framer.feed(b"x")
    return time.process_time() - started
