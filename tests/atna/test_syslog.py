"""RFC 5424: what is written can be read again; what others write is read, with a name for every departure."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atna.syslog import Deviation, NotSyslog, SyslogMessage, decode, encode

AT = datetime(2026, 3, 1, 8, 30, 0, 250000, UTC)
PLAIN = SyslogMessage(timestamp=AT, hostname="node.example", app_name="affinity", proc_id="71", msg_id="IHE+RFC-3881")

SD_NAMES = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='=]"'), min_size=1, max_size=32
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def words(most: int) -> st.SearchStrategy[str | None]:
    printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=most)
    return st.none() | printable.filter(lambda each: each != "-")


MESSAGES = st.builds(
    SyslogMessage,
    facility=st.integers(0, 23),
    severity=st.integers(0, 7),
    timestamp=st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])),
    hostname=words(255),
    app_name=words(48),
    proc_id=words(128),
    msg_id=words(32),
    structured_data=st.dictionaries(SD_NAMES, st.lists(st.tuples(SD_NAMES, TEXTS), max_size=3).map(tuple), max_size=3),
    content=TEXTS.map(str.encode).filter(
        lambda each: not each.startswith((b" ", b"\xef\xbb\xbf")) and not each.endswith(b"\0")
    ),
)


@given(message=MESSAGES.filter(lambda each: each.timestamp is None or each.timestamp.year > 1))
def test_what_is_written_is_read_again(message: SyslogMessage) -> None:
    decoded = decode(encode(message))
    assert decoded.message == message
    assert decoded.deviations == ()


@given(data=st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    decode(b"<85>" + data)
    decode(b"<85>1 " + data)


def test_an_audit_message_is_written_as_ihe_says() -> None:
    written = encode(SyslogMessage(**{**_fields(PLAIN), "content": b"<AuditMessage/>"}))
    assert written == b"<85>1 2026-03-01T08:30:00.250000Z node.example affinity 71 IHE+RFC-3881 - <AuditMessage/>"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hostname", "two words"),
        ("hostname", "x" * 256),
        ("app_name", "é"),
        ("proc_id", ""),
        ("msg_id", "-"),
        ("facility", 24),
        ("severity", -1),
        ("timestamp", datetime(2026, 3, 1)),
        ("structured_data", {"a=b": ()}),
        ("structured_data", {"a": (("b]", "c"),)}),
    ],
)
def test_what_the_grammar_does_not_allow_is_not_written(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=re.escape(field) if field != "structured_data" else "SD-NAME"):
        encode(SyslogMessage(**{**_fields(PLAIN), field: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "deviation"),
    [
        (b"<85>2 2026-03-01T08:30:00Z h a 1 m - <x/>", Deviation.VERSION),
        (b"<85>1 2026-03-01T08:30:00 h a 1 m - <x/>", Deviation.TIMESTAMP),
        (b"<85>1 2026-13-01T08:30:00Z h a 1 m - <x/>", Deviation.TIMESTAMP),
        (b"<85>1 - h\xc3\xa9 a 1 m - <x/>", Deviation.FIELD),
        (b"<85>1 - h " + b"a" * 49 + b" 1 m - <x/>", Deviation.FIELD),
        (b"<85>1 - h a 1 m <x/>", Deviation.STRUCTURED_DATA),
        (b'<85>1 - h a 1 m [a b="c] <x/>', Deviation.STRUCTURED_DATA),
        (b"<85>1 - h a 1 m - <x/>\n\0", Deviation.TRAILER),
        (b"<85>1 - h a 1 m - <x>\xe9</x>", Deviation.ENCODING),
        (b"<85>Mar  1 08:30:00 h app[12]: <x/>", Deviation.BSD),
        (b"<85><x/>", Deviation.BSD),
    ],
)
def test_a_departure_is_read_and_named(data: bytes, deviation: Deviation) -> None:
    decoded = decode(data)
    assert decoded.deviations == (deviation,)
    assert b"<x" in decoded.message.content


@pytest.mark.parametrize("data", [b"", b"<AuditMessage/>", b"<192>1 - - - - - -", b"<>1 -", b"85 1"])
def test_bytes_without_a_pri_are_no_syslog(data: bytes) -> None:
    with pytest.raises(NotSyslog, match=r"RFC 5424: 6\.2\.1"):
        decode(data)


def test_the_examples_of_the_rfc_are_read() -> None:
    decoded = decode(
        b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
        b'[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]'
        b'[examplePriority@32473 class="high"] \xef\xbb\xbfAn application event log entry...'
    )
    assert decoded.deviations == ()
    assert decoded.message.structured_data["exampleSDID@32473"][1] == ("eventSource", "Application")
    assert decoded.message.content == b"An application event log entry..."


def test_an_escape_that_is_none_stays() -> None:
    parameters = decode(rb'<85>1 - h a 1 m [a b="\c\"\]\\"] x').message.structured_data["a"]
    assert parameters == (("b", '\\c"]\\'),)


def _fields(message: SyslogMessage) -> dict[str, object]:
    return {name: getattr(message, name) for name in SyslogMessage.__slots__}
