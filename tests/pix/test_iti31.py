"""Patient Encounter Management: every event, legal and not, and what cancellations take back (ITI TF-2: 3.31)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from hl7v2.message import Message
from pix.encounter_events import EVENTS
from pix.iti31 import HANDLERS
from pix.manager import PatientIndex
from tests.pix.ward import Ward, verdict

OK = ("AA",)
ADMISSION = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A01|X|P|2.5\rPID|||1^^^HOSP||Weber^Anna\rPV1||I|||||||||||||||||V\r"
ZBE = "{id}|20261123080000||{action}|{historic}|{original}|CARDIO^^^^^^^^^C1"


@pytest.fixture
def ward(ask: Callable[[str], Message | None], index: PatientIndex) -> Ward:
    return Ward(ask, index)


def zbe(id: str, action: str = "INSERT", original: str = "", historic: str = "N") -> str:
    return ZBE.format(id=id, action=action, original=original, historic=historic)


STORIES = {
    "3.31.7.1 admit": (["A01 f3=W1"], ["V1 active I W1"]),
    "3.31.7.2 cancel admit": (["A01 f3=W1", "A11"], []),
    "3.31.7.2 cancel admit after a pre-admission": (["A05 f2=P", "A01 f3=W1", "A11"], ["V1 pre-admitted P -"]),
    "3.31.7.2 cancel admit after a transfer": (["A01 f3=W1", "A02 f3=W2", "A11"], []),
    "3.31.7.2 cancel visit": (["A04 f2=O", "A11 f2=O"], []),
    "3.31.7.3 register": (["A04 f2=O"], ["V1 active O -"]),
    "3.31.7.3 register while admitted": (["A01", "A04 f2=O f19=V2"], ["V1 active I -", "V2 active O -"]),
    "3.31.7.4 discharge": (["A01 f3=W1", "A03 f3=W1"], ["V1 discharged I W1"]),
    "3.31.7.5 cancel discharge": (["A01 f3=W1", "A03 f3=W1", "A13 f3=W2"], ["V1 active I W2"]),
    "3.31.7.6 update": (["A01 f3=W1", "A08 f10=SUR"], ["V1 active I W1"]),
    "3.31.7.7 pre-admit": (["A05 f2=P"], ["V1 pre-admitted P -"]),
    "3.31.7.7 pre-admit who is here": (["A01", "A05"], ["V1 active I -"]),
    "3.31.7.8 cancel pre-admit": (["A05 f2=P", "A38 f2=P"], []),
    "3.31.7.9 to inpatient": (["A04 f2=O", "A06 f2=I f3=W1"], ["V1 active I W1"]),
    "3.31.7.9 to inpatient of nobody": (["A06 f2=I f3=W1"], ["V1 active I W1"]),
    "3.31.7.10 to outpatient": (["A01 f3=W1", "A07 f2=O f3=O1"], ["V1 active O O1"]),
    "3.31.7.10 to outpatient of nobody": (["A07 f2=O"], ["V1 active O -"]),
    "3.31.7.11 transfer": (["A01 f3=W1", "A02 f3=W2 f6=W1"], ["V1 active I W2"]),
    "3.31.7.11 transfer of nobody": (["A02 f3=W2"], ["V1 active I W2"]),
    "3.31.7.11 transfer from elsewhere": (["A01 f3=W1", "A02 f3=W3 f6=W2"], ["V1 active I W3"]),
    "3.31.7.12 cancel transfer": (["A01 f3=W1", "A02 f3=W2", "A12 f3=W1"], ["V1 active I W1"]),
    "3.31.7.12 cancel transfer without a word": (["A01 f3=W1", "A02 f3=W2", "A12"], ["V1 active I W1"]),
    "3.31.7.12 cancel one of two transfers": (
        ["A01 f3=W1", "A02 f3=W2", "A02 f3=W3", "A12 f3=W2"],
        ["V1 active I W2"],
    ),
    "3.31.7.12 cancel the transfer of somebody whose admission nobody told": (
        ["A02 f3=W2", "A12 f3=W1"],
        ["V1 active I W1"],
    ),
    "3.31.7.12 cancel such a transfer after a pending discharge": (
        ["A02 f3=W2", "A16", "A12 f3=W1"],
        ["V1 pending discharge I W1"],
    ),
    "3.31.7.12 cancel a transfer after the discharge": (["A02 f3=W2", "A03", "A12 f3=W1"], ["V1 discharged I W1"]),
    "3.31.7.12 cancel a transfer of somebody pre-admitted": (
        ["A05 f2=P", "A02", "A12 f2=P f3=W1"],
        ["V1 pre-admitted P W1"],
    ),
    "3.31.7.13 pending admit": (["A14 f2=P"], ["V1 pending admit P -"]),
    "3.31.7.14 cancel pending admit": (["A14 f2=P", "A27 f2=P"], []),
    "3.31.7.14 cancel pending admit before a pre-admission": (
        ["A05 f2=P", "A14 f2=P", "A27 f2=P"],
        ["V1 pre-admitted P -"],
    ),
    "3.31.7.15 pending transfer": (["A01 f3=W1", "A15 f3=W1 f42=W2"], ["V1 active I W1"]),
    "3.31.7.16 cancel pending transfer": (["A01 f3=W1", "A15 f42=W2", "A26"], ["V1 active I W1"]),
    "3.31.7.17 pending discharge": (["A01 f3=W1", "A16"], ["V1 pending discharge I W1"]),
    "3.31.7.17 transferred before the discharge": (["A01", "A16", "A02 f3=W2"], ["V1 pending discharge I W2"]),
    "3.31.7.18 cancel pending discharge": (["A01 f3=W1", "A16", "A25"], ["V1 active I W1"]),
    "3.31.7.19 another doctor": (["A01 f3=W1 f7=D1", "A54 f7=D2"], ["V1 active I W1"]),
    "3.31.7.21 leave": (["A01 f3=W1", "A21"], ["V1 leave of absence I W1"]),
    "3.31.7.22 cancel leave": (["A01 f3=W1", "A21", "A52"], ["V1 active I W1"]),
    "3.31.7.23 return": (["A01 f3=W1", "A21", "A22"], ["V1 active I W1"]),
    "3.31.7.24 cancel return": (["A01 f3=W1", "A21", "A22", "A53"], ["V1 leave of absence I W1"]),
    "3.31.7.26 departing": (["A01 f3=W1", "A09 f11=XR"], ["V1 active I W1"]),
    "3.31.7.28 arriving": (["A01 f3=W1", "A09 f11=XR", "A10 f11=XR"], ["V1 active I W1"]),
    "3.31.7.28 back in bed": (["A01 f3=W1", "A10 f11=XR", "A10 f3=W1 f43=XR"], ["V1 active I W1"]),
}
"""Events in order, and how the patient's encounters stand afterwards."""


