"""PIX Query: the six cases of the response behaviour (ITI TF-2: 3.9.4.2.2.6)."""

from collections.abc import Callable

import pytest

from hl7v2.er7 import serialize
from hl7v2.message import Message
from pix.matricule import complete

Ask = Callable[[str], Message | None]
MATRICULE = complete("19800515123")
FEED = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28^ADT_A05|{control}|P|2.5\rPID|||{ids}||Weber^Anna||19800515|F\r"
QUERY = "MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|20261123||QBP^Q23^QBP_Q21|Q1|P|2.5\rQPD|IHE PIX Query|{qpd}\rRCP|I\r"


@pytest.fixture
def query(ask: Ask) -> Callable[[str], list[str]]:
    """One person with an id at the hospital, two at the clinic and a national one; then ask: the answer's segments."""
    ask(FEED.format(control="1", ids=f"1^^^HOSP~{MATRICULE}^^^NAT"))
    ask(FEED.format(control="2", ids=f"7^^^CLINIC~{MATRICULE}^^^NAT"))
    ask(FEED.format(control="3", ids=f"8^^^CLINIC~{MATRICULE}^^^NAT"))
    ask(FEED.format(control="4", ids="99^^^HOSP"))

    def send(qpd: str) -> list[str]:
        reply = ask(QUERY.format(qpd=qpd))
        assert reply is not None
        return serialize(reply).decode().split("\r")[1:-1]

    return send


def test_case_1_one_id_in_the_domain_asked_for(query: Callable[[str], list[str]]) -> None:
    assert query("T1|7^^^CLINIC|^^^HOSP") == [
        "MSA|AA|Q1",
        "QAK|T1|OK",
        "QPD|IHE PIX Query|T1|7^^^CLINIC|^^^HOSP",
        "PID|||1^^^HOSP&2.25.999.1&ISO||~^^^^^^S",
    ]


def test_case_2_no_id_in_the_domain_asked_for(query: Callable[[str], list[str]]) -> None:
    assert query("T2|1^^^HOSP|^^^LAB") == ["MSA|AA|Q1", "QAK|T2|NF", "QPD|IHE PIX Query|T2|1^^^HOSP|^^^LAB"]


def test_case_2_no_other_id_at_all(query: Callable[[str], list[str]]) -> None:
    assert query("T2|99^^^HOSP")[:2] == ["MSA|AA|Q1", "QAK|T2|NF"]


def test_case_2_the_id_asked_about_is_not_its_own_answer(query: Callable[[str], list[str]]) -> None:
    assert query("T2|1^^^HOSP|^^^HOSP")[1] == "QAK|T2|NF"


def test_case_3_unknown_id(query: Callable[[str], list[str]]) -> None:
    msa, err, qak, qpd = query("T3|404^^^HOSP")
    assert (msa, qak, qpd) == ("MSA|AE|Q1", "QAK|T3|AE", "QPD|IHE PIX Query|T3|404^^^HOSP")
    assert err.startswith("ERR||QPD^1^3^1^1|204^Unknown key identifier^HL70357|E|")


@pytest.mark.parametrize("hd", ["NOBODY", "&1.2.3&ISO", "HOSP&2.25.999.2&ISO", ""])
def test_case_4_unknown_domain(query: Callable[[str], list[str]], hd: str) -> None:
    msa, err, qak, _ = query(f"T4|1^^^{hd}")
    assert (msa, qak) == ("MSA|AE|Q1", "QAK|T4|AE")
    assert err.startswith("ERR||QPD^1^3^1^4|204^")


def test_case_5_unknown_domain_asked_for_at_its_repetition(query: Callable[[str], list[str]]) -> None:
    msa, err, qak, _ = query("T5|1^^^HOSP|^^^CLINIC~^^^NOBODY")
    assert (msa, qak) == ("MSA|AE|Q1", "QAK|T5|AE")
    assert err.startswith("ERR||QPD^1^4^2|204^")


def test_case_5_several_unknown_domains_share_the_one_err(query: Callable[[str], list[str]]) -> None:
    answer = query("T5|1^^^HOSP|^^^X~^^^CLINIC~^^^Y")
    assert [line[:16] for line in answer if line.startswith("ERR")] == ["ERR||QPD^1^4^1|2"]
    assert "observed: X, Y" in answer[1]


def test_case_6_several_ids_in_a_domain_stand_together(query: Callable[[str], list[str]]) -> None:
    assert query("T6|1^^^HOSP")[-1] == (
        f"PID|||7^^^CLINIC&2.25.999.2&ISO~8^^^CLINIC&2.25.999.2&ISO~{MATRICULE}^^^NAT&2.25.999.9&ISO||~^^^^^^S"
    )


def test_the_national_domain_asks_and_answers(query: Callable[[str], list[str]]) -> None:
    assert query(f"T|{MATRICULE}^^^NAT|^^^HOSP")[-1] == "PID|||1^^^HOSP&2.25.999.1&ISO||~^^^^^^S"
    assert query("T|1^^^HOSP|^^^NAT")[-1] == f"PID|||{MATRICULE}^^^NAT&2.25.999.9&ISO||~^^^^^^S"


def test_a_query_without_an_id_is_refused(query: Callable[[str], list[str]]) -> None:
    assert query("T|^^^HOSP")[1].startswith("ERR||QPD^1^3^1^1|101^")


def test_a_query_without_qpd_is_refused(ask: Ask) -> None:
    reply = ask(QUERY.format(qpd="").replace("QPD|", "ZZZ|"))
    assert reply is not None
    assert (reply["MSA"].text(1), reply["ERR"].raw(2), reply["ERR"].text(3)) == ("AE", "QPD^1", "100")


def test_the_answer_comes_from_whom_the_question_was_sent_to(query: Callable[[str], list[str]], ask: Ask) -> None:
    reply = ask(QUERY.format(qpd="T|1^^^HOSP"))
    assert reply is not None
    assert reply.trigger == "RSP^K23"
    assert reply.structure == "RSP_K23"
    assert (reply.sending_application, reply.sending_facility) == ("INDEX", "STATE")
    assert (reply.receiving_application, reply.receiving_facility) == ("PORTAL", "HOSP")
