"""Reading and writing ER7: good messages, deviations of real systems, and what is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7v2.compose import compose, segment
from hl7v2.encoding import NULL, STANDARD, Charset, Encoding, read_text, write_text
from hl7v2.er7 import Malformed, NotHL7, parse, serialize
from hl7v2.message import Presence
from ihe.errors import HL7ErrorCode, Rejected

ADMISSION = (
    b"MSH|^~\\&|LIS|LAB|MPI|AGENCY|20261123||ADT^A28^ADT_A05|42|P|2.5||||||UNICODE UTF-8\r"
    b"EVN||20261123\r"
    b'PID|1||77^^^NS&1.2.3&ISO^PI~""^^^OTHER||M\xc3\xbcller^Jo\\T\\Ann||19800101|F|""|\r'
    b"ZLU|keep~me^&|\r"
)


def test_a_message_is_read_by_the_numbers_of_the_standard() -> None:
    message = parse(ADMISSION)
    assert (message.trigger, message.structure, message.control_id) == ("ADT^A28", "ADT_A05", "42")
    assert (message.version, message.processing_id) == ("2.5", "P")
    assert (message.sending_application, message.receiving_facility) == ("LIS", "AGENCY")
    pid = message["PID"]
    assert (pid.text(5), pid.text(5, 2)) == ("Müller", "Jo&Ann")
    assert [each.text(4, 1) for each in pid.repetitions(3)] == ["NS", "OTHER"]
    assert pid.text(3, 4, 2) == "1.2.3"


def test_absent_empty_null_and_valued_differ() -> None:
    pid = parse(ADMISSION)["PID"]
    assert [pid.presence(number) for number in (8, 9, 10, 11)] == [
        Presence.VALUED,
        Presence.NULL,
        Presence.EMPTY,
        Presence.ABSENT,
    ]
    assert pid.repetitions(3)[1].text() == NULL
    assert pid.repetitions(3)[1].presence(1) is Presence.NULL


def test_unknown_segments_survive() -> None:
    assert serialize(parse(ADMISSION)) == ADMISSION


def test_a_missing_segment_is_refused_with_its_location() -> None:
    with pytest.raises(Rejected) as caught:
        parse(ADMISSION)["MRG"]
    assert [(breach.code, breach.location) for breach in caught.value.breaches] == [(100, "MRG^1")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r", b"\r \r"])
def test_other_segment_ends_are_read_alike(end: bytes) -> None:
    assert parse(ADMISSION.replace(b"\r", end)) == parse(ADMISSION)


def test_the_last_segment_end_may_be_missing() -> None:
    assert parse(ADMISSION[:-1]) == parse(ADMISSION)


def test_delimiters_of_the_sender_are_honoured() -> None:
    pid = parse(b"MSH#*?/%#A#B\rPID###1*x%y?2##M/F/ller")["PID"]
    assert [each.text(2, 2) for each in pid.repetitions(3)] == ["y", ""]
    assert pid.text(5) == "M#ller"


def test_without_subcomponent_and_escape_characters_both_are_plain_text() -> None:
    message = parse(b"MSH|^~|A|B\rPID|||a&b\\F\\")
    assert message["PID"].text(3) == "a&b\\F\\"


@pytest.mark.parametrize(
    ("declared", "spelled"),
    [
        ("8859/1", b"M\xfcller"),
        ("8859/15", b"M\xfcller"),
        ("UNICODE UTF-8", b"M\xc3\xbcller"),
        ("unicode utf-8", b"M\xc3\xbcller"),
        ("iso-8859-1 ", b"M\xfcller"),
    ],
)
def test_msh_18_names_the_character_set(declared: str, spelled: bytes) -> None:
    data = ADMISSION.replace(b"UNICODE UTF-8", declared.encode()).replace(b"M\xc3\xbcller", spelled)
    assert parse(data)["PID"].text(5) == "Müller"


def test_the_euro_sign_tells_8859_15_from_8859_1() -> None:
    assert read_text("\\XA4\\", Encoding(charset=Charset.LATIN_9)) == "€"
    assert read_text("\\XA4\\", Encoding(charset=Charset.LATIN_1)) == "¤"


def test_a_character_cut_over_two_hexadecimal_escapes_is_put_together() -> None:
    assert read_text("M\\XC3\\\\XBC\\ller", Encoding(charset=Charset.UTF_8)) == "Müller"


def test_bytes_outside_the_character_set_are_located() -> None:
    with pytest.raises(Malformed) as caught:
        parse(ADMISSION.replace(b"UNICODE UTF-8", b"").replace(b"\xc3\xbc", b"\xfc"))
    assert [(breach.code, breach.location) for breach in caught.value.breaches] == [(102, "PID^1^5")]
    assert caught.value.header.control_id == "42"


def test_a_source_without_msh_18_may_be_configured() -> None:
    latin = ADMISSION.replace(b"UNICODE UTF-8", b"").replace(b"\xc3\xbc", b"\xfc")
    assert parse(latin, undeclared=Charset.LATIN_1)["PID"].text(5) == "Müller"


@pytest.mark.parametrize(
    ("change", "code", "location"),
    [
        ((b"UNICODE UTF-8", b"KLINGON"), HL7ErrorCode.TABLE_VALUE_NOT_FOUND, "MSH^1^18"),
        ((b"|^~\\&|", b"|^^\\&|"), HL7ErrorCode.DATA_TYPE_ERROR, "MSH^1^2"),
        ((b"ZLU", b"zlu"), HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, ""),
        ((b"19800101", b"1980\x000101"), HL7ErrorCode.DATA_TYPE_ERROR, "PID^1^7"),
        ((b"ZLU", b"MSH"), HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, "MSH^2"),
    ],
)
def test_what_cannot_be_read_is_refused(change: tuple[bytes, bytes], code: HL7ErrorCode, location: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(ADMISSION.replace(*change))
    assert [(breach.code, breach.location) for breach in caught.value.breaches] == [(code, location)]


@pytest.mark.parametrize(
    "data", [b"", b"MSH", b"GET / HTTP/1.1\r\n\r\n", b"MSHX^~\\&|", b"FHS|^~\\&|", b"\x16\x03\x01"]
)
def test_what_has_no_msh_cannot_be_answered(data: bytes) -> None:
    with pytest.raises(NotHL7):
        parse(data)


def test_real_messages_survive_parsing_and_writing(samples: dict[str, bytes]) -> None:
    for name, data in samples.items():
        message = parse(data, undeclared=Charset.LATIN_1 if "8859" in name else Charset.UTF_8)
        assert _lines(serialize(message)) == _lines(data), name


def _lines(data: bytes) -> list[bytes]:
    return [line for line in re.split(b"[\r\n]+", data) if line.strip(b" ")]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
components = st.none() | texts | st.lists(st.none() | texts, min_size=2, max_size=3).map(tuple)
values = st.none() | texts | st.lists(components, min_size=2, max_size=4).map(tuple)
fields = values | st.lists(values, min_size=2, max_size=3)


@given(text=texts)
def test_any_text_survives_escaping(text: str) -> None:
    assert read_text(write_text(text, STANDARD), STANDARD) == text


@given(
    header=st.dictionaries(st.integers(3, 12), fields, max_size=5),
    body=st.lists(
        st.builds(segment, st.sampled_from(["PID", "ZA1"]), st.dictionaries(st.integers(1, 9), fields, max_size=4)),
        max_size=3,
    ),
)
def test_what_is_composed_is_read_back(header: dict[int, str], body: list) -> None:  # type: ignore[type-arg]
    message = compose(header, body)
    assert parse(serialize(message)) == message