def play(ward: Ward, events: list[str]) -> list[tuple[str, ...]]:
    """Send each event, written as its trigger and fields of PV1."""
    answers = []
    for each in events:
        event, *fields = each.split()
        answers.append(ward.send(event, **dict(field.split("=") for field in fields)))
    return answers


@pytest.mark.parametrize("story", STORIES)
def test_what_the_events_make(ward: Ward, story: str) -> None:
    events, standing = STORIES[story]
    assert play(ward, events) == [OK] * len(events)
    assert ward.standing() == standing


CONFLICTS = [
    # No visit is open, or the patient is not even known: discarded, and no error.
    *(("", event, [], "AA") for event in ("A11", "A03", "A13", "A08", "A38", "A12", "A27", "A15", "A26", "A16", "A25")),
    *(("", event, [], "AA") for event in ("A54", "A55", "A21", "A52", "A22", "A53", "A09", "A33", "A10", "A32")),
    ("A01", "A13", ["V1 active I -"], "AA"),
    ("A01", "A12", ["V1 active I -"], "AA"),
    ("A01", "A38", ["V1 active I -"], "AA"),
    ("A01", "A27", ["V1 active I -"], "AA"),
    ("A01", "A26", ["V1 active I -"], "AA"),
    ("A01", "A25", ["V1 active I -"], "AA"),
    ("A01", "A22", ["V1 active I -"], "AA"),
    ("A01", "A52", ["V1 active I -"], "AA"),
    ("A01", "A53", ["V1 active I -"], "AA"),
    ("A01 A03", "A03", ["V1 discharged I -"], "AA"),
    ("A01 A03", "A54", ["V1 discharged I -"], "AA"),
    ("A01 A03", "A21", ["V1 discharged I -"], "AA"),
    ("A01 A03", "A16", ["V1 discharged I -"], "AA"),
    ("A05", "A03", ["V1 pre-admitted I -"], "AA"),
    # An admission is open already: discarded, and an error.
    ("A01", "A01", ["V1 active I -"], "AE PV1^1^19 205"),
    ("A01 A21", "A01", ["V1 leave of absence I -"], "AE PV1^1^19 205"),
    ("A06", "A01", ["V1 active I -"], "AE PV1^1^19 205"),
    # Over, cancelled, or not of a bed: no conflict.
    ("A01 A03", "A01", ["V1 active I -"], "AA"),
    ("A01 A11", "A01", ["V1 active I -"], "AA"),
    ("A05", "A01", ["V1 active I -"], "AA"),
]


