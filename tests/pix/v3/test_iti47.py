"""Patient Demographics Query HL7 V3: criteria, domains, pages, cancellation, refusals."""

from dataclasses import replace

import pytest

from ihe.datatypes import CX, HD
from pix.found import Limits
from pix.manager import PatientIndex
from tests.pix.scene import ANNA, Scene
from tests.pix.v3.desk import Answered, Desk

PARAMETERS = "/PRPA_IN201305UV02/controlActProcess/queryByParameter/parameterList"
NAME = (
    "<livingSubjectName>\n          <value><family>Weber</family></value>\n"
    "          <semanticsText>LivingSubject.name</semanticsText>\n        </livingSubjectName>"
)
NO_MATRICULE = ('<id root="2.25.999.9" extension="1980051512305"/>', '<id nullFlavor="NI"/>')
PAUL = (
    ("<given>Anna</given><given>Lea</given>", "<given>Paul</given>"),
    ('code="F"', 'code="M"'),
    ('<birthTime value="19800515"/>', '<birthTime value="19631104"/>'),
    ("+352-621-000001", "+352-621-999999"),
    ("<city>Esch</city>", "<city>Wiltz</city>"),
    NO_MATRICULE,
)


def parameter(name: str, *values: str) -> str:
    return f"<{name}>{''.join(values)}<semanticsText>{name}</semanticsText></{name}>"


@pytest.fixture
def ask(desk: Desk) -> "Ask":
    """Anna (H-1) and Paul (H-2) Weber are known; ask with other parameters instead of the family name."""
    desk.announce(1)
    desk.announce(2, *PAUL)
    return Ask(desk)


class Ask:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def __call__(self, *parameters: str) -> Answered:
        return self.desk.ask("iti47_query", (NAME, "".join(parameters)))

    def ids(self, *parameters: str) -> list[str]:
        """The hospital's ids of the patients found."""
        answered = self(*parameters)
        assert answered.verdict in ("AA OK", "AA NF")
        return [id for id in answered.all("patient/id", "extension") if id.startswith("H-")]


def name(*parts: str, use: str = "") -> str:
    return parameter("livingSubjectName", f"<value{use}>{''.join(parts)}</value>")


def born_after(low: str, inclusive: str) -> str:
    value = f'<value><low inclusive="{inclusive}" value="{low}"/></value>'
    return parameter("livingSubjectBirthTime", value)


def test_a_family_name_finds_everybody_who_has_it(ask: Ask) -> None:
    answered = ask(NAME)
    assert answered.verdict == "AA OK"
    assert answered.all("patient/id", "extension") == ["H-1", "H-2"]
    assert answered.all("asOtherIDs/id", "extension") == ["1980051512305"]
    assert answered.all("queryAck/resultTotalQuantity", "value") == ["2"]
    assert answered.all("queryAck/resultCurrentQuantity", "value") == ["2"]
    assert answered.all("queryAck/resultRemainingQuantity", "value") == ["0"]


