"""What must never happen: two people linked, a link that outlives its reason, an answer AA to what was not done."""

from dataclasses import replace
from itertools import pairwise

import pytest

from ihe.errors import HL7ErrorCode, Rejected
from pix.matricule import complete
from pix.model import Demographics, IdentifierList, PersonName, Telecom
from tests.pix.scene import ANNA, MATRICULE, OTHER_MATRICULE, Scene, person

MARC = person("Marc", "Thill", "19500101")
JEAN = person("Jean", "Muller", "19700303")
COMPLETE = IdentifierList.COMPLETE


def test_a_message_with_the_ids_of_two_other_people_is_refused_and_changes_nothing(scene: Scene) -> None:
    scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    scene.feed("CLINIC:7", who=JEAN, source="HIS|CLINIC")
    before = scene.events()
    with pytest.raises(Rejected) as caught:
        scene.feed("LAB:5", "CLINIC:7")
    assert caught.value.codes == {HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER}
    assert [each.location for each in caught.value.breaches] == ["LAB:5", "CLINIC:7"]
    assert scene.events() == before


def test_a_source_does_not_make_one_of_two_of_its_own_patients(scene: Scene) -> None:
    scene.feed("HOSP:77", who=MARC)
    scene.feed("HOSP:78", who=JEAN)
    with pytest.raises(Rejected):
        scene.feed("HOSP:77", "HOSP:78")
    assert scene.others("HOSP:77") == []