@pytest.mark.parametrize(("before", "event", "standing", "answer"), CONFLICTS)
def test_what_does_not_fit_changes_nothing(
    ward: Ward, before: str, event: str, standing: list[str], answer: str
) -> None:
    assert play(ward, before.split()) == [OK] * len(before.split())
    assert " ".join(ward.send(event, name="Other^Name" if not before else "Weber^Anna")) == answer
    assert ward.standing() == standing
    assert (ward.key("1") is None) == (not before)


def test_the_conflicts_are_all_of_the_table() -> None:
    tried = {event for _, event, _, _ in CONFLICTS} | {
        each.split()[0] for story, _ in STORIES.values() for each in story
    }
    assert tried >= set(EVENTS)
    assert set(HANDLERS) - set(EVENTS) == {"Z99", "A44"}


def test_an_outpatient_is_not_an_inpatient(ward: Ward) -> None:
    ward.send("A04", f2="O")
    for event in ("A15", "A16"):
        assert ward.send(event, f2="O", f42="W9") == OK
    assert ward.standing() == ["V1 active O -"]


def test_an_admission_elsewhere_is_no_conflict(ward: Ward) -> None:
    assert ward.send("A01") == OK
    assert ward.send("A01", "C1^^^CLINIC", source="HIS|OTHER") == OK
    assert [each.facility for each in ward.encounters()] == ["HOSP", "OTHER"]


def test_times_of_an_encounter(ward: Ward) -> None:
    ward.send("A01", at="20261123080000")
    ward.send("A03", at="20261124090000")
    (encounter,) = ward.encounters()
    assert (encounter.begin, encounter.end) == ("20261123080000", "20261124090000")
    ward.send("A13", at="20261124100000")
    assert ward.encounters()[0].end is None
    ward.send("A03", at="20261125", f44="202611230755", f45="202611251100")
    assert (ward.encounters()[0].begin, ward.encounters()[0].end) == ("202611230755", "202611251100")


def test_a_change_of_doctor_and_its_cancellation(ward: Ward) -> None:
    ward.send("A01", f7="D1^Un")
    ward.send("A54", f7="D2^Deux")
    assert ward.encounters()[0].pv1[7] == "D2^Deux"
    ward.send("A55", f7="D0^Zero")
    assert ward.encounters()[0].pv1[7] == "D0^Zero"


def test_temporary_places_come_and_go(ward: Ward) -> None:
    ward.send("A01", f3="W1")
    ward.send("A09", f11="XR", f6="W1")
    assert ward.encounters()[0].pv1[11] == "XR"
    ward.send("A33", f3="W1")
    assert 11 not in ward.encounters()[0].pv1
    ward.send("A10", f11="XR")
    ward.send("A32", f11="EKG")
    assert ward.encounters()[0].pv1[11] == "EKG"
    ward.send("A02", f3="W2")
    assert 11 not in ward.encounters()[0].pv1