def test_the_answer_says_what_is_known_of_the_person(ask: Ask) -> None:
    answered = ask(name("<given>Anna</given>"))
    assert answered.texts("patientPerson/name/given") == ["Anna", "Lea"]
    assert answered.texts("patientPerson/name/family") == ["Weber", "Kremer"]
    assert answered.all("patientPerson/name/family", "qualifier") == ["BR"]
    assert answered.all("patientPerson/telecom", "value") == [
        "tel:+352-621-000001",
        "mailto:anna.weber@example.lu",
        "tel:+352-26-000002;ext=12",
    ]
    assert answered.all("patientPerson/administrativeGenderCode", "code") == ["F"]
    assert answered.all("patientPerson/birthTime", "value") == ["19800515"]
    assert answered.texts("patientPerson/addr/city") == ["Esch"]
    assert answered.all("personalRelationship/code", "code") == ["MTH"]
    assert answered.all("languageCommunication/languageCode", "code") == ["lb"]
    assert answered.all("queryMatchObservation/value", "value") == ["100"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ((name("<given>Anna</given><family>Weber</family>"),), ["H-1"]),
        ((name("<given>Paula</given>"),), []),
        ((name("<given>Pau</given>"),), []),
        ((name("<given>Pau</given>", use=' use="SRCH"'),), ["H-2"]),
        ((name("<given>Pau*</given>"),), ["H-2"]),
        ((name("<given>ÀNNA</given>"),), ["H-1"]),
        ((name("<given>Anna</given>"), name("<given>Paul</given>")), ["H-1", "H-2"]),
        ((NAME, parameter("livingSubjectAdministrativeGender", '<value code="M"/>')), ["H-2"]),
        ((parameter("livingSubjectBirthTime", '<value value="1980"/>'),), ["H-1"]),
        ((parameter("livingSubjectBirthTime", '<value><low value="1960"/><high value="1969"/></value>'),), ["H-2"]),
        ((parameter("livingSubjectBirthTime", '<value><low value="1970"/></value>'),), ["H-1"]),
        ((parameter("livingSubjectBirthTime", '<value><high value="1979"/></value>'),), ["H-2"]),
        (
            (parameter("livingSubjectBirthTime", '<value><low value="19800515"/><high value="19800515"/></value>'),),
            ["H-1"],
        ),
        ((born_after("19800514", "false"),), ["H-1"]),
        ((born_after("19800515", "false"),), []),
        ((born_after("19800515", "true"),), ["H-1"]),
        ((born_after("198004", "false"),), ["H-1"]),
        ((born_after("198005", "false"),), []),
        ((born_after("1979", "false"),), ["H-1"]),
        ((born_after("1980", "false"),), []),
        ((parameter("livingSubjectBirthTime", '<value><high inclusive="false" value="1963"/></value>'),), []),
        ((parameter("livingSubjectBirthTime", '<value><high inclusive="false" value="1964"/></value>'),), ["H-2"]),
        ((parameter("livingSubjectBirthTime", '<value><center value="198005"/></value>'),), ["H-1"]),
        ((parameter("livingSubjectBirthTime", '<value value="19800515083000.123+0100"/>'),), ["H-1"]),
        ((parameter("livingSubjectId", '<value root="2.25.999.1" extension="H-2"/>'),), ["H-2"]),
        (
            (
                parameter("livingSubjectId", '<value root="2.25.999.1" extension="H-1"/>'),
                parameter("livingSubjectId", '<value root="2.25.999.9" extension="1980051512305"/>'),
            ),
            ["H-1"],
        ),
        ((name("<family>Web</family>", use=' use="L SRCH"'),), ["H-1", "H-2"]),
        ((name("<given>A*</given><family>We*</family>"),), ["H-1"]),
        ((name("<family>*ber</family>", "<given>Paul</given>"),), ["H-2"]),
        ((name('<family qualifier="BR">Kremer</family>', "<given>Anna</given>"),), ["H-1"]),
        ((name("<prefix>Dr</prefix>", "<family>Weber</family>"),), ["H-1", "H-2"]),
        ((name("Weber"),), ["H-1", "H-2"]),
        ((NAME, parameter("mothersMaidenName", '<value use="SRCH"><family>Hoff</family></value>')), ["H-1", "H-2"]),
        ((NAME, parameter("mothersMaidenName", "<value><family>Hoff</family></value>")), []),
        ((NAME, parameter("livingSubjectAdministrativeGender", '<value code="UN"/>')), []),
        (
            (parameter("patientTelecom", '<value value="MAILTO:Anna.Weber@example.lu"/>'), name("<given>Anna</given>")),
            ["H-1"],
        ),
        ((parameter("patientTelecom", '<value value="mailto:anna@example.lu"/>'),), []),
        (
            (
                parameter(
                    "patientTelecom", '<value value="tel:+352-621-000001"/>', '<value value="tel:+352-621-999999"/>'
                ),
            ),
            ["H-1", "H-2"],
        ),
        (
            (
                parameter(
                    "patientAddress",
                    "<value><streetAddressLine>12, rue des Roses</streetAddressLine>"
                    "<postalCode>4001</postalCode></value>",
                ),
            ),
            ["H-1", "H-2"],
        ),
        (
            (
                parameter(
                    "patientAddress",
                    "<value><houseNumber>12</houseNumber><streetName>rue des Roses</streetName>"
                    "<city>Wiltz</city></value>",
                ),
            ),
            ["H-2"],
        ),
        ((parameter("livingSubjectId", '<value root="2.25.999.9" extension="1980051512305"/>'),), ["H-1"]),
        ((parameter("livingSubjectId", '<value root="2.25.998" extension="H-2"/>'),), []),
        (
            (
                parameter("livingSubjectId", '<value root="2.25.999.1" extension="H-1"/>'),
                parameter("livingSubjectId", '<value root="2.25.999.1" extension="H-2"/>'),
            ),
            [],
        ),
        ((parameter("patientAddress", "<value><city>Wiltz</city></value>"),), ["H-2"]),
        (
            (parameter("patientAddress", "<value><city>Wiltz</city></value>", "<value><city>Esch</city></value>"),),
            ["H-1", "H-2"],
        ),
        ((parameter("patientTelecom", '<value value="tel:+352 621 000001"/>'),), ["H-1"]),
        ((NAME, parameter("mothersMaidenName", "<value><family>Hoffmann</family></value>")), ["H-1", "H-2"]),
    ],
)
def test_one_question_its_patients(ask: Ask, parameters: tuple[str, ...], expected: list[str]) -> None:
    assert ask.ids(*sorted(parameters, key=lambda each: each[1:].partition(">")[0])) == expected


