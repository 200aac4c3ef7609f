"""Captures as files: what is written is read back byte for byte, in lines, under names without a path."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.capture import forms
from conformance.capture.cutting import cut
from conformance.capture.folder import Capture, NoCapture, read, written
from conformance.capture.forms import Form
from conformance.capture.http_framing import End, Event, Head, HTTPReader
from conformance.capture.recorded import Message, Recorded
from conformance.capture.spool import Spool
from conformance.exchanges import Wire
from ihe.exchange import OutgoingPart
from soap.mtom import pack

AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
pieces = st.sampled_from(
    [b"><", b">\n<", b">\n\t<", b"<a>", b"</a>", b"\n", b"\n\t", b"\r", b"\r\n", b"MSH|^~\\&|", b"\xe9", b"\0", b"x"]
)
contents = st.lists(pieces, max_size=12).map(b"".join) | st.binary(max_size=60)


@given(message=contents)
def test_every_form_can_be_undone(message: bytes) -> None:
    assert forms.read(forms.write(message)) == message


def test_hl7_v2_has_a_line_for_each_segment_and_xml_one_for_each_tag() -> None:
    segments = forms.write(b"MSH|^~\\&|A\rPID|||1\r")
    assert (segments.content, segments.form) == (b"MSH|^~\\&|A\nPID|||1\n", Form.SEGMENTS)
    folded = forms.write(b"<a><b>x</b><c/></a>")
    assert (folded.content, folded.form) == (b"<a>\n<b>x</b>\n<c/>\n</a>", Form.FOLDED)


def test_a_body_that_stands_in_lines_is_told_from_what_was_folded() -> None:
    message = b"<e><h/><b>\n<x/>\n</b></e>"
    folded = forms.write(message)
    assert folded.form is Form.FOLDED and folded.line_break != "\n"
    assert forms.read(folded) == message


def mtom(documents: list[bytes]) -> tuple[bytes, bytes]:
    parts = [
        OutgoingPart(content_id=f"{number}@x", media_type="a/b", size=len(each), chunks=lambda each=each: iter((each,)))  # type: ignore[misc]
        for number, each in enumerate(documents)
    ]
    content_type, _, chunks = pack(b"<Envelope><a/></Envelope>", parts, "urn:x")
    return f"POST / HTTP/1.1\r\nContent-Type: {content_type}\r\n\r\n".encode(), b"".join(chunks)


def taken_apart(head: bytes, body: bytes) -> Message:
    return cut(head, BytesIO(body), Spool())


@given(documents=st.lists(contents, max_size=4))
def test_documents_are_cut_out_and_fit_back_in(documents: list[bytes]) -> None:
    head, body = mtom(documents)
    message = taken_apart(head, body)
    assert b"".join(message.body()) == body
    assert [each.blob.content() for each in message.attachments] == documents
    assert b"<Envelope>" in message.text.content()


@given(body=contents)
def test_any_body_is_the_same_again(body: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nContent-Type: multipart/related; boundary=x\r\n\r\n"
    assert b"".join(taken_apart(head, body).body()) == body


def test_what_is_no_text_is_cut_out_as_a_whole() -> None:
    zipped = taken_apart(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"abc")
    assert zipped.text.size == 0 and zipped.attachments[0].blob.content() == b"abc"


def recorded(request: Message, answer: Message | None = None) -> Recorded:
    return Recorded(
        number=1,
        wire=Wire.HTTP if request.head else Wire.MLLP,
        transaction="ITI-41",
        initiator="Document Source",
        responder="Document Repository",
        endpoint=1,
        connection=1,
        began=AT,
        seconds=0.25,
        request=request,
        answer=answer,
        failure="",
        signature="valid",
    )


def kept(directory: Path, *exchanges: Recorded) -> Path:
    with written(directory, Capture(exchanges=exchanges, redacted=False)):
        pass
    return directory


@given(texts=st.lists(contents, min_size=1, max_size=3), documents=st.lists(contents, max_size=3))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], documents: list[bytes]
) -> None:
    directory = tmp_path_factory.mktemp("captures") / "one"
    head, body = mtom(documents)
    exchange = recorded(taken_apart(head, body), taken_apart(b"HTTP/1.1 200 OK\r\n\r\n", texts[0]))
    (again,) = read(kept(directory, exchange)).exchanges
    assert again.answer is not None and exchange.answer is not None
    assert (again.request.head, b"".join(again.request.body())) == (head, body)
    assert b"".join(again.answer.body()) == texts[0]
    assert (again.began, again.seconds, again.transaction) == (AT, 0.25, "ITI-41")


def test_names_are_the_same_each_time_and_no_path_is_in_the_index(tmp_path: Path) -> None:
    exchange = recorded(taken_apart(*mtom([b"\0doc"])))
    first, second = kept(tmp_path / "a", exchange), kept(tmp_path / "b", exchange)
    names = sorted(each.name for each in first.rglob("*"))
    assert "0001-ITI-41-request.http" in names
    assert names == sorted(each.name for each in second.rglob("*"))
    assert (first / "index.json").read_bytes() == (second / "index.json").read_bytes()
    assert str(tmp_path) not in (first / "index.json").read_text()


def test_a_document_that_was_changed_is_refused(tmp_path: Path) -> None:
    directory = kept(tmp_path / "a", recorded(taken_apart(*mtom([b"\0doc"]))))
    (part,) = (directory / "parts").iterdir()
    part.write_bytes(b"\0dog")
    with pytest.raises(NoCapture, match="SHA-256"):
        read(directory)


def test_an_index_that_names_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    directory = kept(tmp_path / "a", recorded(taken_apart(*mtom([]))))
    index = json.loads((directory / "index.json").read_text())
    index["exchanges"][0]["request"]["file"] = "../../etc/passwd"
    (directory / "index.json").write_text(json.dumps(index))
    with pytest.raises(NoCapture, match="only names without a path"):
        read(directory)


def test_a_capture_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), written(tmp_path / "a", Capture(exchanges=(), redacted=True)):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    kept(tmp_path / "a", recorded(taken_apart(*mtom([]))))
    with pytest.raises(NoCapture, match="is there already"):
        kept(tmp_path / "a")


STREAM = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nT: 1\r\n\r\n"
    b"HTTP/1.1 200 OK\r\n\r\nto the end"
)


def heard(chunks: list[bytes]) -> list[tuple[bytes, bytes]]:
    reader = HTTPReader(lambda head: b" 100 " in head, of_server=True)
    events: list[Event] = [each for chunk in chunks for each in reader.feed(chunk)]
    found: list[tuple[bytes, bytes]] = []
    head = body = b""
    for each in (*events, *reader.close()):
        if isinstance(each, Head):
            head, body = each.content, b""
        elif each is End.END:
            found.append((head.split(b"\r\n")[0], body))
        elif isinstance(each, bytes):
            body += each
    return found


@given(size=st.integers(1, 40))
def test_any_pieces_of_http_yield_the_same_messages(size: int) -> None:
    ok, more = b"HTTP/1.1 200 OK", b"HTTP/1.1 100 Continue"
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert heard(pieces) == [(more, b""), (ok, b"abc"), (ok, b"def"), (ok, b"to the end")]
