"""PIXV3 Query: the six cases of ITI TF-2 3.45.4.2.3, and questions that break a rule."""

import pytest

from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from pix.iti45 import ITI_45
from soap.xml import parse
from tests.pix.v3.desk import Answered, Desk

PARAMETERS = "/PRPA_IN201309UV02/controlActProcess/queryByParameter/parameterList"
CLINIC_SOURCE = '<dataSource><value root="2.25.999.2"/><semanticsText>DataSource.id</semanticsText></dataSource>'
LAB_SOURCE = '<dataSource><value root="2.25.999.3"/><semanticsText>DataSource.id</semanticsText></dataSource>'
ALL_DOMAINS = ((CLINIC_SOURCE, ""), (LAB_SOURCE, ""))


def announce_in_the_clinic(desk: Desk, id: str, birth: str = "19800515") -> None:
    """The same person, by the same matricule, under an id of the clinic."""
    fed = desk.ask(
        "iti44_added",
        ('extension="1"/>', f'extension="{id}"/>'),
        ('root="2.25.999.1" extension="H-1"', f'root="2.25.999.2" extension="{id}"'),
        ("19800515", birth),
    )
    assert fed.verdict == "CA"


def ids(answered: Answered) -> list[tuple[str, str, str]]:
    names = ("root", "extension", "assigningAuthorityName")
    return list(zip(*(answered.all("patient/id", name) for name in names), strict=True))


def test_case_1_the_id_in_a_requested_domain(desk: Desk) -> None:
    desk.announce(1)
    announce_in_the_clinic(desk, "C-1")
    answered = desk.ask("iti45_query")
    assert answered.verdict == "AA OK"
    assert ids(answered) == [("2.25.999.2", "C-1", "CLINIC")]
    assert answered.texts("patientPerson/name/family")[0] == "Weber"


def test_case_2_all_domains_without_the_id_asked_for(desk: Desk) -> None:
    desk.announce(1)
    announce_in_the_clinic(desk, "C-1")
    answered = desk.ask("iti45_query", *ALL_DOMAINS)
    assert answered.verdict == "AA OK"
    assert ids(answered) == [("2.25.999.2", "C-1", "CLINIC"), ("2.25.999.9", "1980051512305", "NAT")]


def test_case_3_nobody_in_the_requested_domains(desk: Desk) -> None:
    desk.announce(1)
    answered = desk.ask("iti45_query")
    assert answered.verdict == "AA NF"
    assert answered.all("registrationEvent", "classCode") == []


def test_case_4_an_unknown_patient(desk: Desk) -> None:
    answered = desk.ask("iti45_query")
    assert answered.verdict == "AE AE 204"
    assert answered.locations == [f"{PARAMETERS}/patientIdentifier/value"]
    assert "must announce the id first" in answered.texts("acknowledgementDetail/text")[0]


def test_case_4_an_unknown_authority(desk: Desk) -> None:
    answered = desk.ask("iti45_query", ('<value root="2.25.999.1"', '<value root="2.25.998"'))
    assert answered.verdict == "AE AE 204"
    assert answered.locations == [f"{PARAMETERS}/patientIdentifier/value"]


def test_case_5_each_unknown_domain_is_named_with_its_repetition(desk: Desk) -> None:
    desk.announce(1)
    third = LAB_SOURCE + LAB_SOURCE.replace("2.25.999.3", "2.25.997")
    answered = desk.ask("iti45_query", ("2.25.999.2", "2.25.998"), (LAB_SOURCE, third))
    assert answered.verdict == "AE AE 204"
    assert answered.locations == [f"{PARAMETERS}/dataSource[1]/value", f"{PARAMETERS}/dataSource[3]/value"]


def test_cases_4_and_5_are_told_together(desk: Desk) -> None:
    answered = desk.ask("iti45_query", ("2.25.999.2", "2.25.998"))
    assert answered.verdict == "AE AE 204"
    assert answered.locations == [f"{PARAMETERS}/patientIdentifier/value", f"{PARAMETERS}/dataSource[1]/value"]