def test_nobody_found_is_no_error(ask: Ask) -> None:
    answered = ask(name("<family>Niemand</family>"))
    assert answered.verdict == "AA NF"
    assert answered.all("queryAck/resultTotalQuantity", "value") == ["0"]
    assert answered.all("registrationEvent", "classCode") == []


def domains(*roots: str) -> str:
    return "".join(parameter("otherIDsScopingOrganization", f'<value root="{root}"/>') for root in roots)


def test_case_2_only_ids_of_requested_domains_and_a_null_where_there_is_none(ask: Ask) -> None:
    answered = ask(NAME, domains("2.25.999.1", "2.25.999.9"))
    assert answered.all("patient/id", "root") == ["2.25.999.1", "2.25.999.1"]
    assert answered.all("asOtherIDs/id", "extension") == ["1980051512305"]
    assert answered.all("asOtherIDs/id", "assigningAuthorityName") == ["NAT"]
    assert answered.all("asOtherIDs/id", "nullFlavor") == ["UNK"]
    assert answered.all("asOtherIDs/scopingOrganization/id", "root") == ["2.25.999.9", "2.25.999.9"]


def test_case_3_each_unknown_domain_is_named_with_its_repetition(ask: Ask) -> None:
    answered = ask(NAME, domains("2.25.999.1", "2.25.998", "2.25.997"))
    assert answered.verdict == "AE AE 204"
    assert answered.locations == [
        f"{PARAMETERS}/otherIDsScopingOrganization[2]/value",
        f"{PARAMETERS}/otherIDsScopingOrganization[3]/value",
    ]
    assert len(answered.all("queryByParameter/parameterList/otherIDsScopingOrganization/value", "root")) == 3


@pytest.fixture
def five(desk: Desk) -> Desk:
    """Five people named Weber, H-1 to H-5, whom nobody takes for one."""
    for number, given in enumerate(("Anna", "Berta", "Clara", "Dora", "Emma"), 1):
        desk.announce(number, ("<given>Anna</given>", f"<given>{given}</given>"), NO_MATRICULE)
    return desk


def quantities(answered: Answered) -> tuple[str, str, str]:
    total, current, remaining = (
        answered.all(f"queryAck/result{each}Quantity", "value")[0] for each in ("Total", "Current", "Remaining")
    )
    return total, current, remaining


def test_pages_follow_each_other_until_all_are_told(five: Desk) -> None:
    pages = [five.ask("iti47_query"), five.ask("iti47_continue"), five.ask("iti47_continue")]
    assert [page.all("patient/id", "extension") for page in pages] == [["H-1", "H-2"], ["H-3", "H-4"], ["H-5"]]
    assert [quantities(page) for page in pages] == [("5", "2", "3"), ("5", "2", "1"), ("5", "1", "0")]
    assert {page.verdict for page in pages} == {"AA OK"}


def test_every_page_repeats_the_original_query(five: Desk) -> None:
    five.ask("iti47_query")
    page = five.ask("iti47_continue")
    assert page.name == "PRPA_IN201306UV02"
    assert page.all("queryByParameter/initialQuantity", "value") == ["2"]
    assert page.texts("queryByParameter/parameterList/livingSubjectName/value/family") == ["Weber"]
    assert page.all("targetMessage/id", "extension") == ["continue"]