def test_a_pending_transfer_is_over_with_the_transfer(ward: Ward) -> None:
    ward.send("A01", f3="W1")
    ward.send("A15", f3="ignored", f42="W2")
    assert (ward.encounters()[0].pv1[3], ward.encounters()[0].pv1[42]) == ("W1", "W2")
    ward.send("A02", f3="W2")
    assert 42 not in ward.encounters()[0].pv1


def test_a_message_feeds_the_patient_and_a_cancellation_does_not(ward: Ward, pdq: Callable[[str], list[str]]) -> None:
    ward.send("A01", name="Weber^Anna")
    ward.send("A02", name="Weber^Annette")
    assert "Weber^Annette" in pdq("@PID.3.1^1~@PID.3.4.1^HOSP")[0]
    ward.send("A12", name="Weber^Anne")
    assert "Weber^Annette" in pdq("@PID.3.1^1~@PID.3.4.1^HOSP")[0]


def test_a08_of_another_visit_updates_the_patient_alone(ward: Ward, pdq: Callable[[str], list[str]]) -> None:
    ward.send("A01")
    assert ward.send("A08", "V9^^^HOSP", name="Weber^Annette") == OK
    assert ward.standing() == ["V1 active I -"]
    assert "Weber^Annette" in pdq("@PID.3.1^1~@PID.3.4.1^HOSP")[0]


def test_a_null_deletes_a_field_of_the_visit(ward: Ward) -> None:
    ward.send("A01", f8="D8", f10="SUR")
    ward.send("A08", f8='""')
    assert (ward.encounters()[0].pv1.get(8), ward.encounters()[0].pv1[10]) == (None, "SUR")


BREACHES = [
    ({"f2": ""}, ("AE", "PV1^1^2 101")),
    ({"visit": ""}, ("AE", "PV1^1^19 101")),
    ({"visit": "", "account": "ACC1^^^HOSP"}, ("AA",)),
    ({"f44": "23.11.2026"}, ("AE", "PV1^1^44 102")),
    ({"f44": "20260230"}, ("AE", "PV1^1^44 102")),
    ({"f44": "2026113025"}, ("AE", "PV1^1^44 102")),
    ({"zbe": "M1|20260230||INSERT|N"}, ("AE", "ZBE^1^2 102")),
    ({"f45": "soon"}, ("AE", "PV1^1^45 102")),
    ({"name": "^Anna"}, ("AE", "PID^1^5^1^1 101")),
    ({"patient": "1^^^NOBODY"}, ("AE", "PID^1^3^1^4 204")),
    ({"patient": ""}, ("AE", "PID^1^3 101")),
    ({"zbe": "|||"}, ("AE", "ZBE^1^1 101", "ZBE^1^2 101", "ZBE^1^4 101", "ZBE^1^5 101")),
    ({"zbe": "M1|today||INSERT|N"}, ("AE", "ZBE^1^2 102")),
    ({"zbe": "M1|2026||CANCEL|N|A01"}, ("AE", "ZBE^1^4 103")),
    ({"zbe": "M1|2026||CANCEL|N"}, ("AE", "ZBE^1^4 103", "ZBE^1^6 101")),
    ({"zbe": "M1|2026||INSERT|Y"}, ("AE", "ZBE^1^5 103")),
    ({"zbe": "M1|2026||INSERT|X"}, ("AE", "ZBE^1^5 103")),
]


@pytest.mark.parametrize(("change", "expected"), BREACHES)
def test_every_breach_is_reported_where_it_is(ward: Ward, change: dict[str, str], expected: tuple[str, ...]) -> None:
    assert ward.send("A01", **change) == expected
    assert (ward.key("1") is not None) == (expected == OK)


def test_segments_that_must_be_there(ask: Callable[[str], Message | None], ward: Ward) -> None:
    head = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^{}|X|P|2.5\rPID|||1^^^HOSP||Weber^Anna\r"
    assert verdict(ask(head.format("A01"))) == ("AE", "PV1^1 100")
    assert verdict(ask(head.format("A44"))) == ("AE", "MRG^1 100")
    assert verdict(ask("MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A01|X|P|2.5\rPV1||I\r")) == ("AE", "PID^1 100")
    assert ward.send("Z99") == ("AE", "ZBE^1 100")