def test_case_6_several_ids_in_one_domain_come_together(desk: Desk) -> None:
    desk.announce(1)
    announce_in_the_clinic(desk, "C-1")
    announce_in_the_clinic(desk, "C-2")
    answered = desk.ask("iti45_query")
    assert answered.verdict == "AA OK"
    assert ids(answered) == [("2.25.999.2", "C-1", "CLINIC"), ("2.25.999.2", "C-2", "CLINIC")]


@pytest.mark.parametrize("known", [True, False])
def test_every_answer_repeats_the_query_and_its_id(desk: Desk, known: bool) -> None:
    if known:
        desk.announce(1)
    answered = desk.ask("iti45_query")
    assert answered.all("queryAck/queryId", "extension") == ["q4"]
    assert answered.all("queryByParameter/queryId", "extension") == ["q4"]
    assert answered.all("queryByParameter/parameterList/patientIdentifier/value", "extension") == ["H-1"]


def test_the_answer_is_addressed_to_who_asked(desk: Desk) -> None:
    answered = desk.ask("iti45_query")
    assert answered.name == "PRPA_IN201310UV02"
    assert answered.all("receiver/device/id", "root") == ["2.25.999.100"]
    assert answered.all("targetMessage/id", "extension") == ["4"]
    assert answered.all("interactionId", "extension") == ["PRPA_IN201310UV02"]
    assert answered.all("controlActProcess/code", "code") == ["PRPA_TE201310UV02"]


@pytest.mark.parametrize(
    ("old", "new", "verdict", "location"),
    [
        (' extension="H-1"', "", "AE QE 101", f"{PARAMETERS}/patientIdentifier/value"),
        ('root="2.25.999.2"', 'root="2.25.999.2" extension="C-1"', "AE QE 102", f"{PARAMETERS}/dataSource[1]/value"),
        ('root="2.25.999.2"', 'root="CLINIC"', "AE QE 102", f"{PARAMETERS}/dataSource[1]/value"),
        ('responsePriorityCode code="I"', 'responsePriorityCode code="D"', "AE QE 103", "responsePriorityCode"),
        ('typeCode="AUT"', 'typeCode="PRF"', "AE QE 103", "authorOrPerformer/@typeCode"),
        ('moodCode="EVN"', 'moodCode="RQO"', "AE QE 103", "controlActProcess/@moodCode"),
        ('statusCode code="new"', 'statusCode code="waitContinuedQueryResponse"', "AE QE 103", "statusCode"),
        ('processingCode code="P"', 'processingCode code="X"', "AR AE 202", "processingCode"),
        ('code="PRPA_TE201309UV02"', 'code="PRPA_TE201305UV02"', "AR AE 201", "controlActProcess/code"),
        ('<queryId root="2.25.999.100" extension="q4"/>', '<queryId nullFlavor="NI"/>', "AE QE 101", "controlAct"),
    ],
)
def test_one_change_one_verdict(desk: Desk, old: str, new: str, verdict: str, location: str) -> None:
    desk.announce(1)
    refused = desk.ask("iti45_query", (old, new))
    assert refused.verdict == verdict
    assert location in refused.locations[0]


def test_a_parameter_of_another_query_is_refused(desk: Desk) -> None:
    foreign = "<livingSubjectName><value><family>A</family></value></livingSubjectName>"
    message = parse(desk.golden("iti45_query", ("<parameterList>", "<parameterList>" + foreign)))
    with pytest.raises(Rejected) as caught:
        ITI_45.decode(SOAPRequest(message))
    assert caught.value.codes == {103}
    assert caught.value.breaches[0].location == f"{PARAMETERS}/livingSubjectName[1]"


def test_two_patients_in_one_query_are_refused(desk: Desk) -> None:
    one = '<value root="2.25.999.1" extension="H-1"/>'
    assert desk.ask("iti45_query", (one, one + one.replace("H-1", "H-2"))).verdict == "AE QE 101"