def test_a_vague_message_does_not_bridge_two_people(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("LAB:5", who=person("Anna", "Thill", "19500101"), source="LIS|LABO")
    scene.feed("HOSP:1", "LAB:5", who=person("Anna", "", None))
    assert scene.others("HOSP:1") == []
    assert scene.tasks() == ["collision: two people in one message"]


@pytest.mark.parametrize("known", [False, True])
def test_who_may_be_the_twin_does_not_take_the_id_of_whom_it_was_given_to(scene: Scene, known: bool) -> None:
    """Lena and Lina: a slip of the finger, or two sisters. Who has the number keeps it until somebody has decided."""
    lena, lina = person("Lena", birth="20150505"), person("Lina", birth="20150505")
    scene.feed("CLINIC:7", "HOSP:1", who=lena, source="HIS|CLINIC")
    if known:
        scene.feed("LAB:5", who=lina, source="LIS|LABO")
    scene.feed("LAB:5", "HOSP:1", who=lina, source="LIS|LABO")
    assert scene.others("CLINIC:7") == ["HOSP:1"]
    assert scene.others("LAB:5") == []
    assert "collision: two people in one message" in scene.tasks()


def test_a_source_that_mistypes_a_shared_number_does_not_give_it_to_its_patient(scene: Scene) -> None:
    scene.feed("CLINIC:7", "HOSP:1", source="HIS|CLINIC")
    with pytest.raises(Rejected) as caught:
        scene.feed("HOSP:1", who=MARC, source="LIS|LABO")
    assert caught.value.codes == {HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER}
    assert scene.others("CLINIC:7") == ["HOSP:1"]
    scene.feed("HOSP:1", who=MARC, source="HIS|CLINIC")
    assert scene.tasks() == ["overlay: the name was another before", "veto: given name, birth date"]


def test_a_name_one_letter_away_is_a_slip_beside_the_same_national_id(scene: Scene) -> None:
    lena, lina = person("Lena"), person("Lina")
    scene.feed("CLINIC:7", "HOSP:1", f"NAT:{MATRICULE}", who=lena, source="HIS|CLINIC")
    scene.feed("LAB:5", "HOSP:1", f"NAT:{MATRICULE}", who=lina, source="LIS|LABO")
    assert set(scene.others("CLINIC:7")) >= {"HOSP:1", "LAB:5"}


def test_a_source_may_correct_a_name_by_one_letter(scene: Scene) -> None:
    scene.feed("CLINIC:7", "HOSP:1", who=person("Lena"), source="HIS|CLINIC")
    scene.feed("CLINIC:7", "HOSP:1", who=person("Lina"), source="HIS|CLINIC")
    assert scene.others("CLINIC:7") == ["HOSP:1"]


def test_a_source_corrects_its_record_and_adds_the_id_of_a_record_that_agrees(scene: Scene) -> None:
    scene.feed("HOSP:77", who=person("Anna", birth="19080515"))
    scene.feed("LAB:5", source="LIS|LABO")
    scene.feed("HOSP:77", "LAB:5")
    assert scene.others("LAB:5") == ["HOSP:77"]


def test_ids_of_one_message_part_when_one_of_them_turns_out_to_be_somebody_else(scene: Scene) -> None:
    scene.feed("HOSP:1", "LAB:5")
    scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    assert scene.others("HOSP:1") == []
    assert scene.tasks() == ["overlay: the name was another before", "veto: given name, birth date"]
    scene.feed("LAB:5", source="LIS|LABO")
    assert scene.others("HOSP:1") == ["LAB:5"]
    assert scene.tasks() == ["overlay: the name was another before"]


def test_a_deliberate_link_holds_whatever_the_demographics_say(scene: Scene) -> None:
    scene.feed("HOSP:1", "LAB:5")
    scene.link("HOSP:1", "LAB:5")
    scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    assert scene.others("HOSP:1") == ["LAB:5"]


def test_a_complete_list_takes_back_the_id_that_its_source_no_longer_lists(scene: Scene) -> None:
    scene.feed("HOSP:1", "LAB:5", complete=COMPLETE)
    scene.feed("HOSP:1", complete=COMPLETE)
    assert scene.others("HOSP:1") == []
    assert scene.others("LAB:5") == []


def test_a_list_says_nothing_of_what_others_declared(scene: Scene) -> None:
    scene.feed("HOSP:1", "LAB:5", source="RIS|HOSP", complete=COMPLETE)
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:1", complete=COMPLETE)
    assert scene.others("HOSP:1") == ["LAB:5"]
    scene.link("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:1", complete=COMPLETE)
    assert scene.others("HOSP:1") == ["CLINIC:7", "LAB:5"]


def test_an_unlinking_survives_the_merge_into_a_record_that_one_message_linked(scene: Scene) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.unlink("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2", "CLINIC:7")
    scene.merge("HOSP:1", "HOSP:2")
    assert scene.others("HOSP:2") == []


def test_twins_with_the_number_of_one_of_them_are_not_linked(scene: Scene) -> None:
    boy, girl = (
        Demographics(names=(PersonName(family="Weber", given=given),), birth_time="20260101", sex=sex)
        for given, sex in (("Paul", "M"), ("Paula", "F"))
    )
    scene.feed("HOSP:1", f"NAT:{MATRICULE}", who=boy)
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=girl)
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.tasks() == ["overlay: given name, sex, overlay"]


def test_a_mistyped_sex_does_not_part_what_else_agrees(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    mistyped = Demographics(names=ANNA.names, birth_time=ANNA.birth_time, sex="M")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=mistyped)
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]


