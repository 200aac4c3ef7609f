"""RFC 5425 and 5426: any chunking gives the same messages, memory is bounded, what cannot be cut is reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atna.framing import Broken, Event, Framer, Oversize, Received, datagram, frame

A, B = b"<85>1 - h a 1 m - A", b"<85>1 - h a 1 m - B\n"


def fed(data: bytes, size: int, limit: int = 1000) -> list[Event]:
    framer = Framer(limit)
    return [event for at in range(0, len(data), size) for event in framer.feed(data[at : at + size])]


@given(sent=st.lists(st.binary(min_size=1, max_size=40), max_size=6), size=st.integers(1, 9))
def test_any_chunking_yields_the_same_messages(sent: list[bytes], size: int) -> None:
    assert fed(b"".join(map(frame, sent)), size) == [Received(each) for each in sent]


@given(data=st.lists(st.sampled_from([b"1", b"0", b"30 ", b" ", b"\n", b"<", A, frame(A)]), max_size=20).map(b"".join))
def test_no_input_breaks_the_framer_and_chunks_do_not_matter(data: bytes) -> None:
    assert [each for each in fed(data, 1, 25) if not isinstance(each, Broken)] == [
        each for each in fed(data, len(data) or 1, 25) if not isinstance(each, Broken)
    ]


@pytest.mark.parametrize("junk", [b"\n", b"\r\n", b"\0", b"  "])
def test_line_ends_between_frames_are_passed_over(junk: bytes) -> None:
    assert fed(frame(A) + junk + frame(B), 3) == [Received(A), Received(B)]


@pytest.mark.parametrize("head", [b"<85>1 - h", b"12345678901 ", b"-1 ", b"1x"])
def test_without_a_length_the_connection_is_of_no_use(head: bytes) -> None:
    framer = Framer()
    events = framer.feed(frame(A) + head + frame(B))
    assert events[0] == Received(A)
    assert isinstance(events[1], Broken)
    assert framer.feed(frame(B)) == []


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_an_oversize_message_is_reported_once_and_the_next_is_read(size: int) -> None:
    assert fed(frame(b"x" * 4000) + frame(B), size) == [Oversize(b"x" * 1000, 4000), Received(B)]


def test_an_oversize_message_is_not_kept() -> None:
    framer = Framer(1000)
    framer.feed(b"999999999 ")
    for _ in range(100):
        framer.feed(b"x" * 65536)
    assert framer.held < 1000


def test_what_came_of_an_unfinished_message_can_be_kept() -> None:
    framer = Framer()
    framer.feed(b"100 <85>1 half")
    assert framer.in_frame
    assert framer.end() == b"<85>1 half"


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=50), limit=st.integers(1, 60))
def test_a_datagram_is_cut_between_characters(text: str, limit: int) -> None:
    cut = datagram(text.encode(), limit)
    assert len(cut) <= limit
    assert text.startswith(cut.decode())
    assert len(text.encode()) > limit or cut.decode() == text