def test_z99_corrects_a_historic_movement_and_what_follows_from_it(ward: Ward) -> None:
    ward.send("A01", f3="W1", zbe=zbe("M1"))
    ward.send("A02", f3="W2", zbe=zbe("M2"))
    ward.send("A54", f7="D2", zbe=zbe("M3"))
    assert ward.send("Z99", f3="W9", zbe=zbe("M2", "UPDATE", "A02", "Y")) == OK
    assert ward.standing() == ["V1 active I W9"]
    ward.send("A12", f3="", zbe=zbe("M2", "CANCEL", "A02"))
    assert ward.standing() == ["V1 active I W9"], "it is not the current movement"


def test_z99_changes_when_it_began(ward: Ward) -> None:
    ward.send("A01", zbe=zbe("M1"))
    assert ward.send("Z99", zbe="M1|20261120||UPDATE|Y|A01") == OK
    assert ward.encounters()[0].begin == "20261120"


def test_z99_may_delete_what_an_earlier_movement_said(ward: Ward) -> None:
    ward.send("A01", f10="SUR", zbe=zbe("M1"))
    ward.send("A02", f10="MED", zbe=zbe("M2"))
    assert ward.send("Z99", f10='""', zbe=zbe("M2", "UPDATE", "A02")) == OK
    assert 10 not in ward.encounters()[0].pv1


@pytest.mark.parametrize(("id", "original"), [("M7", "A01"), ("M1", "A02")])
def test_z99_of_an_unknown_movement_is_an_error(ward: Ward, id: str, original: str) -> None:
    ward.send("A01", zbe=zbe("M1"))
    assert ward.send("Z99", zbe=zbe(id, "UPDATE", original)) == ("AE", "ZBE^1^1 204")


def test_a_cancellation_finds_its_movement_by_id(ward: Ward) -> None:
    ward.send("A01", f3="W1", zbe=zbe("M1"))
    ward.send("A02", f3="W2", zbe=zbe("M2"))
    assert ward.send("A12", zbe=zbe("M9", "CANCEL", "A02")) == OK
    assert ward.standing() == ["V1 active I W2"], "nothing was cancelled"
    assert ward.send("A11", zbe=zbe("M1", "CANCEL", "A01")) == ("AE", "ZBE^1^1 204")
    assert ward.send("A12", zbe=zbe("M2", "CANCEL", "A02")) == OK
    assert ward.send("A11", zbe=zbe("M1", "CANCEL", "A01")) == OK
    assert ward.standing() == []


def test_a_movement_is_inserted_once_but_may_be_told_in_several_messages(ward: Ward) -> None:
    """ "The movement identifier remains unique" where several messages state one movement (ITI TF-4: 4.1.3.3.1.2)."""
    ward.send("A01", zbe=zbe("M1"))
    assert ward.send("A02", f3="W2", zbe=zbe("M2")) == OK
    assert ward.send("A02", f3="W3", zbe=zbe("M2")) == ("AE", "ZBE^1^1 205")
    assert ward.send("A54", f7="D2", zbe=zbe("M2")) == OK
    assert ward.send("A12", zbe=zbe("M2", "CANCEL", "A02")) == OK


def test_a_french_change_of_class_is_cancelled_by_its_opposite(ward: Ward) -> None:
    ward.send("A04", f2="E", zbe=zbe("M1"))
    ward.send("A06", f2="I", zbe=zbe("M2"))
    assert ward.standing() == ["V1 active I -"]
    assert ward.send("A07", f2="E", zbe=zbe("M2", "CANCEL", "A06")) == OK
    assert ward.standing() == ["V1 active E -"]
    assert ward.send("A07", f2="E", zbe=zbe("M2", "CANCEL", "A06")) == OK
    assert ward.standing() == ["V1 active E -"]


