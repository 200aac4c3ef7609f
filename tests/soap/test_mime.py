"""multipart/related is cut at its boundary, byte for byte, however it arrives."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soap.faults import SOAPFault
from soap.mime import MIMEParser

BOUNDARY_CHARACTERS = "0123456789abcXYZ'()+_,-./:=?"
boundaries = st.text(BOUNDARY_CHARACTERS, min_size=1, max_size=70)
contents = st.lists(st.binary(max_size=60), min_size=1, max_size=4)
Read = list[tuple[dict[str, str], bytes]]


class Parts:
    """Keeps the headers and the content of each part."""

    def __init__(self) -> None:
        self.read: Read = []
        self.ended = 0

    def begin(self, headers: Mapping[str, str]) -> None:
        assert self.ended == len(self.read)
        self.read.append((dict(headers), b""))

    def take(self, content: bytes) -> None:
        headers, before = self.read[-1]
        self.read[-1] = (headers, before + content)

    def end(self) -> None:
        self.ended += 1


def read(boundary: str, message: bytes, size: int = 7) -> Read:
    """Parse in pieces of ``size`` bytes: the headers and the content of each part."""
    parts = Parts()
    parser = MIMEParser(boundary, 1000)
    for start in range(0, len(message), size):
        parser.feed(message[start : start + size], parts)
    parser.close()
    assert parts.ended == len(parts.read)
    return parts.read


def spell(boundary: str, contents: list[bytes]) -> bytes:
    delimiter = b"--" + boundary.encode()
    parts = b"".join(b"%b\r\nX: %d\r\n\r\n%b\r\n" % (delimiter, n, content) for n, content in enumerate(contents))
    return parts + delimiter + b"--"


@given(boundaries, contents, st.integers(1, 50))
def test_any_contents_come_back_from_any_pieces(boundary: str, contents: list[bytes], size: int) -> None:
    if any(f"--{boundary}".encode() in content for content in contents):
        return
    assert [content for _, content in read(boundary, spell(boundary, contents), size)] == contents


@given(
    st.integers(1, 9), st.sampled_from([b"\r\n--B", b"\r\n--Bx", b"\r\n--", b"--B\r\n", b"\r\n--B \tx", b"\r", b"\r\n"])
)
def test_content_that_resembles_the_delimiter_is_content(size: int, resembling: bytes) -> None:
    content = b"a" + resembling + b"xyz"
    assert read("B", spell("B", [content, content]), size) == [({"x": "0"}, content), ({"x": "1"}, content)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (b"--B\r\n\r\nx\r\n--B--", [({}, b"x")]),
        (b"--B\r\n\r\nx\r\n--B--\r\n", [({}, b"x")]),
        (b"\r\n--B\r\n\r\nx\r\n--B--\r\nepilogue --B\r\n", [({}, b"x")]),
        (b"This is MIME.\r\n--B\r\n\r\nx\r\n--B--", [({}, b"x")]),
        (b"--B \t \r\nA: b\r\n\r\nx\r\n--B--  \r\n", [({"a": "b"}, b"x")]),
        (b"--B\r\nA: b\r\n c\r\n\td\r\nE:f\r\n\r\n\r\n--B--", [({"a": "b c d", "e": "f"}, b"")]),
        (b"--B\r\nA: b\r\n\r\n--B--", [({"a": "b"}, b"")]),
        (b"--B\r\n\r\n--B\r\nA: b\r\n\r\n\r\n\r\n\r\n--B--", [({}, b""), ({"a": "b"}, b"\r\n\r\n")]),
    ],
)
def test_every_legal_form_is_read(message: bytes, parts: Read, size: int) -> None:
    assert read("B", message, size) == parts


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b"", "--B of the Content-Type was not found"),
        (b"--uuid:other\r\n\r\nx\r\n--uuid:other--", "the message begins with --uuid:other"),
        (b"--B\nA: b\n\nx\n--B--\n", "LF alone"),
        (b"x" * 70_000, "was not found"),
        (b"--B\r\n\r\nx", "breaks off"),
        (b"--B\r\nA: b", "breaks off"),
        (b"--B\r\n\r\nx\r\n--B", "breaks off"),
        (b"--B\r\n\r\nx\r\n--B\r\n", "breaks off"),
        (b"--B\r\nno colon\r\n\r\nx\r\n--B--", "no name and colon"),
        (b"--B\r\nA: " + b"x" * 2000 + b"\r\n\r\n\r\n--B--", "longer than 1000"),
        (b"--B\r\n" + b"x" * 2000, "longer than 1000"),
    ],
)
def test_a_malformed_message_is_refused_with_a_sentence(message: bytes, sentence: str) -> None:
    with pytest.raises(SOAPFault, match=sentence):
        read("B", message)


@pytest.mark.parametrize("boundary", ["", "x" * 201, "é"])
def test_an_unusable_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(SOAPFault, match="no usable boundary"):
        MIMEParser(boundary, 1000)


@given(contents, st.data())
def test_a_message_cut_short_anywhere_is_refused(contents: list[bytes], data: st.DataObject) -> None:
    message = spell("a-boundary", contents)
    cut = data.draw(st.integers(0, len(message) - 3))
    with pytest.raises(SOAPFault):
        read("a-boundary", message[:cut])
