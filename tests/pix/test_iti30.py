"""Patient Identity Management: both options, Merge and Link/Unlink, and enhanced mode (ITI TF-2: 3.30)."""

from collections.abc import Callable

import pytest

from hl7v2.message import Message
from pix.matricule import complete

Ask = Callable[[str], Message | None]
Pix = Callable[[str], str]
MATRICULE = complete("19800515123")
EVENTS = {"A28": "ADT_A05", "A31": "ADT_A05", "A40": "ADT_A39", "A47": "ADT_A30", "A24": "ADT_A24", "A37": "ADT_A37"}


def header(control: str, event: str, modes: str = "||") -> str:
    structure = f"ADT^{event}^{EVENTS[event]}"
    return (
        f"MSH|^~\\&|HIS|HOSP|AFFINITY|AFFINITY|20261123080000||{structure}|{control}|P|2.5|{modes}\r"
        "EVN||20261123080000\r"
    )


def feed(control: str, ids: str, event: str = "A28", name: str = "Weber^Anna", modes: str = "||") -> str:
    return f"{header(control, event, modes)}PID|||{ids}||{name}||19800515|F\rPV1||N\r"


def change(control: str, event: str, old: str, new: str) -> str:
    return f"{header(control, event)}PID|||{new}||Weber^Anna\rMRG|{old}\r"


def pair(control: str, event: str, *patients: str) -> str:
    return header(control, event) + "".join(f"PID|||{ids}||Weber^Anna\r" for ids in patients)


def verdict(reply: Message | None) -> tuple[str, ...]:
    assert reply is not None
    return (reply["MSA"].text(1), *(f"{err.raw(2)} {err.text(3)}" for err in reply.all("ERR")))


def test_a28_cross_references_by_the_national_id(ask: Ask, pix: Pix) -> None:
    assert verdict(ask(feed("1", f"1^^^HOSP~{MATRICULE}^^^NAT"))) == ("AA",)
    assert verdict(ask(feed("2", f"7^^^CLINIC~{MATRICULE}^^^NAT"))) == ("AA",)
    assert pix("1^^^HOSP") == f"7^^^CLINIC&2.25.999.2&ISO~{MATRICULE}^^^NAT&2.25.999.9&ISO"
    assert pix(f"{MATRICULE}^^^NAT") == "1^^^HOSP&2.25.999.1&ISO~7^^^CLINIC&2.25.999.2&ISO"


def test_a31_inserts_a_patient_that_is_not_known(ask: Ask, pix: Pix) -> None:
    assert verdict(ask(feed("1", "1^^^HOSP", event="A31"))) == ("AA",)
    assert pix("1^^^HOSP") == "NF"


def test_a31_without_the_national_id_withdraws_it(ask: Ask, pix: Pix) -> None:
    ask(feed("1", f"1^^^HOSP~{MATRICULE}^^^NAT"))
    ask(feed("2", f"7^^^CLINIC~{MATRICULE}^^^NAT"))
    ask(feed("3", "7^^^CLINIC", event="A31"))
    assert pix("7^^^CLINIC") == "NF"
    assert pix("1^^^HOSP") == f"{MATRICULE}^^^NAT&2.25.999.9&ISO"


def test_a_null_national_id_withdraws_it(ask: Ask, pix: Pix) -> None:
    ask(feed("1", f"1^^^HOSP~{MATRICULE}^^^NAT"))
    ask(feed("2", '1^^^HOSP~""^^^NAT', event="A31"))
    assert pix("1^^^HOSP") == "NF"


def test_a_name_needs_a_family_name(ask: Ask) -> None:
    assert verdict(ask(feed("1", "1^^^HOSP", name="^Anna"))) == ("AE", "PID^1^5^1^1 101")


@pytest.mark.parametrize("event", ["A28", "A31"])
def test_a_second_patient_is_refused_and_not_lost(ask: Ask, pix: Pix, event: str) -> None:
    """ADT_A05 has one PID, [1..1] (Table 3.30-9, Table 3.30-10)."""
    two = feed("1", "1^^^HOSP", event=event) + "PID|||2^^^HOSP||Thill^Luc\r"
    assert verdict(ask(two)) == ("AE", "PID^2 100")
    assert pix("1^^^HOSP") == "QPD^1^3^1^1 204"


