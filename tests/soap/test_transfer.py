"""Content-Transfer-Encodings decode to the same bytes however they are cut."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soap.faults import SOAPFault
from soap.transfer import decoder


def decode(encoding: str, data: bytes, size: int = 5) -> bytes:
    """Decode in pieces of ``size`` bytes."""
    decoded = bytearray()
    decoding = decoder(encoding, decoded.extend)
    for start in range(0, len(data), size):
        decoding.feed(data[start : start + size])
    decoding.close()
    return bytes(decoded)


@given(st.binary(max_size=500), st.integers(1, 90))
def test_base64_decodes_in_any_pieces(content: bytes, size: int) -> None:
    assert decode("base64", base64.encodebytes(content).replace(b"\n", b"\r\n"), size) == content


@given(st.binary(max_size=500), st.integers(1, 90))
def test_quoted_printable_decodes_in_any_pieces(content: bytes, size: int) -> None:
    text = content.replace(b"\r", b"").replace(b"\n", b"\r\n")
    assert decode("Quoted-Printable", quopri.encodestring(text), size) == text


@given(st.binary(max_size=100), st.sampled_from(["", "7bit", "8bit", " Binary "]))
def test_the_others_are_the_identity(content: bytes, encoding: str) -> None:
    assert decode(encoding, content) == content


@pytest.mark.parametrize("text", [b"QQ", b"Q", b"QQ=", b"QQ==QQ==", b"Q*==", b"====", b"QQ==\r\nQUJD", b"=QQQ"])
def test_damaged_base64_is_refused(text: bytes) -> None:
    with pytest.raises(SOAPFault, match="Base64"):
        decode("base64", text, 3)


@pytest.mark.parametrize("text", [b"a=ZZb", b"a=4", b"x" * 70_000])
def test_damaged_quoted_printable_is_refused(text: bytes) -> None:
    with pytest.raises(SOAPFault, match="quoted-printable"):
        decode("quoted-printable", text, 7000)


def test_an_unknown_encoding_is_refused_by_name() -> None:
    with pytest.raises(SOAPFault, match="x-uuencode"):
        decoder("x-uuencode", print)