def continuing(quantity: str = "", start: str = "") -> tuple[str, str]:
    given = (("startResultNumber", start), ("continuationQuantity", quantity))
    texts = "".join(f'<{name} value="{value}"/>' for name, value in given if value)
    return ('<queryId root="2.25.999.100" extension="q5"/>', f'<queryId root="2.25.999.100" extension="q5"/>{texts}')


def test_a_continuation_may_change_the_size_of_pages_and_where_they_start(five: Desk) -> None:
    five.ask("iti47_query")
    assert five.ask("iti47_continue", continuing(quantity="1")).all("patient/id", "extension") == ["H-3"]
    assert five.ask("iti47_continue").all("patient/id", "extension") == ["H-4"]
    assert five.ask("iti47_continue", continuing("3", "1")).all("patient/id", "extension") == ["H-1", "H-2", "H-3"]
    assert five.ask("iti47_continue").all("patient/id", "extension") == ["H-4", "H-5"]


def test_after_the_end_there_is_an_empty_page(five: Desk) -> None:
    five.ask("iti47_query")
    assert quantities(five.ask("iti47_continue", continuing("9"))) == ("5", "3", "0")
    assert quantities(five.ask("iti47_continue")) == ("5", "0", "0")


def test_a_cancelled_query_is_forgotten(five: Desk) -> None:
    five.ask("iti47_query")
    cancelled = five.ask("iti47_cancel")
    assert (cancelled.name, cancelled.verdict) == ("MCCI_IN000002UV01", "CA")
    answered = five.ask("iti47_continue")
    assert answered.verdict == "AE AE 204"
    assert answered.locations == ["/QUQI_IN000003UV01/controlActProcess/queryContinuation/queryId"]


@pytest.mark.parametrize(
    "change", [("waitContinuedQueryResponse", "aborted"), continuing(quantity="0")], ids=["aborted", "quantity 0"]
)
def test_a_continuation_that_wants_no_more_is_a_cancellation(five: Desk, change: tuple[str, str]) -> None:
    five.ask("iti47_query")
    assert five.ask("iti47_continue", change).name == "MCCI_IN000002UV01"
    assert five.ask("iti47_continue").verdict == "AE AE 204"


def test_nobody_continues_the_query_of_another_sender(five: Desk) -> None:
    five.ask("iti47_query")
    stranger = five.ask("iti47_continue", ('<id root="2.25.999.100"/>', '<id root="2.25.999.300"/>'))
    assert stranger.verdict == "AE AE 204"


CLARA = (NAME, name("<family>Weber</family><given>Clara</given>"))


def test_the_newest_query_of_an_id_goes_on(five: Desk) -> None:
    five.ask("iti47_query")
    five.ask("iti47_query", ('<initialQuantity value="2"/>', '<initialQuantity value="1"/>'))
    assert five.ask("iti47_continue").all("patient/id", "extension") == ["H-2"]


def test_no_older_query_of_an_id_goes_on_when_the_newest_is_complete(five: Desk) -> None:
    five.ask("iti47_query")
    assert five.ask("iti47_query", CLARA).all("patient/id", "extension") == ["H-3"]
    assert five.ask("iti47_continue").verdict == "AE AE 204"


def test_a_query_with_another_id_leaves_the_older_one(five: Desk) -> None:
    five.ask("iti47_query")
    five.ask("iti47_query", CLARA, ('extension="q5"', 'extension="q6"'))
    assert five.ask("iti47_continue").all("patient/id", "extension") == ["H-3", "H-4"]


def test_cancelling_what_is_not_there_does_no_harm(desk: Desk) -> None:
    assert desk.ask("iti47_cancel").verdict == "CA"


def test_a_wrong_cancellation_is_refused_by_an_accept_acknowledgement(desk: Desk) -> None:
    refused = desk.ask("iti47_cancel", ("aborted", "new"))
    assert (refused.name, refused.verdict) == ("MCCI_IN000002UV01", "CE 103")