def test_a40_merges(ask: Ask, pix: Pix) -> None:
    ask(feed("1", "1^^^HOSP"))
    ask(feed("2", "2^^^HOSP~7^^^CLINIC"))
    assert verdict(ask(change("3", "A40", "2^^^HOSP", "1^^^HOSP"))) == ("AA",)
    assert pix("1^^^HOSP") == "7^^^CLINIC&2.25.999.2&ISO"


def test_a40_into_an_unknown_id_changes_the_id(ask: Ask, pix: Pix) -> None:
    ask(feed("1", "1^^^HOSP~7^^^CLINIC"))
    assert verdict(ask(change("2", "A40", "1^^^HOSP", "2^^^HOSP"))) == ("AA",)
    assert (pix("1^^^HOSP"), pix("2^^^HOSP")) == ("QPD^1^3^1^1 204", "7^^^CLINIC&2.25.999.2&ISO")


def test_a40_of_an_unknown_id_is_no_error(ask: Ask, pix: Pix) -> None:
    ask(feed("1", "1^^^HOSP"))
    assert verdict(ask(change("2", "A40", "404^^^HOSP", "1^^^HOSP"))) == ("AA",)
    assert pix("404^^^HOSP") == "QPD^1^3^1^1 204"


def test_a40_merges_lists_domain_by_domain(ask: Ask, pix: Pix) -> None:
    ask(feed("1", "1^^^HOSP~7^^^CLINIC"))
    ask(feed("2", "2^^^HOSP~8^^^CLINIC"))
    assert verdict(ask(change("3", "A40", "2^^^HOSP~8^^^CLINIC", "1^^^HOSP~7^^^CLINIC"))) == ("AA",)
    assert pix("8^^^CLINIC") == "QPD^1^3^1^1 204"
    assert pix("1^^^HOSP") == "7^^^CLINIC&2.25.999.2&ISO"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1^^^HOSP", "1^^^HOSP", "MRG^1^1^1^1 205"),
        ("1^^^HOSP", "7^^^CLINIC", "MRG^1^1^1^4 204"),
        ("1^^^HOSP", "gone^^^HOSP", "PID^1^3^1^1 204"),
    ],
)
@pytest.mark.parametrize("event", ["A40", "A47"])
def test_merges_and_changes_that_cannot_be(ask: Ask, event: str, old: str, new: str, expected: str) -> None:
    for control, ids in (("1", "1^^^HOSP"), ("2", "2^^^HOSP"), ("3", "gone^^^HOSP")):
        ask(feed(control, ids))
    ask(change("4", "A40", "gone^^^HOSP", "2^^^HOSP"))
    assert verdict(ask(change("5", event, old, new))) == ("AE", expected)


def test_a47_changes_an_id(ask: Ask, pix: Pix) -> None:
    ask(feed("1", f"1^^^HOSP~{MATRICULE}^^^NAT"))
    assert verdict(ask(change("2", "A47", "1^^^HOSP", "9^^^HOSP"))) == ("AA",)
    assert (pix("1^^^HOSP"), pix("9^^^HOSP")) == ("QPD^1^3^1^1 204", f"{MATRICULE}^^^NAT&2.25.999.9&ISO")


def test_a47_to_the_id_of_another_patient_is_an_error(ask: Ask) -> None:
    ask(feed("1", "1^^^HOSP"))
    ask(feed("2", "2^^^HOSP"))
    assert verdict(ask(change("3", "A47", "1^^^HOSP", "2^^^HOSP"))) == ("AE", "PID^1^3^1^1 205")


@pytest.mark.parametrize("event", ["A40", "A47"])
def test_an_id_that_stands_in_both_lists_stays_as_it_is(ask: Ask, pix: Pix, event: str) -> None:
    """PID-3 and MRG-1 are "two lists of patient identifiers" (3.30.6.4.1), and a patient keeps the national one."""
    ask(feed("1", f"1^^^HOSP~{MATRICULE}^^^NAT"))
    ask(feed("2", f"2^^^HOSP~{MATRICULE}^^^NAT"))
    new = "1^^^HOSP" if event == "A40" else "3^^^HOSP"
    lists = (f"2^^^HOSP~{MATRICULE}^^^NAT", f"{new}~{MATRICULE}^^^NAT")
    assert verdict(ask(change("3", event, *lists))) == ("AA",)
    assert pix("2^^^HOSP") == "QPD^1^3^1^1 204"
    assert f"{MATRICULE}^^^NAT" in pix(new)


