"""Hostile input: whatever the bytes, there is a message, an answer that can be written, or a clear refusal."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from hl7v2.ack import Mode, ack
from hl7v2.compose import compose
from hl7v2.encoding import Charset, Encoding, read_text, write_text
from hl7v2.er7 import Malformed, NotHL7, parse, serialize
from hl7v2.message import Message, Repetition
from ihe.exchange import Exchange

PIECES = [
    b"|",
    b"^",
    b"~",
    b"&",
    b"\\",
    b"\r",
    b"\n",
    b"PID",
    b"MSH",
    b'""',
    b"\\X41\\",
    b"\\XZZ\\",
    b"\\F\\",
    b"\xc3\xbc",
]
PIECES += [b"\xff", b"\0", b"\x85", b"\x0b", b"\x1c", b"A", b"2.5", b"8859/1", b"UNICODE UTF-8", b"AL", b"\xe2\x80\xa8"]
EXCHANGE = Exchange(correlation_id="0" * 32, received_at=datetime(2026, 1, 1, tzinfo=UTC))

junk = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=40).map(b"".join)
headed = st.builds(
    lambda head, rest: head + rest, st.sampled_from([b"MSH|^~\\&|", b"MSH", b"MSH|^~|", b"MSH#*?/%"]), junk
)


@given(data=headed | junk)
@example(b"MSH|^~\\&" + b"|" * 17 + b"8859/15\rPID|\\XA4\\")
@example(b"MSH|\\^~&|a")
@example(b"MSH\r|")
@example(b"MSH|^~\\&|\r\0\x80")
@example(b"MSH|^~\\&|\0")
def test_any_bytes_are_a_message_or_a_clear_refusal(data: bytes) -> None:
    try:
        message = parse(data)
    except NotHL7:
        return
    except Malformed as malformed:
        assert malformed.breaches
        assert _answered(malformed)
        return
    written = serialize(message)
    assert parse(written) == message
    assert serialize(parse(written)) == written


def _answered(malformed: Malformed) -> bool:
    for mode in Mode:
        answer = ack(malformed.header, malformed, EXCHANGE, mode)
        if answer is not None:
            assert parse(serialize(answer)) == answer
    return True


@given(data=headed)
@example(b"MSH|^~\\&||||||||||2.5\x1c\r")
def test_any_message_can_be_read_everywhere_answered_and_copied(data: bytes) -> None:
    try:
        message = parse(data)
    except (NotHL7, Malformed):
        return
    for segment in message:
        for number in range(1, len(segment.fields) + 2):
            segment.presence(number)
            for repetition in segment.repetitions(number):
                assert isinstance(repetition.text(2, 2), str)
    answer = ack(message, None, EXCHANGE)
    assert answer is not None
    assert parse(serialize(answer)) == answer
    assert not {0x0B, 0x1C} & set(serialize(answer))
    copy = compose({9: ("RSP", "K22")}, message.segments[1:])
    assert parse(serialize(copy)) == copy
    assert [[each.text(1, 2) for each in found] for found in _repetitions(copy)] == [
        [each.text(1, 2) for each in found] for found in _repetitions(message)
    ]


def _repetitions(message: Message) -> list[tuple[Repetition, ...]]:
    return [segment.repetitions(number) for segment in message.segments[1:] for number in range(1, 5)]


delimiters = st.lists(st.sampled_from("|^~\\&#*?%$+-_./:;<=>@!'(),"), min_size=6, max_size=6, unique=True)


@given(
    delimiters,
    st.sampled_from(list(Charset)),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)
def test_any_delimiters_and_character_set_carry_any_text(six: list[str], charset: Charset, text: str) -> None:
    field, component, repetition, escape, subcomponent, truncation = six
    encoding = Encoding(
        field=field,
        component=component,
        repetition=repetition,
        escape=escape,
        subcomponent=subcomponent,
        truncation=truncation,
        charset=charset,
    )
    written = write_text(text, encoding)
    assert read_text(written, encoding) == text
    assert not set(written) & {field, component, repetition, subcomponent, "\r", "\n", "\x0b", "\x1c"}
