"""Every legal dialect of an MTOM message gives the same package; every other is refused with a sentence."""

import base64
import quopri
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ihe.exchange import OutgoingPart
from soap.faults import SOAPFault
from soap.limits import SOAPLimits
from soap.media import parse_media_type
from soap.mtom import MTOMReader, Package, SimpleReader, pack

ROOT = 'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"'
DOCUMENT = b"line one\r\n\x00\xff--B\r\nline two\r\n"
LIMITS = SOAPLimits(inline=100)
Read = Callable[..., Package]


def message(*parts: tuple[str, bytes]) -> bytes:
    """Spell parts (header lines, content) at the boundary B."""
    return b"".join(b"--B\r\n%b\r\n\r\n%b\r\n" % (head.encode(), content) for head, content in parts) + b"--B--\r\n"


ENVELOPE = (f"{ROOT}\r\nContent-ID: <root@x>", b"<e/>")
PART = ("Content-Type: text/plain\r\nContent-ID: <d@x>", DOCUMENT)


@pytest.fixture
def read(spool: Any) -> Read:
    """Read a message in pieces."""

    def run(
        content: bytes, media: str = 'multipart/related; boundary="B"', size: int = 11, limits: SOAPLimits = LIMITS
    ) -> Package:
        reader = MTOMReader(parse_media_type(media), spool, limits)
        try:
            for start in range(0, len(content), size):
                reader.feed(content[start : start + size])
            return reader.close()
        except SOAPFault:
            reader.discard()
            raise

    return run


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(
    ("media", "parts"),
    [
        ("multipart/related; boundary=B", (ENVELOPE, PART)),
        ('multipart/related; boundary="B"; start="<root@x>"', (ENVELOPE, PART)),
        ('multipart/related; boundary="B"; start="<root@x>"', (PART, ENVELOPE)),
        ("multipart/related; boundary=B; start=root@x", (PART, ENVELOPE)),
        ('multipart/related; boundary="B"; start="<root%40x>"', (PART, ENVELOPE)),
        ("multipart/related; boundary=B", ((ROOT, b"<e/>"), PART)),
        ("multipart/related; boundary=B", ((ROOT.upper(), b"<e/>"), PART)),
        (
            "multipart/related; boundary=B",
            (ENVELOPE, ("content-id:<d%40x>\r\nCONTENT-TYPE:\r\n Text/Plain;\r\n\tcharset=x", DOCUMENT)),
        ),
        (
            "multipart/related; boundary=B",
            (
                (f"{ROOT}\r\nContent-Transfer-Encoding: base64", base64.encodebytes(b"<e/>")),
                (f"{PART[0]}\r\nContent-Transfer-Encoding: BASE64", base64.encodebytes(DOCUMENT)),
            ),
        ),
    ],
)
def test_every_legal_dialect_gives_the_same_package(
    read: Read, media: str, parts: tuple[tuple[str, bytes], ...], size: int
) -> None:
    package = read(message(*parts), media, size)
    assert (package.envelope, package.charset, package.packaged) == (b"<e/>", "UTF-8", True)
    (part,) = package.parts.values()
    assert (part.content_id, part.media_type, part.size) == ("d@x", "text/plain", len(DOCUMENT))
    assert Path(part.spooled).read_bytes() == DOCUMENT


def test_quoted_printable_parts_are_decoded(read: Read) -> None:
    text = "Müller = Müller\r\n".encode() * 10
    head = f"{PART[0]}\r\nContent-Transfer-Encoding: quoted-printable"
    package = read(message(ENVELOPE, (head, quopri.encodestring(text))))
    assert Path(package.parts["d@x"].spooled).read_bytes() == text


def test_inline_base64_in_the_root_part_becomes_a_part_too(read: Read) -> None:
    envelope = b"<e><d>%b</d></e>" % base64.encodebytes(DOCUMENT * 10)
    package = read(message((ENVELOPE[0], envelope), PART))
    inline, named = sorted(package.parts.values(), key=lambda part: part.content_id, reverse=True)
    assert named.content_id == "d@x"
    assert Path(inline.spooled).read_bytes() == DOCUMENT * 10
    assert f'href="cid:{inline.content_id}"'.encode() in package.envelope


def test_inline_base64_without_mtom_becomes_a_part_as_well(spool: Any) -> None:
    reader = SimpleReader(parse_media_type("application/soap+xml; charset=utf-8"), spool, LIMITS)
    reader.feed(b"<e><d>%b</d></e>" % base64.encodebytes(DOCUMENT * 10))
    package = reader.close()
    assert [Path(part.spooled).read_bytes() for part in package.parts.values()] == [DOCUMENT * 10]
    reader.discard()
    assert spool.left == []


@pytest.mark.parametrize(
    ("media", "content", "sentence"),
    [
        ("multipart/related", message(ENVELOPE), "no usable boundary"),
        ("multipart/related; boundary=C", message(ENVELOPE), "the message begins with --B"),
        ("multipart/related; boundary=B; start=other", message(ENVELOPE, PART), 'start="<other>" names no part'),
        ("multipart/related; boundary=B", message(PART, ENVELOPE), "The root part is text/plain"),
        ("multipart/related; boundary=B", message(("Content-Type: text/xml", b"<e/>")), "SOAP with Attachments"),
        ("multipart/related; boundary=B", message(ENVELOPE, ("Content-Type: a/b", b"x")), "part 2 has no Content-ID"),
        ("multipart/related; boundary=B", message(ENVELOPE, PART, PART), "Two MIME parts have the Content-ID <d@x>"),
        ("multipart/related; boundary=B", message(ENVELOPE, (ENVELOPE[0], b"x")), "Two MIME parts have the Content-ID"),
        ("multipart/related; boundary=B", message(ENVELOPE, PART)[:-10], "breaks off"),
        ("multipart/related; boundary=B", message(*[ENVELOPE] * 1001), "more than 1000 parts|Two MIME parts"),
        ("multipart/related; boundary=B", b"", "was not found"),
    ],
)
def test_other_messages_are_refused_and_nothing_is_left(
    read: Read, spool: Any, media: str, content: bytes, sentence: str
) -> None:
    with pytest.raises(SOAPFault, match=sentence):
        read(content, media)
    assert spool.left == []


