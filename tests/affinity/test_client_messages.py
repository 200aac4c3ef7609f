"""What the client builds and reads over HL7: files of messages, queries, answers of both versions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from
from lxml import etree

from affinity.client import hl7_answers, v3, v3_answers
from affinity.client.hl7_file import split
from affinity.client.patients import Sought, parse_authority, parse_identifier
from hl7v2.er7 import parse as parse_er7
from ihe.datatypes import CX, HD
from soap.xml import parse, schema

MESSAGES = (
    b"MSH|^~\\&|A|B|C|D|1||ADT^A28|1|P|2.5\rEVN||1\rPID|||1^^^N||MSHALL^Jo\r",
    b"MSH|^~\\&|A|B|C|D|1||ADT^A31|2|P|2.5\rPID|||2^^^N||Doe^Jo|MSH|x\r",
    "MSH|^~\\&|A|B|C|D|1||QBP^Q22|3|P|2.5\rQPD|q|t|@PID.5.1^Müller\r".encode(),
)
DEVICES = v3.Devices(sender="2.25.1", receiver="2.25.2")
PATIENT = CX("4711", HD("", "2.25.3", "ISO"))
EVERYTHING = Sought(
    family="Doe",
    given="Jo",
    birth_date="19800101",
    sex="O",
    street="12, rue A",
    city="B",
    postal_code="L-1",
    phone="123",
    id=PATIENT,
)


@given(
    messages=lists(sampled_from(MESSAGES), min_size=1, max_size=4),
    end=sampled_from([b"\r", b"\n", b"\r\n", b"\r\n\r\n"]),
    wrap=sampled_from([(b"", b""), (b"\x0b", b"\x1c\r"), (b"\n\n", b"")]),
)
def test_however_a_file_ends_its_lines_the_same_messages_are_in_it(
    messages: list[bytes], end: bytes, wrap: tuple[bytes, bytes]
) -> None:
    spelled = (wrap[0] + message.replace(b"\r", end) + wrap[1] for message in messages)
    assert split(b"".join(spelled)) == tuple(messages)


def test_batch_headers_and_what_stands_before_the_first_message_are_left_out() -> None:
    batch = b"FHS|^~\\&|x\rBHS|^~\\&|x\r" + MESSAGES[0] + b"BTS|1\rFTS|1\r"
    assert split(b"\xef\xbb\xbf" + batch) == (MESSAGES[0],)
    assert split(b"a note\n" + MESSAGES[0]) == (MESSAGES[0],)


@pytest.mark.parametrize("content", [b"", b"PID|||1\r", b"MSHALL is a name\r"])
def test_a_file_without_msh_has_no_messages(content: bytes) -> None:
    assert split(content) == ()


def test_an_acknowledgement_is_read_with_every_error() -> None:
    answer = parse_er7(
        b"MSH|^~\\&|C|D|A|B|1||ACK^A28|9|P|2.5\rMSA|AE|1|no\r"
        b"ERR||PID^1^5|101^Required field missing^HL70357|E|||The name is missing\rERR||PID^1^7|102|W||||A date\r"
    )
    told = hl7_answers.acknowledgement(answer)
    assert (told.code, told.control_id, told.accepted) == ("AE", "1", False)
    assert [str(each) for each in told.errors] == [
        "101 Required field missing at PID^1^5: The name is missing",
        "102 at PID^1^7: A date",
    ]
    assert [each.severity for each in told.errors] == ["E", "W"]


def test_an_error_of_version_2_3_1_stands_in_err_1() -> None:
    answer = parse_er7(
        b"MSH|^~\\&|C|D|A|B|1||ACK|9|P|2.3.1\rMSA|AE|1\rERR|PID^1^5^101&Required field missing&HL70357\r"
    )
    assert str(hl7_answers.acknowledgement(answer).errors[0]) == "101 Required field missing at PID^1^5"


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("1^^^&2.25.3&ISO", HD("", "2.25.3", "ISO")),
        ("1^^^NS", HD("NS")),
        ("1^^^NS&2.25.3&ISO^PI", HD("NS", "2.25.3", "ISO")),
        ("1^^^2.25.3", HD("", "2.25.3", "ISO")),
    ],
)
def test_an_identifier_is_read_in_every_usual_spelling(text: str, authority: HD) -> None:
    assert parse_identifier(text).authority == authority


@pytest.mark.parametrize("text", ["", "1", "1^^^", "^^^NS", "1^^^NS&x&ISO", "1^^^NS&2.25.3&DNS"])
def test_what_is_no_identifier_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match="form"):
        parse_identifier(text)


@pytest.mark.parametrize("text", ["NS", "2.25.3"])
def test_an_authority_is_a_namespace_or_an_oid(text: str) -> None:
    assert text in (parse_authority(text).namespace_id, parse_authority(text).universal_id)


@pytest.mark.parametrize(
    "body",
    [
        v3.demographics_query(EVERYTHING, DEVICES, (HD("", "2.25.4", "ISO"),), 5),
        v3.demographics_query(Sought(given="Jo"), DEVICES),
        v3.identifiers_query(PATIENT, (HD("", "2.25.4", "ISO"),), DEVICES),
        v3.identifiers_query(PATIENT, (), DEVICES),
    ],
    ids=["everything", "a given name", "one domain", "all domains"],
)
def test_v3_queries_validate_against_the_official_schema(body: bytes, shared: Path) -> None:
    element = parse(body)
    name = etree.QName(element).localname
    official = schema(shared / "schemas/HL7V3/NE2008/multicacheschemas" / f"{name}.xsd")
    official.assertValid(element)


def test_a_v3_answer_is_read_like_one_of_version_2() -> None:
    answer = parse(
        b'<PRPA_IN201306UV02 xmlns="urn:hl7-org:v3"><acknowledgement><typeCode code="AE"/>'
        b'<acknowledgementDetail typeCode="E"><code code="204"/><text>not known</text><location>/a</location>'
        b"</acknowledgementDetail></acknowledgement><controlActProcess><subject><registrationEvent><subject1><patient>"
        b'<id root="2.25.3" extension="4711" assigningAuthorityName="NS"/><patientPerson>'
        b"<name><given>Jo</given><family>Doe</family></name>"
        b'<administrativeGenderCode code="F"/><birthTime value="19800101"/><addr><city>B</city></addr>'
        b'<asOtherIDs><id root="2.25.4" extension="12"/></asOtherIDs>'
        b"</patientPerson></patient></subject1></registrationEvent></subject>"
        b'<queryAck><queryResponseCode code="AE"/><resultRemainingQuantity value="2"/></queryAck>'
        b"</controlActProcess></PRPA_IN201306UV02>"
    )
    found = v3_answers.found(answer)
    assert (found.code, found.outcome, found.remaining, found.accepted) == ("AE", "AE", 2, False)
    assert [str(each) for each in found.remarks] == ["204 at /a: not known"]
    patient = found.patients[0]
    assert (patient.family, patient.given, patient.birth_date, patient.sex, patient.city) == (
        "Doe",
        "Jo",
        "19800101",
        "F",
        "B",
    )
    assert patient.identifiers == (CX("4711", HD("NS", "2.25.3", "ISO")), CX("12", HD("", "2.25.4", "ISO")))
