"""Patient Demographics Query: cases, parameters, wildcards, continuation and cancellation (ITI TF-2: 3.21)."""

from collections.abc import Callable

import pytest

from hl7v2.er7 import serialize
from hl7v2.message import Message
from pix.found import Limits
from pix.manager import PatientIndex
from pix.matricule import complete

Ask = Callable[[str], Message | None]
Pdq = Callable[[str], list[str]]
MATRICULE = complete("19800515123")
FEED = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28^ADT_A05|{control}|P|2.5|||||| UNICODE UTF-8\rPID|||{pid}\r"
QUERY = "MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|20261123||QBP^Q22^QBP_Q21|{control}|P|2.5\rQPD|IHE PDQ Query|T|{qpd}\r{rest}"
PEOPLE = {
    "clinic": f"7^^^CLINIC~{MATRICULE}^^^NAT||Mueller^Ana||19800515|F|||3 Grand-Rue^^Luxembourg^^1661^LUX",
    "anna": f"1^^^HOSP~{MATRICULE}^^^NAT||Müller^Anna^Maria^^^^L~Weber^^^^^^M|Schmitt^Rosa|19800515|F|||"
    "12 rue des Près^^Esch-sur-Alzette^LU^4010^LUX^H||+352 621 123 456^PRN^CP|||||A-77^^^ACC",
    "paul": "2^^^HOSP||van der Berg^Paul||1975|M|||5 route d'Arlon^^Luxembourg^^1140^LUX",
    "mulder": "3^^^HOSP||Mulder^Jean-Pierre||19751224|M",
    "jose": "4^^^HOSP||dos Santos Ferreira^José||19660301|M",
}