def test_a_huge_envelope_is_refused_although_documents_may_be_huge(read: Read) -> None:
    with pytest.raises(SOAPFault, match="larger than 16 MiB") as caught:
        read(message((ENVELOPE[0], b"<e>" + b". " * (9 << 20))), size=1 << 20)
    assert caught.value.status == 413


def outgoing(content_id: str, content: bytes, media_type: str = "application/pdf") -> OutgoingPart:
    def chunks() -> Iterator[bytes]:
        yield content[:3]
        yield content[3:]

    return OutgoingPart(content_id=content_id, media_type=media_type, size=len(content), chunks=chunks)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=3), st.integers(1, 60))
def test_what_is_packed_is_read_back(read: Read, contents: list[bytes], size: int) -> None:
    parts = [outgoing(f"d{n}@x", content) for n, content in enumerate(contents)]
    media, length, chunks = pack(b"<e/>", parts, "urn:action")
    spelled = b"".join(chunks)
    assert len(spelled) == length
    package = read(spelled, media, size)
    assert package.envelope == b"<e/>"
    assert [Path(part.spooled).read_bytes() for part in package.parts.values()] == contents


def test_an_announced_mtom_message_names_its_parts_as_xop_demands() -> None:
    media = parse_media_type(pack(b"<e/>", [], "urn:action")[0])
    assert media.parameters["type"] == "application/xop+xml"
    assert media.parameters["start-info"] == "application/soap+xml"
    assert media.parameters["action"] == "urn:action"


def test_a_media_type_cannot_smuggle_a_header(read: Read) -> None:
    media, _, chunks = pack(b"<e/>", [outgoing("d@x", b"x", "a/b\r\nContent-ID: <e@x>")], "urn:action")
    assert list(read(b"".join(chunks), media).parts) == ["d@x"]


def test_a_document_that_shrank_cuts_the_answer_short() -> None:
    part = OutgoingPart(content_id="d@x", media_type="a/b", size=5, chunks=lambda: iter((b"four",)))
    with pytest.raises(OSError, match="4 bytes, 5 were promised"):
        list(pack(b"<e/>", [part], "urn:action")[2])


@pytest.mark.parametrize(
    ("name", "parts"), [("ITI-41/nist_http-mtom-pnr.http", 1), ("ITI-39/xca_iti-39_request-multipart.http", 0)]
)
def test_foreign_mtom_messages_are_read(shared: Path, read: Read, name: str, parts: int) -> None:
    """The logs have LF line ends; on the wire they were CRLF."""
    data = (shared / "samples" / name).read_bytes()
    head, _, body = data.partition(b"\n\n") if data.startswith(b"POST") else (b"", b"", data)
    boundary = body.splitlines()[0].strip().removeprefix(b"--").decode()
    crlf = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    package = read(crlf, f'multipart/related; boundary="{boundary}"', 1000, SOAPLimits())
    assert b"Envelope" in package.envelope
    assert len(package.parts) == parts, head


def test_the_edited_log_whose_boundaries_differ_is_refused(shared: Path, read: Read) -> None:
    data = (shared / "samples" / "ITI-41" / "epd_ITI-41_request_raw.http").read_bytes().replace(b"\n", b"\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    header = next(line for line in head.decode().split("\r\n") if line.startswith("Content-Type"))
    with pytest.raises(SOAPFault, match="the message begins with --uuid:df997b05"):
        read(body, header.partition(":")[2].strip())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_message_is_read_or_refused_and_nothing_else(read: Read, spool: Any, data: st.DataObject) -> None:
    damaged = bytearray(message(ENVELOPE, PART, (PART[0].replace("d@x", "e@x"), b"x")))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
    left = len(spool.left)
    try:
        read(bytes(damaged), size=data.draw(st.integers(1, 40)))
    except SOAPFault:
        assert len(spool.left) == left


def test_a_short_body_is_not_searched_for_what_it_cannot_hold(spool: Any) -> None:
    """Where the body is no longer than the threshold, base64 in its envelope stays, and the bytes are the same."""
    envelope = b"<e>" + b"QUJD" * 30 + b"</e>"
    body = message((ROOT, envelope))
    media = parse_media_type("multipart/related; boundary=B")
    limits = SOAPLimits(inline=len(body))
    short = MTOMReader(media, spool, limits, len(body))
    short.feed(body)
    package = short.close()
    assert (package.envelope, package.parts, spool.made, short.spooled) == (envelope, {}, 0, False)
    long = MTOMReader(media, spool, LIMITS, len(body))
    long.feed(body)
    assert (len(long.close().parts), spool.made) == (1, 1)
    long.discard()


def test_a_reader_is_freed_with_its_request() -> None:
    """No circle keeps an envelope until the garbage collector comes."""
    reader = MTOMReader(parse_media_type("multipart/related; boundary=B"), _never, LIMITS, 100)
    reader.feed(message((ROOT, b"<e/>")))
    reader.close()
    freed = weakref.ref(reader)
    del reader
    assert freed() is None


def _never() -> Any:
    raise AssertionError("there is no document")