@pytest.mark.parametrize(
    ("parameters", "verdict", "location"),
    [
        ((), "AE QE 101", PARAMETERS),
        ((parameter("livingSubjectAdministrativeGender", '<value code="F"/>'),), "AE QE 101", PARAMETERS),
        ((name("<family>W*</family>"),), "AE QE 101", PARAMETERS),
        ((name("<prefix>Dr</prefix>"),), "AE QE 102", f"{PARAMETERS}/livingSubjectName[1]/value"),
        ((name(),), "AE QE 102", f"{PARAMETERS}/livingSubjectName[1]/value"),
        (
            (parameter("livingSubjectId", '<value extension="H-1"/>'),),
            "AE QE 101",
            f"{PARAMETERS}/livingSubjectId[1]/value",
        ),
        (
            (parameter("livingSubjectBirthTime", '<value value="15.05.1980"/>'),),
            "AE QE 102",
            f"{PARAMETERS}/livingSubjectBirthTime/value",
        ),
        (
            (parameter("livingSubjectBirthTime", '<value value="19800230"/>'),),
            "AE QE 102",
            f"{PARAMETERS}/livingSubjectBirthTime/value",
        ),
        (
            (parameter("livingSubjectBirthTime", '<value><low value="1980"/><high value="19810229"/></value>'),),
            "AE QE 102",
            f"{PARAMETERS}/livingSubjectBirthTime/value",
        ),
        (
            (parameter("livingSubjectAdministrativeGender", '<value code="X"/>'), NAME),
            "AE QE 103",
            f"{PARAMETERS}/livingSubjectAdministrativeGender/value",
        ),
        (
            (parameter("livingSubjectBirthTime", '<value><low value="1980"/><width value="1" unit="a"/></value>'),),
            "AE QE 102",
            f"{PARAMETERS}/livingSubjectBirthTime/value",
        ),
        (
            (parameter("livingSubjectBirthTime", '<value><low value="1980"/><high value="1979"/></value>'),),
            "AE QE 102",
            f"{PARAMETERS}/livingSubjectBirthTime/value",
        ),
        (
            (parameter("patientTelecom", '<value value="tel:1"/>') * 2,),
            "AE QE 103",
            f"{PARAMETERS}/patientTelecom[2]",
        ),
        (
            (parameter("patientTelecom", '<value value="mailto:anna"/>'),),
            "AE QE 102",
            f"{PARAMETERS}/patientTelecom/value",
        ),
        ((NAME.replace("</value>", "</value><value><family>A</family></value>"),), "AE QE 101", "livingSubjectName[1]"),
        (tuple(name(f"<family>N{number}</family>") for number in range(17)), "AE QE 102", PARAMETERS),
    ],
)
def test_a_question_that_breaks_a_rule_is_answered_with_its_place(
    ask: Ask, parameters: tuple[str, ...], verdict: str, location: str
) -> None:
    refused = ask(*parameters)
    assert refused.verdict == verdict
    assert location in refused.locations[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('initialQuantity value="2"', 'initialQuantity value="0"'),
        ('initialQuantity value="2"', 'initialQuantity value="-3"'),
        ('xsi:type="INT" value="75"', 'xsi:type="INT" value="175"'),
        ('responseModalityCode code="R"', 'responseModalityCode code="B"'),
        ('statusCode code="new"', 'statusCode code="executing"'),
        ('responsePriorityCode code="I"', 'responsePriorityCode code="D"'),
        ('<initialQuantity value="2"/>', '<initialQuantity value="2"/><initialQuantityCode code="CH"/>'),
        ("<responseModality", '<modifyCode code="M"/><responseModality'),
        ("<matchCriterionList>", '<executionAndDeliveryTime value="20261124"/><matchCriterionList>'),
        ('moodCode="EVN"', 'moodCode="RQO"'),
        ("<queryByParameter>", '<authorOrPerformer typeCode="PRF"/><queryByParameter>'),
    ],
)
def test_a_query_that_cannot_be_answered_as_asked_is_refused(ask: Ask, old: str, new: str) -> None:
    assert ask.desk.ask("iti47_query", (old, new)).verdict.startswith("AE QE 10")


NOT_IN_THE_MODEL = {
    "principalCareProviderId": '<value root="2.25.1" extension="1"/>',
    "principalCareProvisionId": '<value root="2.25.1" extension="1"/>',
    "livingSubjectDeceasedTime": '<value value="2020"/>',
    "patientStatusCode": '<value code="active"/>',
    "livingSubjectBirthPlaceName": "<value>Esch</value>",
    "livingSubjectBirthPlaceAddress": "<value><city>Esch</city></value>",
}