def test_lists_that_have_nothing_but_the_same_ids_are_refused(ask: Ask) -> None:
    ask(feed("1", f"1^^^HOSP~{MATRICULE}^^^NAT"))
    same = f"1^^^HOSP~{MATRICULE}^^^NAT"
    expected = ("AE", "MRG^1^1^1^1 205", "MRG^1^1^2^1 205")
    assert verdict(ask(change("2", "A40", same, same))) == expected


def test_a47_changes_one_id_of_a_domain(ask: Ask, pix: Pix) -> None:
    """ "A single PID-3-patient identifier list value has been found to be incorrect" (3.30.6.5.1)."""
    ask(feed("1", "1^^^HOSP"))
    ask(feed("2", "2^^^HOSP", name="Thill^Luc"))
    assert verdict(ask(change("3", "A47", "1^^^HOSP~2^^^HOSP", "3^^^HOSP~4^^^HOSP"))) == ("AE", "MRG^1^1^2^1 205")
    assert pix("1^^^HOSP") == "NF"


def test_a47_of_an_unknown_id_is_no_error(ask: Ask) -> None:
    assert verdict(ask(change("1", "A47", "404^^^HOSP", "2^^^HOSP"))) == ("AA",)


def test_a24_links_and_a37_unlinks(ask: Ask, pix: Pix) -> None:
    ask(feed("1", "1^^^HOSP"))
    ask(feed("2", "7^^^CLINIC"))
    assert verdict(ask(pair("3", "A24", "1^^^HOSP", "7^^^CLINIC"))) == ("AA",)
    assert pix("1^^^HOSP") == "7^^^CLINIC&2.25.999.2&ISO"
    assert verdict(ask(pair("4", "A37", "1^^^HOSP", "7^^^CLINIC"))) == ("AA",)
    assert pix("1^^^HOSP") == "NF"


def test_a24_of_unknown_patients_is_no_error_and_creates_none(ask: Ask, pix: Pix) -> None:
    assert verdict(ask(pair("1", "A24", "1^^^HOSP", "7^^^CLINIC"))) == ("AA",)
    assert pix("1^^^HOSP") == "QPD^1^3^1^1 204"


def test_a24_needs_two_patients(ask: Ask) -> None:
    assert verdict(ask(pair("1", "A24", "1^^^HOSP"))) == ("AE", "PID^2 100")


@pytest.mark.parametrize(
    ("modes", "ids", "expected"),
    [
        ("||", "1^^^HOSP", "AA"),
        ("||AL|NE", "1^^^HOSP", "CA"),
        ("||AL|NE", "1^^^NOBODY", "CE"),
        ("||NE|AL", "1^^^HOSP", "AA"),
        ("||ER|NE", "1^^^NOBODY", "CE"),
    ],
)
def test_enhanced_mode_is_acknowledged_as_asked(ask: Ask, modes: str, ids: str, expected: str) -> None:
    assert verdict(ask(feed("1", ids, modes=modes)))[0] == expected


def test_a_sender_that_wants_no_answer_gets_none(ask: Ask, pix: Pix) -> None:
    assert ask(feed("1", "1^^^HOSP", modes="||ER|NE")) is None
    assert ask(feed("1", "1^^^HOSP", modes="||ER|NE")) is None
    assert pix("1^^^HOSP") == "NF"


def test_an_acknowledgement_echoes_names_that_are_not_ascii_in_their_charset(ask: Ask) -> None:
    message = (
        feed("1", "1^^^HOSP", name="Müller^Zoë").replace("|P|2.5|", "|P|2.5||||||UNICODE UTF-8").replace("HIS", "HÏS")
    )
    reply = ask(message)
    assert reply is not None
    assert reply.header.text(18) == "UNICODE UTF-8"
    assert reply.receiving_application == "HÏS"


def test_more_ids_than_any_patient_has_are_refused_at_once(ask: Ask, pix: Pix) -> None:
    """They would be compared with each other for minutes while every other feed waits."""
    many = [f"{number}^^^HOSP" for number in range(20_000)]
    assert verdict(ask(feed("1", "~".join(many)))) == ("AR", "PID^1^3^20000^1 207")
    assert verdict(ask(feed("2", "~".join(many[:1] * 300)))) == ("AA",)
