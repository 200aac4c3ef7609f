"""HL7 v3 messages: one good message, one change, one finding, with the assertions that it breaks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from conformance.kinds import NotRecognised
from conformance.validating import validate
from conformance.validators.context import Context
from conformance.validators.v3_rules import EVERY_RULE
from tests.conformance.mutations import mutations

HERE = Path(__file__).parent
ANY = Context()
MESSAGES = {
    path.stem: path.read_bytes()
    for folder in (HERE / "messages", HERE.parent / "pix/v3/messages")
    for path in sorted(folder.glob("iti4[457]*.xml"))
}
PATIENT = "/controlActProcess/subject/registrationEvent/subject1/patient"
ACK = "/controlActProcess/queryAck"
OTHER = '<asOtherIDs classCode="PAT"><id root="{0}" extension="{1}"/>\
<scopingOrganization classCode="ORG" determinerCode="INSTANCE"><id root="{0}"/></scopingOrganization></asOtherIDs>'
KIN = '<personalRelationship classCode="PRS">'
Case = tuple[str, str, str, str, str]
CASES: tuple[Case, ...] = (
    ("iti44_acknowledgement", '"CA"', '"AA"', "/acknowledgement/typeCode", "TF2-O-023"),
    ("iti44_acknowledgement", 'AckCode code="NE"', 'AckCode code="AL"', "/acceptAckCode", "TF2-O-017"),
    (
        "iti44_acknowledgement",
        'root="2.25.999.100" extension="1"',
        "",
        "/acknowledgement/targetMessage/id",
        "TF2-O-025",
    ),
    ("iti44_acknowledgement", 'typeCode="RCV"', 'typeCode="SND"', "/receiver/@typeCode", ""),
    ("iti44_added", 'ModeCode code="T"', 'ModeCode code="R"', "/processingModeCode", "ITI-44-046"),
    ("iti44_added", 'AckCode code="AL"', 'AckCode code="NE"', "/acceptAckCode", "ITI-44-047"),
    ("iti44_added", 'typeCode="RCV"', 'typeCode="SND"', "/receiver/@typeCode", "TF2-O-011"),
    ("iti44_added", "<creationTime", '<x xmlns="urn:x"/><creationTime', "", ""),
    ("iti45_answer", '"AA"', '"CA"', "/acknowledgement/typeCode", "TF2-O-035"),
    ("iti45_answer", '"deliveredResponse"', '"done"', f"{ACK}/statusCode", "TF2-O-060"),
    ("iti45_answer", '<statusCode code="deliveredResponse"/>', "", f"{ACK}/statusCode", "TF2-O-060"),
    ("iti45_answer", 'Code code="OK"', 'Code code="NF"', "/controlActProcess/subject/registrationEvent", "TF2-O-058"),
    ("iti45_answer", 'moodCode="EVN">\n    <code', 'moodCode="RQO">\n    <code', "", ""),
    ("iti45_answer", 'Ind="false"', 'Ind="true"', "/controlActProcess/subject/@contextConductionInd", "TF2-O-062"),
    ("iti45_answer", 'extension="q4"', 'extension="q5"', f"{ACK}/queryId", "TF2-O-059"),
    ("iti45_answer", 'root="2.25.999.2" extension', 'root="2.25.999.8" extension', f"{PATIENT}/id", "ITI-45-017"),
    ("iti45_answer", 'extension="C-1"', "", f"{PATIENT}/id", "TF2-E-037"),
    ("iti45_answer", '"2.25.999.2"/>', '"2.25.999.1"/>', f"{PATIENT}/id", "ITI-45-017"),
    ("iti47_answer", 'Quantity value="1"', 'Quantity value="0"', f"{ACK}/resultTotalQuantity", "ITI-47-090"),
    ("iti47_answer", 'CurrentQuantity value="1"', 'CurrentQuantity value="0"', "", "ITI-47-091"),
    ("iti47_answer", '<resultRemainingQuantity value="0"/>', "", f"{ACK}/resultRemainingQuantity", "ITI-47-139"),
    ("iti47_answer", 'xsi:type="INT"/>', 'xsi:type="REAL"/>', "", "ITI-47-078"),
    ("iti47_answer", 'value="100"', 'value="60"', "", "ITI-47-079"),
    ("iti47_answer", 'GenderCode code="F"', 'GenderCode code="W"', "", ""),
    ("iti47_answer", KIN, OTHER.format("2.25.999.9", "1980051512305") + KIN, "", "ITI-47-071"),
    ("iti47_answer", '<id root="2.25.999.9"/>', '<id root="2.25.999.9" extension="9"/>', "", ""),
    ("iti47_answer", 'root="2.25.999.9"/>\n          <semantics', 'root="2.25.999.7"/>\n          <semantics', "", ""),
    ("iti47_answer", '<statusCode code="active"/>\n            <patientPerson', "<patientPerson", "", "ITI-47-070"),
    ("iti47_answer", '<creationTime value="20261123090000+0000"/>', "", "/creationTime", "TF2-O-032"),
    ("iti47_query", 'ModeCode code="T"', 'ModeCode code="I"', "/processingModeCode", "ITI-47-052"),
)


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_is_found_in_a_good_message(name: str) -> None:
    assert validate(MESSAGES[name], ANY).findings == ()


@pytest.mark.parametrize(("name", "old", "new", "where", "assertion"), CASES)
def test_one_change_is_one_finding(name: str, old: str, new: str, where: str, assertion: str) -> None:
    good = MESSAGES[name].decode()
    assert old in good
    findings = validate(good.replace(old, new, 1).encode(), ANY).findings
    if "urn:x" in new:  # an extension is nobody's business
        assert findings == ()
        return
    (finding,) = findings
    assert finding.location.endswith(where) and finding.is_error
    assert not assertion or assertion in finding.assertions


def test_a_location_that_is_no_xpath_is_advised_against() -> None:
    detail = '</targetMessage><acknowledgementDetail typeCode="E"><location>{}</location></acknowledgementDetail>'
    good = MESSAGES["iti44_acknowledgement"].decode()
    assert validate(good.replace("</targetMessage>", detail.format("/X/id[1]")).encode(), ANY).findings == ()
    (finding,) = validate(good.replace("</targetMessage>", detail.format("MSH^1^10")).encode(), ANY).findings
    assert not finding.is_error and "TF2-O-027" in finding.assertions


def test_every_rule_has_a_sentence_of_its_own() -> None:
    assert len({each.sentence for each in EVERY_RULE}) == len(EVERY_RULE)


@given(st.data())
def test_no_changed_message_breaks_a_validator(data: st.DataObject) -> None:
    root = etree.fromstring(MESSAGES[data.draw(st.sampled_from(sorted(MESSAGES)))])
    every = list(mutations(root))
    for _ in range(3):
        chosen = every[data.draw(st.integers(0, len(every) - 1))]
        validate(etree.tostring(chosen.of(root)), ANY)


@given(cut=st.integers(0, 3000), dropped=st.integers(1, 80), noise=st.binary(max_size=6))
def test_no_mutilated_message_breaks_a_validator(cut: int, dropped: int, noise: bytes) -> None:
    good = MESSAGES["iti47_answer"]
    try:
        validate(good[:cut] + noise + good[cut + dropped :], ANY)
    except NotRecognised as error:
        assert str(error)
