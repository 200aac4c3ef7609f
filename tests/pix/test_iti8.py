"""Patient Identity Feed: one good message, one change, one verdict (ITI TF-2: 3.8)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hl7v2.message import Message
from ihe.datatypes import HD
from ihe.domain import AssigningAuthority
from pix.identification import unknown_authority
from pix.manager import PatientIndex

GOOD = (
    "MSH|^~\\&|HIS|HOSP|AFFINITY|AFFINITY|20261123080000||ADT^{event}|{control}|P|2.3.1\r"
    "EVN|{event}|20261123080000\r"
    "PID|||{ids}||{name}||{birth}|{sex}|||1 rue Neuve^^Luxembourg^^1111^LUX\r"
    "PV1||O\r"
)
MERGE = (
    "MSH|^~\\&|HIS|HOSP|AFFINITY|AFFINITY|20261123080000||ADT^A40^ADT_A39|{control}|P|2.3.1\r"
    "EVN|A40|20261123080000\r"
    "PID|||{surviving}||Weber^Anna\r"
    "MRG|{subsumed}\r"
)
Ask = Callable[[str], Message | None]


def feed(
    control: str = "1",
    event: str = "A04",
    ids: str = "1^^^HOSP",
    name: str = "Weber^Anna",
    birth: str = "19800515",
    sex: str = "F",
) -> str:
    return GOOD.format(control=control, event=event, ids=ids, name=name, birth=birth, sex=sex)


def merge(control: str, subsumed: str, surviving: str) -> str:
    return MERGE.format(control=control, subsumed=subsumed, surviving=surviving)


def verdict(reply: Message | None) -> tuple[str, ...]:
    """MSA-1, then ERR-2 and ERR-3 of each error."""
    assert reply is not None
    return (reply["MSA"].text(1), *(f"{err.raw(2)} {err.text(3)}" for err in reply.all("ERR")))


@pytest.mark.parametrize("event", ["A01", "A04", "A05", "A08"])
def test_each_event_makes_the_patient_known(ask: Ask, pix: Callable[[str], str], event: str) -> None:
    assert verdict(ask(feed(event=event))) == ("AA",)
    assert pix("1^^^HOSP") == "NF"


@pytest.mark.parametrize("hd", ["HOSP", "&2.25.999.1&ISO", "HOSP&2.25.999.1&ISO"])
def test_an_authority_is_named_by_namespace_by_oid_or_by_both(ask: Ask, pix: Callable[[str], str], hd: str) -> None:
    assert verdict(ask(feed(ids=f"1^^^{hd}"))) == ("AA",)
    assert pix("1^^^HOSP") == "NF"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ids": "1^^^NOBODY"}, ("AE", "PID^1^3^1^4 204")),
        ({"ids": "1^^^&1.2.3&ISO"}, ("AE", "PID^1^3^1^4 204")),
        ({"ids": "1^^^HOSP&2.25.999.2&ISO"}, ("AE", "PID^1^3^1^4 204")),
        ({"ids": "1^^^&2.25.999.1&DNS"}, ("AE", "PID^1^3^1^4 204")),
        ({"ids": "1^^^HOSP~2^^^NOBODY"}, ("AE", "PID^1^3^2^4 204")),
        ({"ids": "5^^^LAB"}, ("AE", "PID^1^3^1^4 204")),
        ({"ids": ""}, ("AE", "PID^1^3 101")),
        ({"ids": '""^^^HOSP'}, ("AE", "PID^1^3 101")),
        ({"ids": "^^^HOSP"}, ("AE", "PID^1^3^1^1 101")),
        ({"ids": "1"}, ("AE", "PID^1^3^1^4 101")),
        ({"name": ""}, ("AE", "PID^1^5 101")),
        ({"name": '""'}, ("AE", "PID^1^5 101")),
        ({"birth": "1980-05-15"}, ("AE", "PID^1^7 102")),
        ({"sex": "W"}, ("AE", "PID^1^8 103")),
        ({"ids": "", "name": "", "sex": "W"}, ("AE", "PID^1^3 101", "PID^1^5 101", "PID^1^8 103")),
        ({"control": ""}, ("AE", "MSH^1^10 101")),
        ({"control": "1" * 257}, ("AE", "MSH^1^10 102")),
        ({"ids": "1" * 257 + "^^^HOSP", "name": "Weber^" + "a" * 257}, ("AE", "PID^1^3 102", "PID^1^5 102")),
    ],
)
def test_every_breach_is_reported_where_it_is(ask: Ask, change: dict[str, str], expected: tuple[str, ...]) -> None:
    assert verdict(ask(feed(**change))) == expected


def with_field(number: int, value: str) -> str:
    """The good message with one more field of PID."""
    head, pid, rest = feed().partition("PID|")
    patient, end, visit = rest.partition("\r")
    return head + pid + "|".join((patient + "|" * number).split("|")[: number - 1]) + f"|{value}" + end + visit


@pytest.mark.parametrize("name", ["W" * 256 + "^Anna", "~".join(["Weber^Anna"] * 100)])
def test_names_may_be_long_and_many(ask: Ask, name: str) -> None:
    assert verdict(ask(feed(name=name))) == ("AA",)


@pytest.mark.parametrize("birth", ["1980", "198005", "19800229", "1980051523", "19800515235959", "198005151030+0100"])
def test_a_time_is_of_any_precision(ask: Ask, birth: str) -> None:
    assert verdict(ask(feed(birth=birth))) == ("AA",)


@pytest.mark.parametrize(
    "birth",
    ["19800230", "19810229", "19800431", "198013", "19801301", "1980051525", "198005151060", "00000101", "0000"],
)
def test_a_day_that_does_not_exist_is_refused_where_it_stands(ask: Ask, birth: str) -> None:
    assert verdict(ask(feed(birth=birth))) == ("AE", "PID^1^7 102")
    assert verdict(ask(with_field(29, birth))) == ("AE", "PID^1^29 102")
    assert verdict(ask(feed().replace("|20261123080000\rPID", f"|{birth}\rPID"))) == ("AE", "EVN^1^2 102")
    assert verdict(ask(merge("2", "1^^^HOSP", "2^^^HOSP").replace("A40|2026", f"A40|{birth}\rZZZ|"))) == (
        "AE",
        "EVN^1^2 102",
    )


@pytest.mark.parametrize(
    ("number", "value", "expected"),
    [
        (24, "Y", ("AA",)),
        (24, '""', ("AA",)),
        (24, "yes", ("AE", "PID^1^24 103")),
        (24, "1", ("AE", "PID^1^24 103")),
        (25, "2", ("AA",)),
        (25, "first", ("AE", "PID^1^25 102")),
        (25, "2.5", ("AE", "PID^1^25 102")),
        (25, "٢", ("AE", "PID^1^25 102")),
        (30, "N", ("AA",)),
        (30, "true", ("AE", "PID^1^30 103")),
        (31, "Y", ("AA",)),
        (31, "U", ("AE", "PID^1^31 103")),
    ],
)
def test_indicators_and_numbers_are_what_their_types_say(
    ask: Ask, number: int, value: str, expected: tuple[str, ...]
) -> None:
    assert verdict(ask(with_field(number, value))) == expected


def test_a_list_of_what_is_known_says_how_much_more_there_is(index: PatientIndex, ask: Ask) -> None:
    many = tuple(AssigningAuthority(namespace_id=f"H{n}", oid=f"2.25.999.1000.{n}") for n in range(500))
    domain = replace(index.domain, assigning_authorities=many)
    found = unknown_authority(domain, HD("NOBODY"), "PID^1^3^1^4")
    assert found.expected is not None
    assert found.expected.startswith("H0 or &2.25.999.1000.0&ISO, H1 or ")
    assert found.expected.endswith("H7 or &2.25.999.1000.7&ISO and 492 more")
    reply = ask(feed(ids="1^^^NOBODY"))
    assert reply is not None
    assert "Add the authority to the domain's configuration" in reply["ERR"].text(7)


def test_a_mismatch_names_both_authorities(ask: Ask) -> None:
    reply = ask(feed(ids="1^^^HOSP&2.25.999.2&ISO"))
    assert reply is not None
    assert "HOSP is the authority 2.25.999.1, not 2.25.999.2" in reply["ERR"].text(8)


def test_an_id_without_authority_belongs_to_the_only_domain_of_its_source(ask: Ask, pix: Callable[[str], str]) -> None:
    assert verdict(ask(feed(ids="5").replace("|HIS|HOSP|", "|LIS|LABO|"))) == ("AA",)
    assert pix("5^^^LAB") == "NF"


def test_a_message_without_pid_is_refused(ask: Ask) -> None:
    assert verdict(ask(feed().replace("PID|", "ZZZ|"))) == ("AE", "PID^1 100")


def test_an_unknown_event_is_rejected(ask: Ask) -> None:
    assert verdict(ask(feed(event="A60"))) == ("AR", "MSH^1^9^1^2 201")


def test_version_2_3_is_accepted(ask: Ask) -> None:
    assert verdict(ask(feed().replace("|2.3.1\r", "|2.3\r"))) == ("AA",)


def test_a_null_deletes_an_empty_field_does_not(ask: Ask, pdq: Callable[[str], list[str]]) -> None:
    ask(feed("1"))
    ask(feed("2", event="A08", sex='""', birth=""))
    assert pdq("@PID.3.1^1~@PID.3.4.1^HOSP") == [
        "PID|1||1^^^HOSP&2.25.999.1&ISO||Weber^Anna||19800515||||1 rue Neuve^^Luxembourg^^1111^LUX"
    ]


def test_a_merge_ends_the_old_id(ask: Ask, pix: Callable[[str], str]) -> None:
    ask(feed("1", ids="1^^^HOSP"))
    ask(feed("2", ids="2^^^HOSP~7^^^CLINIC"))
    assert verdict(ask(merge("3", "2^^^HOSP", "1^^^HOSP"))) == ("AA",)
    assert pix("2^^^HOSP") == "QPD^1^3^1^1 204"
    assert pix("1^^^HOSP") == "7^^^CLINIC&2.25.999.2&ISO"
    assert verdict(ask(feed("4", ids="2^^^HOSP"))) == ("AE", "PID^1^3^1^1 204")


@pytest.mark.parametrize(
    ("subsumed", "surviving", "expected"),
    [
        ("404^^^HOSP", "1^^^HOSP", "MRG^1^1^1^1 204"),
        ("1^^^HOSP", "404^^^HOSP", "PID^1^3^1^1 204"),
        ("1^^^HOSP", "1^^^HOSP", "MRG^1^1^1^1 205"),
        ("1^^^HOSP", "7^^^CLINIC", "MRG^1^1^1^4 204"),
        ("1^^^NOBODY", "1^^^HOSP", "MRG^1^1^1^4 204"),
        ("", "1^^^HOSP", "MRG^1^1 101"),
    ],
)
def test_merges_that_cannot_be(ask: Ask, subsumed: str, surviving: str, expected: str) -> None:
    ask(feed("1", ids="1^^^HOSP"))
    ask(feed("2", ids="7^^^CLINIC"))
    assert verdict(ask(merge("3", subsumed, surviving))) == ("AE", expected)


def test_a_merge_without_mrg_is_refused(ask: Ask) -> None:
    message = merge("3", "2^^^HOSP", "1^^^HOSP").replace("MRG|2^^^HOSP\r", "")
    assert verdict(ask(message)) == ("AE", "MRG^1 100")


def test_a_message_sent_again_is_acknowledged_with_the_same_bytes(answer_bytes: Callable[[str], bytes]) -> None:
    first = answer_bytes(feed())
    assert answer_bytes(feed().replace("|20261123080000||ADT", "|20261123090000||ADT")) == first
    assert b"MSA|AA|1" in first


def test_the_same_message_id_with_other_content_is_refused(ask: Ask) -> None:
    ask(feed())
    assert verdict(ask(feed(name="Weber^Berta"))) == ("AE", "MSH^1^10 205")


def test_a_refused_message_may_be_mended_under_its_id(ask: Ask) -> None:
    assert verdict(ask(feed(sex="W"))) == ("AE", "PID^1^8 103")
    assert verdict(ask(feed(sex="F"))) == ("AA",)


def test_the_id_of_another_sender_is_another_message(ask: Ask) -> None:
    ask(feed())
    assert verdict(ask(feed(ids="2^^^HOSP", name="Weber^Berta").replace("|HIS|HOSP|", "|HIS|OTHER|"))) == ("AA",)


def test_lenient_validation_leaves_unknown_ids_out(
    ask_leniently: Ask, pix: Callable[[str], str], index: PatientIndex
) -> None:
    assert verdict(ask_leniently(feed(ids="1^^^HOSP~2^^^NOBODY"))) == ("AA", "PID^1^3^2^4 204")
    assert pix("1^^^HOSP") == "NF"
