"""What the benchmarks rest on: prepared answers are the real bytes, answers end where they end, contents are exact."""

import base64
import json
import os
import sys
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, binary, data, integers

from benchmarks.counted import Counting
from benchmarks.exchanges import Relay
from benchmarks.figures import Aim, Better, Figure
from benchmarks.fragments import APPROVED, cut
from benchmarks.load import WrongAnswer, whole_http, whole_mllp
from benchmarks.messages import announcements, find_documents
from benchmarks.populations import build
from benchmarks.process import cpu_seconds, peak_rss
from benchmarks.streams import ComparingSink, Content
from hl7v2.er7 import parse
from ihe.exchange import Part

ENTRY = b'<rim:ExtrinsicObject id="%d" status="' + APPROVED + b'" home="x"><rim:Name/></rim:ExtrinsicObject>'
START, END = (
    b"<query:AdhocQueryResponse><rim:RegistryObjectList>",
    b"</rim:RegistryObjectList></query:AdhocQueryResponse>",
)


@given(integers(0, 12))
def test_a_response_that_was_cut_is_spliced_to_the_same_bytes(entries: int) -> None:
    response = START + b"".join(ENTRY % number for number in range(entries)) + END
    prepared = cut(response)
    assert len(prepared.entries) == entries
    assert b"".join(prepared.splice()) == response


@given(binary(max_size=300))
def test_an_http_answer_is_whole_at_its_last_byte_and_not_before(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nServer: x\r\n\r\n%b" % (len(body), body)
    assert [whole_http(bytearray(answer[:end])) for end in range(len(answer))] == [0] * len(answer)
    assert whole_http(bytearray(answer)) == len(answer)


def test_an_mllp_answer_is_whole_with_its_end_block() -> None:
    assert whole_mllp(bytearray(b"\x0bMSH|\r\x1c")) == 0
    assert whole_mllp(bytearray(b"\x0bMSH|\r\x1c\r")) == 8


@given(integers(0, 2_000_000), integers(0, 3))
def test_a_content_has_its_size_and_always_the_same_bytes(size: int, seed: int) -> None:
    content = Content(seed=seed, size=size)
    whole = b"".join(content.chunks())
    assert len(whole) == size
    assert whole == b"".join(content.chunks())
    assert not size or whole != b"".join(Content(seed=seed + 4, size=size).chunks())


def test_each_chunk_of_a_content_is_whole_base64() -> None:
    content = Content(seed=1, size=2_000_001)
    assert b"".join(map(base64.b64encode, content.chunks())) == base64.b64encode(b"".join(content.chunks()))


@given(integers(1, 2_000_000), integers(1, 400_000), data())
def test_what_comes_back_is_compared_byte_by_byte(size: int, piece: int, draw: DataObject) -> None:
    content = Content(seed=0, size=size)
    came = bytearray(b"".join(content.chunks()))
    assert _compared(content, bytes(came), piece).size == size
    came[draw.draw(integers(0, size - 1))] ^= 1
    with pytest.raises(WrongAnswer):
        _compared(content, bytes(came), piece)


def test_more_bytes_than_were_sent_are_wrong() -> None:
    with pytest.raises(WrongAnswer):
        _compared(Content(seed=0, size=10), b"".join(Content(seed=0, size=10).chunks()) + b"x", 10)


def _compared(content: Content, came: bytes, piece: int) -> Part:
    sink = ComparingSink(content)
    for start in range(0, len(came), piece):
        sink.write(came[start : start + piece])
    return sink.finish("document", "text/plain")


def test_every_announcement_is_a_message_about_another_patient() -> None:
    messages = [parse(each[1:-2]) for each in announcements(200)]
    assert {each.trigger for each in messages} == {"ADT^A28"}
    assert len({each.control_id for each in messages}) == len({each["PID"].text(3) for each in messages}) == 200


def test_a_request_says_how_long_it_is() -> None:
    assert whole_http(bytearray(find_documents("P"))) == len(find_documents("P"))


def test_the_kernel_tells_cpu_and_memory_of_a_process() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(200_000))
    assert cpu_seconds(os.getpid()) > before
    assert peak_rss(os.getpid()) > 10_000_000


@pytest.mark.parametrize(("better", "met"), [(Better.LOWER, False), (Better.HIGHER, True)])
def test_an_aim_is_judged_by_the_median(better: Better, met: bool) -> None:
    figure = Figure(benchmark="b", name="n", unit="u", runs=(1, 5, 90), aim=Aim(better, 4))
    assert figure.value == 5
    assert Aim(better, 4).is_met_by(figure.value) is met


def test_a_data_directory_is_built_of_a_population(tmp_path: Path) -> None:
    built = build(tmp_path, 20)
    assert built.records >= 20 and built.rate > 0 and built.cpu > 0
    assert (built.data / "affinity.db").exists()


def test_calls_are_counted_from_one_signal_to_the_next(tmp_path: Path) -> None:
    written = tmp_path / "counted.json"
    counting = Counting(written)
    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        whole_mllp(bytearray())
        counting.turn()
        for _ in range(7):
            whole_mllp(bytearray())
        counting.turn()
    finally:
        sys.setprofile(before)
    calls = json.loads(written.read_text())
    assert {Path(name).name: count for name, count in calls.items()}["load.py"] == 7


def test_statements_and_exchanges_are_counted_on_their_way(postgresql_url: str) -> None:
    relay = Relay(postgresql_url)
    with psycopg.connect(relay.url.replace("+psycopg", ""), autocommit=True) as connection:
        before = (relay.statements, relay.exchanges)
        connection.execute("SELECT repeat('x', 200000)")
        connection.execute("BEGIN; SELECT 1; COMMIT")
        with connection.pipeline():
            for number in range(3):
                connection.execute("SELECT %s", (number,))
        assert (relay.statements - before[0], relay.exchanges - before[1]) == (7, 3)
    relay.close()
