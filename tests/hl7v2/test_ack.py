"""Acknowledgements as Appendix C wants them: who answers whom, with which code, and where the fault lies."""

from dataclasses import replace

import pytest

from hl7v2.ack import Mode, ack, mode
from hl7v2.er7 import Malformed, parse, serialize
from hl7v2.message import Message
from ihe.citations import tf2
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Rejected, Severity
from ihe.exchange import Exchange

UNKNOWN = Breach(
    code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
    text="The assigning authority is not known here.",
    location="PID^1^3^2^4",
    observed="NOWHERE",
    citation=tf2("3.30"),
)


def adt(version: str = "2.5", accept: str = "", application: str = "", name: str = "Doe") -> Message:
    head = f"MSH|^~\\&|LIS^1.2^ISO|LAB|MPI|AGENCY|2026||ADT^A28^ADT_A05|42|T|{version}|||{accept}|{application}"
    return parse(f"{head}\rPID|1||77||{name}\r".encode())


def answered(message: Message, rejected: Rejected | None, exchange: Exchange) -> Message:
    found = ack(message, rejected, exchange)
    assert found is not None
    return parse(serialize(found))


def test_an_accepted_message_is_answered_by_its_receiver_to_its_sender(exchange: Exchange) -> None:
    assert serialize(answered(adt(), None, exchange)) == (
        b"MSH|^~\\&|MPI|AGENCY|LIS^1.2^ISO|LAB|20261123103000+0000||ACK^A28^ACK|ffee00c0ffee00c0ffee|T|2.5\rMSA|AA|42\r"
    )


def test_a_breach_becomes_an_err_with_location_code_severity_and_texts(exchange: Exchange) -> None:
    answer = answered(adt(), Rejected(UNKNOWN), exchange)
    err = answer["ERR"]
    assert answer["MSA"].text(1) == "AE"
    assert [err.raw(number) for number in (1, 2, 4)] == ["", "PID^1^3^2^4", "E"]
    assert err.raw(3) == "204^Unknown key identifier^HL70357"
    assert err.text(7) == "The assigning authority is not known here; observed: NOWHERE (ITI TF-2: 3.30)"
    assert err.text(8) == UNKNOWN.text


@pytest.mark.parametrize(
    ("observed", "expected"),
    [("NOWHERE", "HOSP, " * 900), ("NOWHERE" * 900, "HOSP"), ("NOWHERE" * 900, "HOSP, " * 900)],
)
def test_the_remedy_and_the_section_are_told_whatever_was_sent(
    observed: str, expected: str, exchange: Exchange
) -> None:
    breach = replace(UNKNOWN, observed=observed, expected=expected, remedy="Send one of ours")
    told = answered(adt(), Rejected(breach), exchange)["ERR"].text(7)
    assert len(told) <= 2048
    assert told.startswith("The assigning authority is not known here; observed: NOWHERE")
    assert "; expected: HOSP" in told
    assert told.endswith("; Send one of ours (ITI TF-2: 3.30)")


def test_a_text_that_is_short_enough_stays_as_it_is(exchange: Exchange) -> None:
    assert UNKNOWN.within(2048) is UNKNOWN
    assert replace(UNKNOWN, text="x" * 3000).within(2048).observed == "..."


def test_every_breach_gets_its_err(exchange: Exchange) -> None:
    warning = Breach(code=HL7ErrorCode.DATA_TYPE_ERROR, text="Odd", severity=Severity.WARNING)
    answer = answered(adt(), Rejected(UNKNOWN, warning), exchange)
    assert [(err.text(3), err.text(4)) for err in answer.all("ERR")] == [("204", "E"), ("102", "W")]


def test_warnings_alone_do_not_refuse(exchange: Exchange) -> None:
    warning = Breach(code=HL7ErrorCode.DATA_TYPE_ERROR, text="Odd", severity=Severity.WARNING)
    assert answered(adt(), Rejected(warning), exchange)["MSA"].text(1) == "AA"


@pytest.mark.parametrize(
    ("code", "msa"),
    [
        (HL7ErrorCode.UNSUPPORTED_MESSAGE_TYPE, "AR"),
        (HL7ErrorCode.UNSUPPORTED_EVENT_CODE, "AR"),
        (HL7ErrorCode.APPLICATION_INTERNAL_ERROR, "AR"),
        (HL7ErrorCode.REQUIRED_FIELD_MISSING, "AE"),
        (HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER, "AE"),
        (ErrorCode.REGISTRY_ERROR, "AR"),
    ],
)
def test_the_code_decides_between_error_and_reject(
    code: HL7ErrorCode | ErrorCode, msa: str, exchange: Exchange
) -> None:
    assert answered(adt(), Rejected(Breach(code=code, text="No")), exchange)["MSA"].text(1) == msa


def test_version_2_3_1_gets_its_own_form_of_err_as_well(exchange: Exchange) -> None:
    err = answered(adt("2.3.1"), Rejected(UNKNOWN), exchange)["ERR"]
    assert err.raw(1) == "PID^1^3^204&Unknown key identifier&HL70357"
    assert err.raw(2) == "PID^1^3^2^4"


@pytest.mark.parametrize(
    ("accept", "application", "accepted", "refused"),
    [
        ("AL", "", "CA", "CE"),
        ("ER", "", None, "CE"),
        ("SU", "", "CA", None),
        ("NE", "NE", None, None),
        ("AL", "AL", "AA", "AE"),
        ("AL", "ER", "CA", "AE"),
        ("NE", "SU", "AA", None),
        ("AL", "NE", "CA", "CE"),
    ],
)
def test_enhanced_mode_answers_what_msh_15_and_16_ask(
    accept: str, application: str, accepted: str | None, refused: str | None, exchange: Exchange
) -> None:
    message = adt(accept=accept, application=application)
    assert mode(message) is Mode.ENHANCED
    for rejected, code in ((None, accepted), (Rejected(UNKNOWN), refused)):
        answer = ack(message, rejected, exchange, mode(message))
        assert (answer and answer["MSA"].text(1)) == code


def test_original_mode_answers_whatever_msh_15_says(exchange: Exchange) -> None:
    assert answered(adt(accept="NE"), None, exchange)["MSA"].text(1) == "AA"
    assert mode(adt()) is Mode.ORIGINAL


def test_the_answer_declares_a_character_set_only_where_it_needs_one(exchange: Exchange) -> None:
    breach = Breach(code=HL7ErrorCode.DATA_TYPE_ERROR, text="No", observed="Müller")
    assert answered(adt(name="Müller"), None, exchange).header.raw(18) == ""
    assert answered(adt(), Rejected(breach), exchange).header.raw(18) == "UNICODE UTF-8"


def test_an_unreadable_message_is_answered_from_its_header(exchange: Exchange) -> None:
    with pytest.raises(Malformed) as caught:
        parse(b"MSH|^~\\&|LIS|LAB|||2026||ADT^A28|42|P|2.5||||||KOI8\rPID|1\r")
    answer = answered(caught.value.header, caught.value, exchange)
    assert answer["MSA"].raw(2) == "42"
    assert answer["ERR"].raw(2) == "MSH^1^18"
    assert (answer.sending_application, answer.receiving_application) == ("AFFINITY", "LIS")
