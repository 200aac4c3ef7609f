"""Patient Demographics and Visit Query: PV1 in the question and in the answer (ITI TF-2: 3.22)."""

from collections.abc import Callable

import pytest

from hl7v2.er7 import serialize
from hl7v2.message import Message
from pix.manager import PatientIndex
from pix.store_encounters import SEARCHED
from tests.pix.ward import Ward

Ask = Callable[[str], Message | None]
HOUSE = "D1&&^House^Gregory"


@pytest.fixture
def ward(ask: Ask, index: PatientIndex) -> Ward:
    """Anna lies in bed 389-2 with doctor House, Berta visits the surgery, Clara was here, Dora never."""
    ward = Ward(ask, index)
    ward.send(
        "A01", "V1^^^HOSP", patient="1^^^HOSP", name="Weber^Anna", f3="W1^389^2", f7=HOUSE, f10="MED", account="A1"
    )
    ward.send("A04", "V2^^^HOSP", patient="2^^^HOSP~8^^^CLINIC", name="Weber^Berta", f2="O", f10="SUR", f17="D2^Wilson")
    ward.send("A01", "V3^^^HOSP", patient="3^^^HOSP", name="Schmit^Clara", f3="W1^390^1", f7="D2^Wilson")
    ward.send("A03", "V3^^^HOSP", patient="3^^^HOSP", name="Schmit^Clara", f3="W1^390^1")
    ask("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28^ADT_A05|D|P|2.5\rPID|||4^^^HOSP||Weber^Dora||19800515|F\rPV1||N\r")
    return ward


@pytest.fixture
def query(ask: Ask, ward: Ward) -> Callable[..., Message]:
    def send(fields: str, domains: str = "", rcp: str = "I", more: str = "", control: str = "Q1") -> Message:
        reply = ask(
            f"MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|2026||QBP^ZV1^QBP_Q21|{control}|P|2.5\r"
            f"QPD|IHE PDQ Query|T|{fields}|||||{domains}\rRCP|{rcp}\r{more}"
        )
        assert reply is not None
        return reply

    return send


def found(reply: Message) -> str:
    """The status, and name and visit of each patient; or the errors."""
    errors = [f"{each.raw(2)} {each.text(3)}" for each in reply.all("ERR")]
    patients = [
        f"{group['PID'].text(5, 2)}/{group['PV1'].text(19)}" if group["PV1"].text(19) else group["PID"].text(5, 2)
        for group in reply.groups("PID")
    ]
    return " ".join((reply["MSA"].text(1), reply["QAK"].text(2), *errors, *patients))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("@PV1.2^I", "AA OK Clara/V3 Anna/V1"),
        ("@PV1.3.1^W1", "AA OK Clara/V3 Anna/V1"),
        ("@PV1.3.2^389~@PV1.3.3^2", "AA OK Anna/V1"),
        ("@PV1.3.2^389~@PV1.3.3^1", "AA NF"),
        ("@PV1.3.2^38*", "AA OK Anna/V1"),
        ("@PV1.3.2^*9*", "AA OK Clara/V3 Anna/V1"),
        ("@PV1.7.2.1^HOUSE", "AA OK Anna/V1"),
        ("@PV1.7.2^Wilson", "AA OK Clara/V3"),
        ("@PV1.17.1^D2", "AA OK Berta/V2"),
        ("@PV1.10^SUR", "AA OK Berta/V2"),
        ("@PV1.19.1^V3", "AA OK Clara/V3"),
        ("@PV1.19^V9", "AA NF"),
        ("@PID.5.1.1^WEBER", "AA OK Anna/V1 Berta/V2"),
        ("@PID.5.1.1^WEBER~@PV1.2^I", "AA OK Anna/V1"),
        ("@PID.5.1.1^SCHMIT~@PV1.10^SUR", "AA NF"),
        ("@PID.18.1^A1", "AA OK Anna/V1"),
        ("@PID.5.2^Dora", "AA NF"),
    ],
)
def test_who_is_found(query: Callable[..., Message], fields: str, expected: str) -> None:
    assert found(query(fields)) == expected


@pytest.mark.parametrize(
    ("fields", "domains", "expected"),
    [
        ("@PV1.44^2026", "", "AE AE QPD^1^3^1 103"),
        ("@PV2.3^X", "", "AE AE QPD^1^3^1 103"),
        ("@PV1.2^I~@PID.99^X~@PV1.4^E", "", "AE AE QPD^1^3^2 103 QPD^1^3^3 103"),
        ("@PV1.2^I~@PID.7^soon", "", "AE AE QPD^1^3^2 102"),
        ("@PV1.2^I", "^^^NOBODY", "AE AE QPD^1^8^1 204"),
        ("@PV1.2^I", "^^^HOSP~^^^NOBODY", "AE AE QPD^1^8^2 204"),
        ("", "", "AE AE QPD^1^3 101"),
    ],
)
def test_errors_stand_where_they_are(query: Callable[..., Message], fields: str, domains: str, expected: str) -> None:
    assert found(query(fields, domains)) == expected