def test_a_change_of_class_may_change_the_account(ward: Ward) -> None:
    ward.send("A04", "", f2="O", account="OUT^^^HOSP")
    assert ward.send("A06", "", f2="I", account="IN^^^HOSP", more="MRG|1^^^HOSP||OUT^^^HOSP") == OK
    assert [each.account for each in ward.encounters()] == ["IN^^^HOSP"]
    assert ward.encounters()[0].patient_class == "I"


def test_a_merge_carries_the_encounters_along(ward: Ward) -> None:
    ward.send("A01", patient="1^^^HOSP")
    ward.send("A01", "V2^^^HOSP", patient="2^^^HOSP")
    ward.send("A03", "V2^^^HOSP", patient="2^^^HOSP")
    assert ward.merge("1^^^HOSP", "2^^^HOSP") == OK
    assert ward.standing() == ["V1 active I -", "V2 discharged I -"]
    assert ward.send("A13", "V2^^^HOSP", f3="W5") == OK
    assert ward.standing()[1] == "V2 active I W5"


def test_a44_moves_an_account_with_its_encounters(ward: Ward, pdq: Callable[[str], list[str]]) -> None:
    ward.send("A01", account="A7^^^HOSP")
    ward.send("A01", "V2^^^HOSP", patient="2^^^HOSP")
    assert ward.accounts("2^^^HOSP", "1^^^HOSP", "A7^^^HOSP") == OK
    assert (ward.standing("1"), ward.standing("2")) == ([], ["V1 active I -", "V2 active I -"])
    assert [each.split("|")[3] for each in pdq("@PID.18.1^A7")] == ["2^^^HOSP&2.25.999.1&ISO"]


@pytest.mark.parametrize(
    ("prior", "account", "expected"),
    [
        ("1^^^HOSP", "A9^^^HOSP", ("AA",)),
        ("404^^^HOSP", "A7^^^HOSP", ("AA",)),
        ("1^^^HOSP", "", ("AE", "MRG^1^3 101")),
        ("1^^^NOBODY", "A7^^^HOSP", ("AE", "MRG^1^1^1^4 204")),
    ],
)
def test_a44_that_does_not_fit_moves_nothing(ward: Ward, prior: str, account: str, expected: tuple[str, ...]) -> None:
    ward.send("A01", account="A7^^^HOSP")
    assert ward.accounts("2^^^HOSP", prior, account) == expected
    assert ward.standing("1") == ["V1 active I -"]
    assert ward.key("2") is None


def test_msh_12_tells_iti_8_from_iti_31(ask: Callable[[str], Message | None], ward: Ward) -> None:
    old = "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A01|X|P|2.3.1\rPID|||1^^^HOSP||Weber^Anna\rPV1||I\r"
    assert verdict(ask(old)) == OK
    assert (ward.key("1") is not None, ward.encounters()) == (True, ())


def test_enhanced_mode_is_acknowledged_as_asked(ask: Callable[[str], Message | None]) -> None:
    message = (
        "MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A01|X|P|2.5|||AL|NE\rPID|||1^^^HOSP||Weber^Anna\rPV1||I|||||||||||||||||V\r"
    )
    assert verdict(ask(message)) == ("CA",)


def test_a_message_sent_again_is_not_applied_twice(ask: Callable[[str], Message | None], ward: Ward) -> None:
    assert verdict(ask(ADMISSION)) == OK
    assert verdict(ask(ADMISSION)) == OK
    assert ward.standing() == ["V active I -"]


def test_two_admissions_at_once_are_one(ward: Ward) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: ward.send("A01", f"V{number}^^^HOSP"), range(4)))
    assert sorted(answers) == [OK, *[("AE", "PV1^1^19 205")] * 3]
    assert len(ward.standing()) == 1


def test_an_encounter_is_not_given_to_a_stranger_whose_id_is_listed_by_mistake(
    ask: Callable[[str], Message | None], ward: Ward
) -> None:
    ask("MSH|^~\\&|HIS|OTHER|A|A|2026||ADT^A28|S|P|2.5\rPID|||9^^^HOSP||Muller^Jean||19300101|M\rPV1||N\r")
    assert ward.send("A01", patient="9^^^HOSP~1^^^CLINIC") == OK
    assert ward.encounters("9") == ()