@pytest.mark.parametrize("name", NOT_IN_THE_MODEL)
def test_a_parameter_that_ihe_leaves_out_is_refused_by_name(ask: Ask, name: str) -> None:
    refused = ask(*sorted((NAME, parameter(name, NOT_IN_THE_MODEL[name]))))
    assert refused.verdict == "AE QE 103"
    assert refused.locations == [f"{PARAMETERS}/{name}"]
    assert f"observed: {name}" in refused.texts("acknowledgementDetail/text")[0]


def test_a_processing_code_that_hl7_does_not_have_is_rejected(ask: Ask) -> None:
    rejected = ask.desk.ask("iti47_query", ('processingCode code="P"', 'processingCode code="X"'))
    assert rejected.verdict == "AR AE 202"
    assert rejected.locations == ["/PRPA_IN201305UV02/processingCode"]


@pytest.mark.parametrize(("code", "verdict"), [("O", "AA OK"), ("A", "AA OK"), ("N", "AA OK"), ("F", "AA NF")])
def test_undifferentiated_finds_every_sex_that_answers_call_so(
    desk: Desk, scene: Scene, code: str, verdict: str
) -> None:
    scene.feed("HOSP:H-1", who=replace(ANNA, sex=code))
    asked = parameter("livingSubjectAdministrativeGender", '<value code="UN"/>')
    assert desk.ask("iti47_query", ("<livingSubjectName>", asked + "<livingSubjectName>")).verdict == verdict


def test_an_id_may_be_an_account_number(desk: Desk, scene: Scene) -> None:
    scene.feed("HOSP:H-1", who=replace(ANNA, accounts=(CX("ACC-7", HD("BILLING", "2.25.998", "ISO")),)))
    account = parameter("livingSubjectId", '<value root="2.25.998" extension="ACC-7"/>')
    assert desk.ask("iti47_query", (NAME, account)).all("patient/id", "extension") == ["H-1"]
    stranger = account.replace("2.25.998", "2.25.997")
    assert desk.ask("iti47_query", (NAME, stranger)).verdict == "AA NF"


def test_a_prefix_used_only_in_a_type_name_survives_in_the_copy(desk: Desk) -> None:
    answered = desk.ask("iti47_query", ('xsi:type="INT"', 'xmlns:hl7="urn:hl7-org:v3" xsi:type="hl7:INT"'))
    assert answered.verdict == "AA NF"


def test_more_than_can_be_listed_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientIndex, "search_limits", Limits(listed=1), raising=False)
    desk.announce(1, NO_MATRICULE)
    desk.announce(2, *PAUL)
    answered = desk.ask("iti47_query")
    assert answered.verdict == "AA OK 207"
    assert answered.all("acknowledgementDetail", "typeCode") == ["W"]


def test_the_custodian_is_this_community(ask: Ask, index: PatientIndex) -> None:
    roots = set(ask(NAME).all("custodian/assignedEntity/id", "root"))
    assert roots == {index.domain.home_community_id.removeprefix("urn:oid:")}


def test_the_provider_organization_is_the_authority_of_the_patients_first_id(ask: Ask) -> None:
    answered = ask(NAME)
    assert answered.all("patient/providerOrganization/id", "root") == ["2.25.999.1", "2.25.999.1"]
    assert answered.all("patient/providerOrganization/contactParty", "nullFlavor") == ["NI", "NI"]


def test_ids_of_the_provider_organization_are_the_patients_and_all_others_other_ids(desk: Desk) -> None:
    desk.announce(1)
    in_the_clinic = ('root="2.25.999.1" extension="H-1"', 'root="2.25.999.2" extension="C-1"')
    desk.ask("iti44_added", ('extension="1"/>', 'extension="c"/>'), in_the_clinic)
    answered = desk.ask("iti47_query")
    assert answered.all("providerOrganization/id", "root") == ["2.25.999.1"]
    assert answered.all("patient/id", "root") == ["2.25.999.1"]
    assert answered.all("asOtherIDs/id", "root") == ["2.25.999.2", "2.25.999.9"]
    assert answered.all("asOtherIDs/scopingOrganization/id", "root") == ["2.25.999.2", "2.25.999.9"]