def test_an_answer_has_pid_and_pv1_of_each_patient(query: Callable[..., Message]) -> None:
    reply = query("@PV1.3.2^389")
    assert (reply.trigger, reply.structure, reply.sending_application) == ("RSP^ZV2", "RSP_ZV2", "INDEX")
    assert serialize(reply).decode().split("\r")[1:-1] == [
        "MSA|AA|Q1",
        "QAK|T|OK||1|1|0",
        "QPD|IHE PDQ Query|T|@PV1.3.2^389|||||",
        "PID|1||1^^^HOSP&2.25.999.1&ISO||Weber^Anna||19800515|F||||||||||A1",
        "PV1||I|W1^389^2||||D1&&^House^Gregory|||MED|||||||||V1^^^HOSP",
    ]


def test_domains_asked_for(query: Callable[..., Message]) -> None:
    reply = query("@PV1.2^O", "^^^CLINIC")
    assert reply["PID"].raw(3) == "8^^^CLINIC&2.25.999.2&ISO"
    assert found(query("@PV1.2^I", "^^^CLINIC")) == "AA NF"


def test_the_visit_that_is_not_over_is_shown(query: Callable[..., Message], ward: Ward) -> None:
    ward.send("A04", "V9^^^HOSP", patient="3^^^HOSP", name="Schmit^Clara", f2="E")
    assert found(query("@PID.5.2^Clara")) == "AA OK Clara/V9"
    assert found(query("@PID.5.2^Clara~@PV1.2^I")) == "AA OK Clara/V3"


def test_a_cancelled_visit_is_not_found(query: Callable[..., Message], ward: Ward) -> None:
    ward.send("A11", "V1^^^HOSP", patient="1^^^HOSP")
    assert found(query("@PV1.3.2^389")) == "AA NF"


def test_a_merge_takes_the_visits_along(query: Callable[..., Message], ward: Ward) -> None:
    ward.merge("1^^^HOSP", "2^^^HOSP")
    assert found(query("@PV1.10^SUR")) == "AA OK Anna/V2"
    assert found(query("@PID.5.2^Anna~@PV1.10^SUR")) == "AA OK Anna/V2"


def test_a_page_and_the_next(query: Callable[..., Message]) -> None:
    first = query("@PV1.2^I", rcp="I|1^RD")
    assert (found(first), first["QAK"].raw(6)) == ("AA OK Clara/V3", "1")
    second = query("@PV1.2^I", rcp="I|1^RD", more=f"DSC|{first['DSC'].text(1)}|I\r", control="Q2")
    assert (found(second), "DSC" in second) == ("AA OK Anna/V1", False)


@pytest.mark.parametrize(
    ("fields", "domains", "expected"),
    [("@PV1.2^O", "", "AE AE QPD^1^3 204"), ("@PV1.2^I", "^^^HOSP", "AE AE QPD^1^8 204")],
)
def test_a_pointer_continues_no_other_query(
    query: Callable[..., Message], fields: str, domains: str, expected: str
) -> None:
    pointer = query("@PV1.2^I", rcp="I|1^RD")["DSC"].text(1)
    assert found(query(fields, domains, "I|1^RD", f"DSC|{pointer}|I\r", "Q2")) == expected


def test_a_demographics_query_continues_no_visit_query(query: Callable[..., Message], ask: Ask) -> None:
    pointer = query("@PID.5.1^Weber", rcp="I|1^RD")["DSC"].text(1)
    reply = ask(
        "MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|2026||QBP^Q22^QBP_Q21|Q2|P|2.5\r"
        f"QPD|IHE PDQ Query|T|@PID.5.1^Weber\rRCP|I|1^RD\rDSC|{pointer}|I\r"
    )
    assert reply is not None
    assert found(reply) == "AE AE DSC^1^1 204"


def test_a_query_that_was_cancelled_goes_on_no_more(query: Callable[..., Message], ask: Ask) -> None:
    first = query("@PV1.2^I", rcp="I|1^RD")
    cancelled = ask("MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|2026||QCN^J01^QCN_J01|C1|P|2.5\rQID|T|IHE PDQ Query\r")
    assert cancelled is not None
    assert cancelled["MSA"].text(1) == "AA"
    again = query("@PV1.2^I", rcp="I|1^RD", more=f"DSC|{first['DSC'].text(1)}|I\r", control="Q2")
    assert found(again) == "AE AE DSC^1^1 204"


def test_a_visit_cancelled_meanwhile_leaves_its_patient_on_the_page(query: Callable[..., Message], ward: Ward) -> None:
    first = query("@PV1.2^I", rcp="I|1^RD")
    ward.send("A11", "V1^^^HOSP", patient="1^^^HOSP")
    second = query("@PV1.2^I", rcp="I|1^RD", more=f"DSC|{first['DSC'].text(1)}|I\r", control="Q2")
    assert (second["PID"].text(5, 2), second["PV1"].raw(2)) == ("Anna", "N")


def test_the_fields_of_the_table_are_searched_by() -> None:
    assert SEARCHED == (2, 3, 7, 8, 9, 10, 17, 19)


def test_pv2_is_answered_too(ask: Ask, query: Callable[..., Message], ward: Ward) -> None:
    ward.send("A08", "V1^^^HOSP", patient="1^^^HOSP", more="PV2||PRIV|B50^Malaria")
    assert query("@PV1.3.2^389")["PV2"].raw(3) == "B50^Malaria"