@pytest.fixture
def found(ask: Ask) -> Callable[[str], list[str]]:
    """Five records of four people; then the ids in the first place of each PID, or the errors."""
    for number, pid in enumerate(PEOPLE.values()):
        reply = ask(FEED.format(control=f"F{number}", pid=pid).replace("| UNICODE", "|UNICODE"))
        assert reply is not None
        assert reply["MSA"].text(1) == "AA", serialize(reply)

    def query(fields: str, domains: str = "") -> list[str]:
        reply = ask(QUERY.format(control="Q", qpd=f"{fields}|||||{domains}", rest="RCP|I\r"))
        assert reply is not None
        failures = [f"{each.raw(2)} {each.text(3)}" for each in reply.all("ERR")]
        return failures or [each.text(3) for each in reply.all("PID")] or [reply["QAK"].text(2)]

    return query


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("@PID.3.1^1~@PID.3.4.1^HOSP", ["1"]),
        ("@PID.3.1^1 ~@PID.3.4.1^HOSP", ["1"]),
        ("@PID.3.1^7~@PID.3.4.2^2.25.999.2~@PID.3.4.3^ISO", ["1"]),
        (f"@PID.3.1^{MATRICULE}~@PID.3.4.1^NAT", ["1"]),
        ("@PID.3.1^1~@PID.3.4.1^HOSP~@PID.3.1^7~@PID.3.4.1^CLINIC", ["1"]),
        ("@PID.3.1^1~@PID.3.4.1^HOSP~@PID.3.1^2~@PID.3.4.1^HOSP", ["NF"]),
        ("@PID.3.1^404~@PID.3.4.1^HOSP", ["NF"]),
        ("@PID.5.1.1^MÜLLER", ["1"]),
        ("@PID.5.1^muller", ["1"]),
        ("@PID.5.1.1^Mueller", ["1"]),
        ("@PID.5.1.1^Weber", ["1"]),
        ("@PID.5.1.1^Mul*", ["3", "1"]),
        ("@PID.5.1.1^M*er~@PID.7^1980", ["1"]),
        ("@PID.5.1.1^*lder~@PID.7^1975", ["3"]),
        ("@PID.5.1.1^van der Berg", ["2"]),
        ("@PID.5.1.1^Berg", ["2"]),
        ("@PID.5.1.1^santos", ["4"]),
        ("@PID.5.1.1^Müller~@PID.5.2^Anna", ["1"]),
        ("@PID.5.1.1^Müller~@PID.5.2^Paul", ["NF"]),
        ("@PID.5.2^jose", ["4"]),
        ("@PID.5.2^Jean*", ["3"]),
        ("@PID.7^19751224", ["3", "2"]),
        ("@PID.7.1^197512", ["3", "2"]),
        ("@PID.7^19750101", ["2"]),
        ("@PID.7^1975~@PID.8^M", ["3", "2"]),
        ("@PID.5.1.1^Mul*~@PID.8^F", ["1"]),
        ("@PID.11.3^esch*", ["1"]),
        ("@PID.11.3^Luxembourg~@PID.5.2^Paul", ["2"]),
        ("@PID.11.5^1140", ["2"]),
        ("@PID.11.1^rue des pres", ["1"]),
        ("@PID.11.6^LUX~@PID.5.1^Berg", ["2"]),
        ("@PID.18.1^A-77", ["1"]),
        ("@PID.18.1^A-77~@PID.18.4.1^ACC", ["1"]),
        ("@PID.18.1^A-77~@PID.18.4.1^OTHER", ["NF"]),
        ("@PID.6.1.1^Schmitt~@PID.6.2^Rosa", ["1"]),
        ("@PID.13.1^+352 621123456", ["1"]),
    ],
)
def test_parameters_find(found: Callable[[str], list[str]], fields: str, expected: list[str]) -> None:
    assert found(fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", ["QPD^1^3 101"]),
        ("@PID.8^F", ["QPD^1^3 101"]),
        ("@PID.5.1.1^*", ["QPD^1^3 101"]),
        ("@PID.5.1.1^M*", ["QPD^1^3 101"]),
        ("@PID.3.1^*~@PID.3.4.1^HOSP", ["QPD^1^3 101"]),
        ("@PID.11.6^DE", ["QPD^1^3 101"]),
        ("@PID.3.1^1", ["QPD^1^3^1 101"]),
        ("@PID.3.4.1^HOSP", ["QPD^1^3^1 101"]),
        ("@PID.3.1^1~@PID.3.4.1^NOBODY", ["QPD^1^3^2 204"]),
        ("@PID.3.1^1~@PID.3.4.99^X", ["QPD^1^3^1 101", "QPD^1^3^2 103"]),
        ("@PID.5.1^A~@PID.99^X~@PD1.4^Y", ["QPD^1^3^2 103", "QPD^1^3^3 103"]),
        ("@PID.7^15/05/1980", ["QPD^1^3^1 102"]),
        ("@PID.7^1980-05-15", ["QPD^1^3^1 102"]),
        ("@PID.7^19800230", ["QPD^1^3^1 102"]),
        ("@PID.7^198013", ["QPD^1^3^1 102"]),
        ("@PID.7^198005151", ["QPD^1^3^1 102"]),
        ("@PID.7^19800515093000.5+0100", ["1"]),
        ("@PID.8^X~@PID.5.1^Weber", ["QPD^1^3^1 103"]),
    ],
)
def test_queries_that_cannot_be_answered(found: Callable[[str], list[str]], fields: str, expected: list[str]) -> None:
    assert sorted(found(fields)) == sorted(expected)


def test_case_1_all_ids_and_all_that_is_known(ask: Ask, found: object) -> None:
    reply = ask(QUERY.format(control="Q", qpd="@PID.3.1^1~@PID.3.4.1^HOSP", rest="RCP|I\r"))
    assert reply is not None
    lines = serialize(reply).decode().split("\r")
    assert (reply.trigger, reply.structure) == ("RSP^K22", "RSP_K21")
    assert reply.header.text(18) == "UNICODE UTF-8"
    assert reply.sending_application == "INDEX"
    assert lines[1:] == [
        "MSA|AA|Q",
        "QAK|T|OK||1|1|0",
        "QPD|IHE PDQ Query|T|@PID.3.1^1~@PID.3.4.1^HOSP",
        f"PID|1||1^^^HOSP&2.25.999.1&ISO~7^^^CLINIC&2.25.999.2&ISO~{MATRICULE}^^^NAT&2.25.999.9&ISO||"
        f"{PEOPLE['anna'].partition('||')[2]}",
        "",
    ]


