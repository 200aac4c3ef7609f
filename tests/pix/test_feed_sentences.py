"""What ITI-8 and ITI-30 demand of the receiver, sentence by sentence, where their own tests do not show it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from hl7v2.er7 import serialize
from hl7v2.message import Message
from pix.manager import PatientIndex
from pix.tables import metadata
from tests.pix.ward import verdict

Ask = Callable[[str], Message | None]
Pix = Callable[[str], str]
VERSIONS = {"ITI-8": "2.3.1", "ITI-30": "2.5"}


def header(event: str, control: str, version: str = "2.3.1", modes: str = "") -> str:
    return f"MSH|^~\\&|HIS|HOSP|PIXM|STATE|2026||ADT^{event}|{control}|P|{version}|{modes}\rEVN|{event}|2026\r"


def feed(control: str, ids: str, event: str = "A04", version: str = "2.3.1", modes: str = "") -> str:
    return f"{header(event, control, version, modes)}PID|||{ids}||Weber^Anna||19800515|F\rPV1||O\r"


def merges(control: str, *pairs: tuple[str, str], version: str = "2.3.1") -> str:
    """A40 with a group for each pair of (subsumed, surviving)."""
    groups = "".join(f"PID|||{surviving}||Weber^Anna\rMRG|{subsumed}\r" for subsumed, surviving in pairs)
    return header("A40", control, version) + groups


@pytest.fixture
def state(index: PatientIndex) -> Callable[[], dict[str, list[str]]]:
    """Every row of every table of the index."""

    def read() -> dict[str, list[str]]:
        return index.database.read(
            lambda connection: {
                table.name: sorted(str(tuple(row)) for row in connection.execute(select(table)))
                for table in metadata.sorted_tables
            }
        )

    return read


def test_3_8_4_1_2_each_message_is_acknowledged_in_original_mode(ask: Ask) -> None:
    """ "Each message shall be acknowledged by the HL7 ACK message", in original mode whatever MSH-15 says (C.2.3)."""
    reply = ask(feed("C-1", "1^^^HOSP", modes="||AL|AL"))
    assert reply is not None
    assert (reply["MSA"].text(1), reply["MSA"].text(2), reply.trigger) == ("AA", "C-1", "ACK^A04")
    assert (reply.sending_application, reply.sending_facility) == ("PIXM", "STATE")
    assert (reply.receiving_application, reply.receiving_facility) == ("HIS", "HOSP")


@pytest.mark.parametrize("event", ["A04", "A04^ADT_A01", "A04^ADT_A04"])
def test_3_8_4_1_2_1_the_third_component_is_optional(ask: Ask, event: str) -> None:
    assert verdict(ask(feed("1", "1^^^HOSP").replace("ADT^A04", f"ADT^{event}"))) == ("AA",)


def test_3_8_4_1_3_every_attribute_of_the_table_is_accepted_and_kept(ask: Ask, pdq: Callable[[str], list[str]]) -> None:
    """ "Capable of accepting attributes in the PID segment as specified ... in Table 3.8-2"."""
    fields = (
        "1^^^HOSP^PI||Weber^Anna^Maria^Jr^Dr^MD^L~Wagner^Anna^^^^^M|Klein^Eva|198005151230|F|Weber^Annchen|W^White|"
        "1 rue Neuve^2. Stock^Luxembourg^LU^1111^LUX^H|LU|+352123^PRN^PH|+352456^WPN^PH|fr|M^Married|R^None|"
        "A9^^^HOSP|123-45|D77|M1^^^HOSP|E^Ethnic|Arlon|Y|2|LUX^Luxembourg|V|LUX|20260101|N"
    )
    assert verdict(ask(f"{header('A04', '1')}PID|||{fields}\rPV1||O\r")) == ("AA",)
    expected = fields.replace("1^^^HOSP^PI", "1^^^HOSP&2.25.999.1&ISO^PI", 1)
    assert pdq("@PID.3.1^1~@PID.3.4.1^HOSP") == [f"PID|1||{expected}"]


def test_3_8_4_2_3_references_follow_a_chain_of_merges(ask: Ask, pix: Pix) -> None:
    """ "Multiple merge transactions can form a recorded merge chain"."""
    for number in (1, 2, 3):
        ask(feed(str(number), f"{number}^^^HOSP~{number}^^^CLINIC"))
    assert verdict(ask(merges("4", ("1^^^HOSP", "2^^^HOSP")))) == ("AA",)
    assert verdict(ask(merges("5", ("2^^^HOSP", "3^^^HOSP")))) == ("AA",)
    clinic = "~".join(f"{number}^^^CLINIC&2.25.999.2&ISO" for number in (1, 2, 3))
    assert pix("3^^^HOSP") == clinic
    assert pix("1^^^CLINIC").startswith("3^^^HOSP")


MISTAKES = {
    "subsumed of another authority": (("7^^^CLINIC", "1^^^HOSP"), "MRG^1^1^1^4 204"),
    "surviving of another authority": (("1^^^HOSP", "7^^^CLINIC"), "MRG^1^1^1^4 204"),
    "subsumed of no authority": (("1^^^NOBODY", "1^^^HOSP"), "MRG^1^1^1^4 204"),
    "surviving of no authority": (("1^^^HOSP", "1^^^NOBODY"), "PID^1^3^1^4 204"),
    "both the same": (("1^^^HOSP", "1^^^HOSP"), "MRG^1^1^1^1 205"),
    "subsumed before": (("gone^^^HOSP", "1^^^HOSP"), "MRG^1^1^1^1 204"),
    "survivor subsumed before": (("1^^^HOSP", "gone^^^HOSP"), "PID^1^3^1^1 204"),
    "subsumed not known": (("404^^^HOSP", "1^^^HOSP"), "MRG^1^1^1^1 204"),
    "survivor not known": (("1^^^HOSP", "404^^^HOSP"), "PID^1^3^1^1 204"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_3_8_4_2_4_these_messages_do_not_update_the_state(
    ask: Ask, state: Callable[[], dict[str, list[str]]], mistake: str
) -> None:
    """ "The following conditions shall be detected ... Messages containing these shall not update the state"."""
    for number, ids in enumerate(("1^^^HOSP", "2^^^HOSP", "gone^^^HOSP", "7^^^CLINIC")):
        ask(feed(str(number), ids))
    ask(merges("M", ("gone^^^HOSP", "2^^^HOSP")))
    before = state()
    pair, expected = MISTAKES[mistake]
    assert verdict(ask(merges("X", pair))) == ("AE", expected)
    assert state() == before


@pytest.mark.parametrize("transaction", VERSIONS)
def test_several_groups_are_several_merges(ask: Ask, pix: Pix, transaction: str) -> None:
    for number in range(1, 5):
        ask(feed(str(number), f"{number}^^^HOSP"))
    pairs = (("2^^^HOSP", "1^^^HOSP"), ("4^^^HOSP", "3^^^HOSP"))
    assert verdict(ask(merges("M", *pairs, version=VERSIONS[transaction]))) == ("AA",)
    assert [pix(f"{number}^^^HOSP") for number in range(1, 5)] == ["NF", "QPD^1^3^1^1 204"] * 2


@pytest.mark.parametrize("transaction", VERSIONS)
def test_the_second_group_is_named_where_it_is_wrong_and_nothing_is_merged(
    ask: Ask, state: Callable[[], dict[str, list[str]]], transaction: str
) -> None:
    for number in (1, 2, 3):
        ask(feed(str(number), f"{number}^^^HOSP"))
    before = state()
    pairs = (("2^^^HOSP", "1^^^HOSP"), ("9^^^NOBODY", "3^^^HOSP"))
    assert verdict(ask(merges("M", *pairs, version=VERSIONS[transaction]))) == ("AE", "MRG^2^1^1^4 204")
    assert state() == before


def test_a_group_without_mrg_is_named(ask: Ask) -> None:
    message = merges("M", ("2^^^HOSP", "1^^^HOSP")) + "PID|||3^^^HOSP||Weber^Anna\r"
    assert verdict(ask(message)) == ("AE", "MRG^1 100")


def test_3_30_5_1_the_version_of_a_french_system_is_2_5(ask: Ask, pix: Pix) -> None:
    """ "The first component SHALL be populated with the value 2.5"; others name the country and its edition."""
    assert verdict(ask(feed("1", "1^^^HOSP", event="A28", version="2.5^FRA^2.11"))) == ("AA",)
    assert pix("1^^^HOSP") == "NF"


def test_3_30_6_3_4_an_update_changes_the_record_of_the_patient(ask: Ask, pdq: Callable[[str], list[str]]) -> None:
    """ "The receiver shall update the patient record in its database"."""
    ask(feed("1", "1^^^HOSP", event="A28", version="2.5"))
    ask(feed("2", "1^^^HOSP", event="A31", version="2.5").replace("Weber^Anna", "Weber^Annette"))
    assert [each.split("|")[5] for each in pdq("@PID.3.1^1~@PID.3.4.1^HOSP")] == ["Weber^Annette"]


@pytest.mark.parametrize(
    ("subsumed", "surviving", "expected"),
    [
        # "It shall perform a Change Patient Identifier List instead of a Merge. This situation is not an error."
        ("1^^^HOSP", "404^^^HOSP", ["QPD^1^3^1^1 204", "NF", "NF"]),
        # "It shall take no action. This situation is not an error."
        ("404^^^HOSP", "1^^^HOSP", ["NF", "NF", "QPD^1^3^1^1 204"]),
        # Neither is known: nothing to change.
        ("404^^^HOSP", "405^^^HOSP", ["NF", "NF", "QPD^1^3^1^1 204"]),
        ("1^^^HOSP", "2^^^HOSP", ["QPD^1^3^1^1 204", "NF", "QPD^1^3^1^1 204"]),
    ],
)
def test_3_30_6_4_4_merges_of_what_is_not_recognized(
    ask: Ask, pix: Pix, subsumed: str, surviving: str, expected: list[str]
) -> None:
    ask(feed("1", "1^^^HOSP"))
    ask(feed("2", "2^^^HOSP"))
    assert verdict(ask(merges("M", (subsumed, surviving), version="2.5"))) == ("AA",)
    assert [pix(f"{number}^^^HOSP") for number in (1, 2, 404)] == expected


@pytest.mark.parametrize("event", ["A24", "A37"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_3_30_6_6_2_a_link_message_has_two_patients(ask: Ask, event: str, count: int) -> None:
    patients = "".join(f"PID|||{number}^^^HOSP||Weber^Anna\r" for number in range(count))
    expected = "PID^2 100" if count else "PID^1 100"
    assert verdict(ask(header(event, "1", "2.5") + patients)) == ("AE", expected)


def test_3_30_6_7_4_unlinking_what_is_not_linked_changes_nothing(ask: Ask, pix: Pix) -> None:
    """ "No action is performed and no error condition exists"."""
    ask(feed("1", "1^^^HOSP"))
    ask(feed("2", "7^^^CLINIC"))
    unlink = f"{header('A37', 'U', '2.5')}PID|||1^^^HOSP||Weber^Anna\rPID|||7^^^CLINIC||Weber^Anna\r"
    assert verdict(ask(unlink)) == ("AA",)
    link = unlink.replace("A37", "A24").replace("|U|", "|L|")
    assert verdict(ask(link)) == ("AA",)
    assert pix("1^^^HOSP") == "7^^^CLINIC&2.25.999.2&ISO"


@pytest.mark.parametrize(
    ("event", "code", "place"), [("A60", 201, "MSH^1^9^1^2"), ("A45", 201, "MSH^1^9^1^2"), ("", 201, "MSH^1^9^1^2")]
)
def test_14_3_an_event_that_is_not_supported_is_rejected(ask: Ask, event: str, code: int, place: str) -> None:
    """ "The consumer application shall application-reject a message that it does not support" (ITI TF-1: 14.3)."""
    assert verdict(ask(feed("1", "1^^^HOSP", event=event, version="2.5"))) == ("AR", f"{place} {code}")


MODES = [
    ("", "AA", "AE"),
    ("||AL|NE", "CA", "CE"),
    ("||AL|AL", "AA", "AE"),
    ("||NE|AL", "AA", "AE"),
    ("||NE|ER", None, "AE"),
    ("||ER|NE", None, "CE"),
    ("||SU|NE", "CA", None),
    ("||NE|NE", None, None),
]


@pytest.mark.parametrize(("modes", "accepted", "refused"), MODES)
def test_3_30_4_4_enhanced_mode(ask: Ask, modes: str, accepted: str | None, refused: str | None) -> None:
    good, bad = (feed(n, ids, event="A28", version="2.5", modes=modes) for n, ids in (("1", "1^^^HOSP"), ("2", "")))
    replies = [None if reply is None else reply["MSA"].text(1) for reply in (ask(good), ask(bad))]
    assert replies == [accepted, refused]


def test_c_2_3_2_an_error_in_version_2_5_leaves_err_1_empty(ask: Ask) -> None:
    reply = ask(feed("1", "1^^^NOBODY", event="A28", version="2.5"))
    assert reply is not None
    (err,) = (line for line in serialize(reply).decode().split("\r") if line.startswith("ERR"))
    assert err.startswith("ERR||PID^1^3^1^4|204^Unknown key identifier^HL70357|E|||")
