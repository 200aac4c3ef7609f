"""Long base64 texts leave an envelope as parts, however the envelope is cut; everything else stays byte for byte."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soap.faults import SOAPFault
from soap.inline import InlineFilter
from soap.xml import parse

THRESHOLD = 40
Filter = Callable[..., tuple[bytes, list[bytes]]]


@pytest.fixture
def filtered(spool: Any) -> Filter:
    """Filter an envelope in pieces: what is left of it, and the contents of the parts in order."""

    def run(envelope: bytes, size: int = 7) -> tuple[bytes, list[bytes]]:
        left = bytearray()
        filtering = InlineFilter(left.extend, spool, THRESHOLD)
        for start in range(0, len(envelope), size):
            filtering.feed(envelope[start : start + size])
        filtering.close()
        return bytes(left), [Path(part.spooled).read_bytes() for part in filtering.parts.values()]

    return run


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(min_size=30, max_size=300), max_size=3), st.integers(1, 100), st.integers(4, 76))
def test_documents_come_out_whole_from_any_pieces(
    filtered: Filter, documents: list[bytes], size: int, width: int
) -> None:
    lines = [re.sub(b"(.{%d})" % width, rb"\1\r\n", base64.b64encode(document)) for document in documents]
    envelope = b"<e>" + b"".join(b'<d id="%d">%b</d>' % (n, line) for n, line in enumerate(lines)) + b"</e>"
    left, parts = filtered(envelope, size)
    assert parts == documents
    root = parse(left)
    assert [d[0].tag for d in root] == ["{http://www.w3.org/2004/08/xop/include}Include"] * len(documents)
    assert len(left) < 250 * len(documents) + 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=300), st.integers(1, 50))
def test_an_envelope_without_long_base64_is_unchanged(filtered: Filter, text: str, size: int) -> None:
    envelope = f"<e>short <b>{'A' * (THRESHOLD - 1)}</b> {text.replace('>', '')} .</e>".encode("utf-8", "replace")
    if not re.search(rb">[\sA-Za-z0-9+/=]{40}", envelope):
        assert filtered(envelope, size) == (envelope, [])


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "envelope",
    [
        "<e>" + "A" * 100 + "</e>",
        '<?xml version="1.0"?><e>' + "A" * 100 + "</e>",
        "<e>" + "AAAA&#13;\n" * 20 + "</e>",
        "<e>" + "AAAA&#xD;&#xa;" * 20 + "</e>",
        "\ufeff<e>\n  " + "A" * 100 + "\n</e>",
    ],
)
def test_white_space_in_any_spelling_is_tolerated(filtered: Filter, envelope: str, size: int) -> None:
    letters = envelope.count("A")
    left, parts = filtered(envelope.encode(), size)
    assert parts == [b"\0" * (letters * 3 // 4)]
    assert parse(left)[0].get("href", "").startswith("cid:inline-1.")


@pytest.mark.parametrize("text", [b" " * 100, b"A sentence, too long to be cut. " * 5, b"A" * 39 + b"." * 100])
def test_long_text_that_is_no_base64_stays(filtered: Filter, text: bytes) -> None:
    assert filtered(b"<e>%b</e>" % text) == (b"<e>%b</e>" % text, [])


@pytest.mark.parametrize("text", [b"A" * 101, b"A" * 100 + b".", b"A" * 100 + b"&amp;"])
def test_base64_that_breaks_is_refused_and_nothing_is_left(spool: Any, text: bytes) -> None:
    filtering = InlineFilter(lambda _: None, spool, THRESHOLD)
    with pytest.raises(SOAPFault, match="Base64"):
        filtering.feed(b"<e>%b</e>" % text)
    filtering.discard()
    assert (spool.made, spool.left) == (1, [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_wide_encodings_pass_unchanged(filtered: Filter, encoding: str) -> None:
    envelope = ("<e>" + "A" * 100 + "</e>").encode(encoding)
    assert filtered(envelope) == (envelope, [])
