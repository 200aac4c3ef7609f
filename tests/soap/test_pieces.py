"""Small chunks become larger pieces: nothing is lost, added or moved."""

from hypothesis import given
from hypothesis import strategies as st

from soap.pieces import together


@given(st.lists(st.binary(max_size=12)), st.integers(1, 30))
def test_pieces_hold_the_same_bytes_and_only_the_last_is_short(chunks: list[bytes], least: int) -> None:
    pieces = list(together(chunks, least))
    assert b"".join(pieces) == b"".join(chunks)
    assert all(len(each) >= least for each in pieces[:-1])
    assert all(0 < len(each) < least + 12 for each in pieces)