def test_a_national_id_in_a_link_message_does_not_link_by_itself(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7", who=MARC)
    scene.feed("CLINIC:8", who=MARC)
    scene.feed("HOSP:2")
    index = scene.index
    national = scene.id(f"NAT:{MATRICULE}")
    index.link((scene.id("HOSP:1"), national), (scene.id("HOSP:2"),), scene.origin())
    index.link((scene.id("CLINIC:7"), national), (scene.id("CLINIC:8"),), scene.origin())
    assert scene.others("HOSP:1") == ["HOSP:2"]
    assert scene.others("CLINIC:7") == ["CLINIC:8"]


@pytest.mark.parametrize("event", ["link", "unlink"])
def test_a_link_or_unlink_of_a_merged_id_is_not_silently_ignored(scene: Scene, event: str) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2", "CLINIC:7")
    scene.merge("HOSP:1", "HOSP:2")
    with pytest.raises(Rejected) as caught:
        getattr(scene, event)("CLINIC:7", "HOSP:1")
    assert caught.value.breaches[0].location == "HOSP:1"


@pytest.mark.parametrize("event", ["merge_or_change", "change"])
def test_an_id_merged_into_one_patient_is_not_silently_left_there_by_a_merge_into_another(
    scene: Scene, event: str
) -> None:
    for id in ("HOSP:1", "HOSP:2", "HOSP:3"):
        scene.feed(id)
    scene.merge("HOSP:1", "HOSP:2")
    with pytest.raises(Rejected) as caught:
        getattr(scene, event)("HOSP:1", "HOSP:3" if event == "merge_or_change" else "HOSP:4")
    assert caught.value.breaches[0].location == "HOSP:1"


def test_the_same_merge_in_another_message_is_no_error(scene: Scene) -> None:
    for id in ("HOSP:1", "HOSP:2", "HOSP:3"):
        scene.feed(id)
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge_or_change("HOSP:1", "HOSP:2")
    assert scene.others("HOSP:1") is None


def test_a_national_record_is_not_overwritten_by_another_sources_other_patient(scene: Scene) -> None:
    scene.feed(f"NAT:{MATRICULE}", source="LIS|LABO")
    with pytest.raises(Rejected) as caught:
        scene.feed(f"NAT:{MATRICULE}", who=MARC, source="HIS|CLINIC")
    assert caught.value.codes == {HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER}
    scene.feed(f"NAT:{MATRICULE}", who=person("Anna", birth="19800516"), source="LIS|LABO")


def test_a_task_is_closed_when_its_records_no_longer_share_an_id(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=MARC)
    assert scene.tasks() == ["overlay: given name, birth date, overlay"]
    scene.feed("CLINIC:7", f"NAT:{OTHER_MATRICULE}", who=MARC)
    assert scene.tasks() == []


def test_the_tasks_of_a_merged_record_are_those_of_its_survivor(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=MARC)
    scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    scene.feed("HOSP:1", "LAB:5")
    scene.feed("HOSP:2")
    scene.merge("HOSP:1", "HOSP:2")
    assert scene.tasks() == [
        "potential duplicate: birth date is vague, no corroboration",
        "collision: two people in one message",
        "overlay: given name, birth date, overlay",
    ]
    assert all(key not in scene.task_records() for key in scene.keys("HOSP:1"))


def test_who_leaves_a_crowd_with_one_number_takes_nobody_along(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pix.linking.LARGEST", 4)
    for number in range(4):
        scene.feed(f"HOSP:{number}", f"NAT:{MATRICULE}")
    for number in range(3):
        scene.feed(f"CLINIC:{number}", f"NAT:{MATRICULE}", who=MARC)
    scene.feed("HOSP:0", f"NAT:{MATRICULE}", who=JEAN)
    assert scene.others("HOSP:0") == [f"NAT:{MATRICULE}"]
    assert scene.others("HOSP:1") == ["HOSP:2", "HOSP:3", f"NAT:{MATRICULE}"]
    assert "crowd: more records are connected than linking looks at" in scene.tasks()


@pytest.mark.parametrize(
    ("birth", "tasks"),
    [("19800516", []), ("1980", []), (None, []), ("19620203", ["overlay: the birth date was another before"])],
)
def test_an_id_whose_birth_date_becomes_a_namesakes_is_put_before_a_human(
    scene: Scene, birth: str | None, tasks: list[str]
) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:1", who=person("Anna", birth=birth))
    assert scene.tasks() == tasks


def test_who_is_like_the_end_of_a_long_chain_is_linked_with_it(scene: Scene) -> None:
    numbers = [complete(f"19800515{each:03}") for each in range(26)]
    end = replace(ANNA, home_phones=(Telecom(number="+352 621 000 100"),))
    for number, (one, other) in enumerate(pairwise(numbers)):
        who = (
            person(f"{'BCDFG'[number % 5]}ara", f"{'KLMNP'[number // 5]}oster", f"19{60 + number}0101")
            if number
            else end
        )
        scene.feed(f"HOSP:{number}", f"NAT:{one}", f"NAT:{other}", who=who)
    scene.feed("CLINIC:1", who=end)
    assert "HOSP:0" in (scene.others("CLINIC:1") or [])
