"""How a demographics query searches: as asked in QPD-4 to QPD-6, and nothing approximate unless asked for."""

from collections.abc import Callable

import pytest

from hl7v2.er7 import serialize
from hl7v2.message import Message
from pix.degrees import degree
from pix.model import Demographics, PersonName
from pix.queries import Criteria
from pix.telephones import national_number

Ask = Callable[[str], Message | None]
FEED = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A28^ADT_A05|{control}|P|2.5||||||UNICODE UTF-8\rPID|||{pid}\r"
QUERY = "MSH|^~\\&|PORTAL|HOSP|INDEX|STATE|2026||QBP^Q22^QBP_Q21|Q|P|2.5\rQPD|IHE PDQ Query|T|{qpd}\rRCP|{rcp}\r"
PEOPLE = (
    "1^^^HOSP||Schmitt^Lina^^^^^L|Schmit^Rosa|19900617|F|||3 Grand-Rue^^Esch-sur-Alzette^^4010^LUX~9 rue X^^Wiltz"
    "|||+352 621 123 456^PRN^CP~^NET^Internet^lina@example.org",
    "2^^^HOSP||Schmidt^Lina^^^^^L||19551111|F",
    "3^^^HOSP||Wegener^Paul^^^^^L||19900706|M",
    "4^^^HOSP||Lina^Schmitt^^^^^L||1985|F",
    "5^^^HOSP||Muster & Söhne^Anna^^^^^L||19700101|F",
)


@pytest.fixture
def query(ask: Ask) -> Callable[..., Message]:
    """Ask for QPD-3 and following fields among five people."""
    for number, pid in enumerate(PEOPLE):
        reply = ask(FEED.format(control=f"F{number}", pid=pid.replace("&", "\\T\\")))
        assert reply is not None and reply["MSA"].text(1) == "AA", reply and serialize(reply)

    def asked(qpd: str, rcp: str = "I") -> Message:
        reply = ask(QUERY.format(qpd=qpd, rcp=rcp))
        assert reply is not None
        return reply

    return asked


def ids(reply: Message) -> list[str]:
    return [each.text(3) for each in reply.all("PID")]


def errors(reply: Message) -> list[str]:
    return [f"{each.raw(2)} {each.text(3)}" for each in reply.all("ERR")]


NAME = "@PID.5.1.1^Schmitt~@PID.5.2^Lina"


@pytest.mark.parametrize("algorithm", ["", "|exact", "|EXACT"])
def test_a_query_that_asks_for_nothing_else_is_exact(query: Callable[..., Message], algorithm: str) -> None:
    assert ids(query(f"{NAME}|{algorithm}")) == ["1"]


def test_an_approximate_query_ranks_who_sounds_alike_and_swapped_names(query: Callable[..., Message]) -> None:
    reply = query(f"{NAME}||approximate")
    assert ids(reply)[0] == "1" and set(ids(reply)) == {"1", "2", "4"}
    degrees = [int(each.text(1)) for each in reply.all("QRI")]
    assert degrees[0] == 100 and degrees == sorted(degrees, reverse=True) and degrees[1] < 100
    assert [each.name for each in reply.segments[4:8]] == ["PID", "QRI", "PID", "QRI"]
    assert {each.text(3) for each in reply.all("QRI")} == {"approximate"}


def test_the_threshold_bounds_the_degree(query: Callable[..., Message]) -> None:
    assert ids(query(f"{NAME}|100|approximate")) == ["1"]
    assert {"1", "2"} <= set(ids(query(f"{NAME}|90|approximate")))


def test_day_and_month_swapped_and_a_family_name_that_changed(query: Callable[..., Message]) -> None:
    assert ids(query("@PID.5.1.1^Wegener~@PID.7^19900607||approximate")) == ["3"]
    assert "1" in ids(query("@PID.5.1.1^Wagenknecht~@PID.5.2^Lina~@PID.7^19900617|50|approximate"))
    assert ids(query("@PID.5.1.1^Wagenknecht~@PID.5.2^Lina~@PID.7^19900617")) == []


def test_an_exact_query_says_how_well_only_if_it_is_asked(query: Callable[..., Message]) -> None:
    assert query(NAME).all("QRI") == ()
    assert [each.text(1) for each in query(f"{NAME}|80").all("QRI")] == ["100"]