def test_case_2_only_ids_of_the_domains_asked_for(found: Callable[..., list[str]]) -> None:
    assert found("@PID.5.1.1^Müller", "^^^CLINIC") == ["7"]
    assert found("@PID.5.1.1^Mul*", "^^^CLINIC~^^^&2.25.999.9&ISO") == ["7"]
    assert found("@PID.5.1.1^Berg", "^^^CLINIC") == ["NF"]


def test_case_3_an_err_for_each_unknown_domain(found: Callable[..., list[str]]) -> None:
    assert found("@PID.5.1.1^Berg", "^^^X~^^^HOSP~^^^Y") == ["QPD^1^8^1 204", "QPD^1^8^3 204"]


class Paging:
    """A query for many people, a page at a time."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        for number in range(7):
            ask(FEED.format(control=f"P{number}", pid=f"{number}^^^HOSP||Klein^Nr{number}").replace("| U", "|U"))

    def page(self, quantity: str, pointer: str = "", sender: str = "PORTAL") -> tuple[list[str], str, str]:
        rest = f"RCP|I|{quantity}\r" + (f"DSC|{pointer}|I\r" if pointer else "")
        query = QUERY.format(control="Q", qpd="@PID.5.1^Klein", rest=rest).replace("PORTAL", sender)
        reply = self._ask(query)
        assert reply is not None
        if "ERR" in reply:
            return [], f"{reply['ERR'].raw(2)} {reply['ERR'].text(3)}", ""
        pointer = reply["DSC"].text(1) if "DSC" in reply else ""
        return [each.text(3) for each in reply.all("PID")], reply["QAK"].raw(4) + "/" + reply["QAK"].raw(6), pointer

    def cancel(self, tag: str) -> Message | None:
        return self._ask(f"MSH|^~\\&|PORTAL|HOSP|A|A|2026||QCN^J01^QCN_J01|C|P|2.5\rQID|{tag}|IHE PDQ Query\r")


@pytest.fixture
def paging(ask: Ask) -> Paging:
    return Paging(ask)


def test_a_long_answer_comes_in_pages(paging: Paging) -> None:
    first, counts, pointer = paging.page("3^RD")
    assert (first, counts) == (["0", "1", "2"], "7/4")
    assert pointer.isalnum()
    second, counts, following = paging.page("3^RD", pointer)
    assert (second, counts) == (["3", "4", "5"], "7/1")
    assert following != pointer
    assert paging.page("3^RD", following) == (["6"], "7/0", "")


def test_pages_fit_together_while_feeds_arrive(paging: Paging, ask: Ask) -> None:
    _, _, pointer = paging.page("3^RD")
    ask(FEED.format(control="X", pid="0a^^^HOSP||Klein^Nr0a").replace("| U", "|U"))
    assert paging.page("9^RD", pointer)[0] == ["3", "4", "5", "6"]


def test_a_patient_merged_between_pages_is_shown_as_its_survivor(paging: Paging, ask: Ask) -> None:
    _, _, pointer = paging.page("3^RD")
    ask("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A40^ADT_A39|M|P|2.5\rPID|||6^^^HOSP||x\rMRG|4^^^HOSP\r")
    assert paging.page("9^RD", pointer)[0] == ["3", "6", "5"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("@PID.5.1^Klein", "@PID.5.1^Gross"), "QPD^1^3 204"),
        (("@PID.5.1^Klein", ""), "QPD^1^3 204"),
        (("@PID.5.1^Klein", "@PID.5.1^Klein|50|approximate"), "QPD^1^4 204"),
        (("@PID.5.1^Klein", "@PID.5.1^Klein|||||^^^HOSP"), "QPD^1^8 204"),
        (("QBP^Q22", "QBP^ZV1"), "DSC^1^1 204"),
    ],
)
def test_a_pointer_continues_no_other_query(paging: Paging, ask: Ask, change: tuple[str, str], expected: str) -> None:
    _, _, pointer = paging.page("3^RD")
    other = QUERY.format(control="Q", qpd="@PID.5.1^Klein", rest=f"RCP|I|3^RD\rDSC|{pointer}|I\r").replace(*change)
    reply = ask(other)
    assert reply is not None
    assert [f"{each.raw(2)} {each.text(3)}" for each in reply.all("ERR")] == [expected]
    assert "PID" not in reply
    assert paging.page("3^RD", pointer)[0] == ["3", "4", "5"]


def test_a_continuation_may_have_a_tag_of_its_own(paging: Paging, ask: Ask) -> None:
    _, _, pointer = paging.page("3^RD")
    again = QUERY.format(control="Q", qpd="@PID.5.1^Klein", rest=f"RCP|I|3^RD\rDSC|{pointer}|I\r")
    reply = ask(again.replace("|T|@PID", "|T2|@PID"))
    assert reply is not None
    assert [each.text(3) for each in reply.all("PID")] == ["3", "4", "5"]


def test_nobody_is_listed_twice_who_was_merged_between_pages(paging: Paging, ask: Ask) -> None:
    _, _, pointer = paging.page("3^RD")
    ask("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A40^ADT_A39|M|P|2.5\rPID|||0^^^HOSP||x\rMRG|4^^^HOSP\r")
    patients, counts, following = paging.page("2^RD", pointer)
    assert (patients, counts) == (["3", "5"], "7/1")
    assert paging.page("2^RD", following) == (["6"], "7/0", "")


def test_a_page_may_be_asked_for_again(paging: Paging) -> None:
    _, _, pointer = paging.page("3^RD")
    assert paging.page("2^RD", pointer) == paging.page("2^RD", pointer)


def test_a_cancelled_query_is_not_continued(paging: Paging) -> None:
    _, _, pointer = paging.page("3^RD")
    reply = paging.cancel("T")
    assert reply is not None
    assert (reply.trigger, reply["MSA"].text(1)) == ("ACK^J01", "AA")
    assert paging.page("3^RD", pointer)[1] == "DSC^1^1 204"


@pytest.mark.parametrize("pointer", ["1", "p", "x" * 32 + "p4", "00p1"])
def test_an_unknown_pointer_is_refused(paging: Paging, pointer: str) -> None:
    assert paging.page("3^RD", pointer)[1] == "DSC^1^1 204"


def test_a_pointer_is_good_for_its_sender_only(paging: Paging) -> None:
    _, _, pointer = paging.page("3^RD")
    assert paging.page("3^RD", pointer, sender="SPY")[1] == "DSC^1^1 204"


def test_a_cancellation_names_its_query(paging: Paging) -> None:
    reply = paging.cancel("")
    assert reply is not None
    assert (reply["MSA"].text(1), reply["ERR"].raw(2)) == ("AE", "QID^1^1")


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("0^RD", "RCP^1^2^1^1 102"), ("many^RD", "RCP^1^2^1^1 102"), ("3^LI", "RCP^1^2^1^2 103")],
)
def test_a_quantity_is_a_number_of_records(paging: Paging, quantity: str, expected: str) -> None:
    assert paging.page(quantity)[1] == expected


def test_more_than_can_be_listed_is_said(paging: Paging, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setattr(PatientIndex, "search_limits", Limits(listed=5), raising=False)
    reply = ask(QUERY.format(control="Q", qpd="@PID.5.1^Klein", rest="RCP|I\r"))
    assert reply is not None
    assert (reply["MSA"].text(1), reply["QAK"].text(2), len(reply.all("PID"))) == ("AA", "OK", 5)
    assert (reply["ERR"].text(4), "More patients match" in reply["ERR"].text(8)) == ("W", True)


def test_a_merged_patient_is_found_by_what_the_survivor_says_alone(ask: Ask, found: Callable[[str], list[str]]) -> None:
    ask("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A40^ADT_A39|M|P|2.5\rPID|||2^^^HOSP||x\rMRG|3^^^HOSP\r")
    assert found("@PID.5.1.1^Mulder") == ["NF"]
    assert found("@PID.5.1.1^Berg") == ["2"]