@pytest.mark.parametrize(
    ("qpd", "expected"),
    [
        ("@PID.5.1^Schmitt|101", ["QPD^1^4 102"]),
        ("@PID.5.1^Schmitt|high", ["QPD^1^4 102"]),
        ("@PID.5.1^Schmitt||soundex", ["QPD^1^5 103"]),
        ("@PID.5.1^Schmitt||exact|7", ["QPD^1^6 103"]),
        ("@PID.5.1^Schmitt|-1|x|y", ["QPD^1^4 102", "QPD^1^5 103", "QPD^1^6 103"]),
        ("@PID.8^F~@PID.5.1^Schmitt~@PID.8^M", ["QPD^1^3^3 102"]),
        ("@PID.7^1980~@PID.7.1^1981", ["QPD^1^3^2 102"]),
        ("@PID.13.1^none", ["QPD^1^3^1 102"]),
        ("@PID.5.7^L", ["QPD^1^3^1 103"]),
        ("@PID.5.1.1.1^X", ["QPD^1^3^1 103"]),
        ("@NK1.2^X", ["QPD^1^3^1 103"]),
    ],
)
def test_what_is_not_known_is_refused_where_it_stands(
    query: Callable[..., Message], qpd: str, expected: list[str]
) -> None:
    reply = query(qpd)
    assert (errors(reply), reply["MSA"].text(1), reply["QAK"].text(2)) == (expected, "AE", "AE")


def test_a_query_is_immediate(query: Callable[..., Message]) -> None:
    assert errors(query("@PID.5.1^Schmitt", rcp="D")) == ["RCP^1^1 103"]
    assert ids(query("@PID.5.1^Schmitt", rcp="")) == ["1"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("@PID.5^schmitt", ["1"]),
        ("@PID.5.1.1^Muster \\T\\ S\\XC3B6\\hne", ["5"]),
        ("@PID.5.1.1^Muster \\T\\ Söhne", ["5"]),
        ("@PID.8^F~@PID.5.1^Schmi*~@PID.8^F", ["2", "1"]),
        ("@PID.6^Schmit~@PID.5.2^Lina", ["1"]),
        ("@PID.6.1.1^Schm*~@PID.6.2^Rosa", ["1"]),
        ("@PID.11.3^Wiltz~@PID.5.1^Schmitt", ["1"]),
        ("@PID.11^9 rue X", ["1"]),
        ("@PID.5.1^Schmitt~@PID.11.5^4010~@PID.11.3^esch*", ["1"]),
        ("@PID.5.1^Schmitt~@PID.11.5^4011", []),
        ("@PID.13.1^+352621123456", ["1"]),
        ("@PID.13.1^00352 621-123-456", ["1"]),
        ("@PID.13.1^352621123456", ["1"]),
        ("@PID.13.1^621123456", ["1"]),
        ("@PID.13.5^352~@PID.13.6^621~@PID.13.7^123456", ["1"]),
        ("@PID.13.12^(621) 123.456", ["1"]),
        ("@PID.13.4^Lina@example.org", ["1"]),
        ("@PID.13.1^621123457", []),
    ],
)
def test_values_in_any_writing(query: Callable[..., Message], fields: str, expected: list[str]) -> None:
    reply = query(fields)
    assert (ids(reply), errors(reply), reply["QAK"].text(2)) == (expected, [], "OK" if expected else "NF")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 (0)651 1234", "6511234"),
        ("0651/1234", "6511234"),
        ("0049 651 1234", "6511234"),
        ("+1 202 555 0100", "2025550100"),
        ("26 12 34", "261234"),
        ("352 26 12 34", "261234"),
        ("03 52 12 34 56", "352123456"),
        ("+33 3 52 12 34 56", "352123456"),
        ("n/a", ""),
    ],
)
def test_a_telephone_number_is_compared_without_country_and_trunk_zero(text: str, number: str) -> None:
    assert national_number(text) == number


def test_a_degree_is_whole_for_what_was_asked_and_falls_with_likeness() -> None:
    anna = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515")
    asked = Criteria(family=("Weber",), given=("Anna",), birth=("198005", "198005"))
    assert degree(asked, anna) == 100
    near, far = (degree(Criteria(family=(name,), given=("Anna",)), anna) for name in ("Webber", "Zimmer"))
    assert 100 > near > far
