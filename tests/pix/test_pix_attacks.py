"""Bad data and bad luck: no order of merges, decisions and corrections links two people, or forgets a decision."""

from dataclasses import replace
from itertools import permutations

import pytest

from ihe.errors import Rejected
from pix.matricule import complete
from pix.model import Address, Demographics, Feed, Origin, Telecom
from pix.replay import rebuild
from pix.stewardship import Stewardship
from tests.pix.scene import ANNA, MATRICULE, OTHER_MATRICULE, Scene, person

MARC = person("Marc", "Thill", "19500101")
JEAN = person("Jean", "Muller", "19700303")
PAUL = person("Paul", "Schroeder", "19610606")
GARE = (Address(street="3, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),)
PHONE = (Telecom(number="+352 621 000 111"),)
MARC_AT_HOME = replace(MARC, sex="M", addresses=GARE, home_phones=PHONE)
ANNA_AT_HOME = replace(ANNA, addresses=GARE, home_phones=PHONE)


class Cell:
    """The identity cell, and short ways to let it decide."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.work = Stewardship(index=scene.index)

    def origin(self) -> Origin:
        return replace(self.scene.origin("steward|anna"), reason="looked into it")

    def declare(self, one: str, other: str, *, same: bool) -> None:
        self.work.declare(self.scene.id(one), self.scene.id(other), self.origin(), same=same)

    def withdraw(self, one: str, other: str) -> None:
        self.work.withdraw(self.scene.id(one), self.scene.id(other), self.origin())

    def unmerge(self, subsumed: str) -> None:
        self.work.unmerge(self.scene.id(subsumed), self.origin())

    def assert_replayable(self) -> None:
        done = self.scene.index.database.write(lambda connection: rebuild(connection, lambda _: None))
        assert done.differing == ()


@pytest.fixture
def cell(scene: Scene) -> Cell:
    return Cell(scene)


@pytest.mark.parametrize("event", ["merge", "merge_or_change"])
def test_a_source_does_not_merge_two_of_whom_a_steward_said_that_they_are_two(
    scene: Scene, cell: Cell, event: str
) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2")
    cell.declare("HOSP:1", "HOSP:2", same=False)
    with pytest.raises(Rejected) as caught:
        getattr(scene, event)("HOSP:1", "HOSP:2")
    assert caught.value.breaches[0].location == "HOSP:1"
    assert scene.others("HOSP:1") == []


def test_nor_does_it_over_a_third_id(scene: Scene, cell: Cell) -> None:
    for id in ("HOSP:1", "HOSP:2", "HOSP:3"):
        scene.feed(id)
    cell.declare("HOSP:1", "HOSP:2", same=False)
    scene.merge("HOSP:1", "HOSP:3")
    with pytest.raises(Rejected):
        scene.merge("HOSP:3", "HOSP:2")


def test_a_decision_outlives_a_merge_that_is_taken_back_after_the_other_was_merged_too(
    scene: Scene, cell: Cell
) -> None:
    for id in ("HOSP:1", "HOSP:2", "CLINIC:7", "CLINIC:8"):
        scene.feed(id)
    cell.declare("HOSP:1", "CLINIC:7", same=False)
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge("CLINIC:7", "CLINIC:8")
    cell.unmerge("HOSP:1")
    scene.link("HOSP:1", "CLINIC:8")
    assert scene.others("HOSP:1") == []
    scene.link("HOSP:2", "CLINIC:8")
    assert scene.others("HOSP:2") == ["CLINIC:8"]
    cell.assert_replayable()


def test_a_number_goes_home_with_the_record_that_brought_it_into_a_chain_of_merges(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("HOSP:2", who=person("Anna"))
    scene.feed("HOSP:3", who=person("Anna"))
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge("HOSP:2", "HOSP:3")
    cell.unmerge("HOSP:1")
    cell.unmerge("HOSP:2")
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.others("HOSP:2") == []
    cell.assert_replayable()


def test_a_link_goes_home_with_the_record_that_brought_it_into_a_chain_of_merges(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1", who=MARC)
    scene.feed("HOSP:2", who=JEAN)
    scene.feed("HOSP:3", who=PAUL)
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge("HOSP:2", "HOSP:3")
    cell.unmerge("HOSP:1")
    assert scene.others("HOSP:1") == ["CLINIC:7"]
    assert scene.others("HOSP:3") == []
    cell.unmerge("HOSP:2")
    assert scene.others("HOSP:1") == ["CLINIC:7"]
    assert scene.others("HOSP:2") == []
    cell.assert_replayable()


def test_a_link_that_gave_way_in_a_merge_is_not_left_behind_by_the_record_that_brought_it(
    scene: Scene, cell: Cell
) -> None:
    scene.feed("HOSP:1", who=MARC)
    scene.feed("HOSP:2", who=JEAN)
    scene.feed("HOSP:3", who=PAUL)
    scene.feed("CLINIC:7")
    scene.link("HOSP:1", "CLINIC:7")
    cell.declare("HOSP:2", "CLINIC:7", same=False)
    scene.merge("HOSP:1", "HOSP:3")
    scene.merge("HOSP:2", "HOSP:3")
    cell.unmerge("HOSP:1")
    cell.unmerge("HOSP:2")
    assert scene.others("HOSP:1") == ["CLINIC:7"]
    assert scene.others("HOSP:3") == []
    cell.assert_replayable()


def test_an_overlaid_record_is_joined_with_nobody_after_a_merge_and_its_end(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1", who=MARC_AT_HOME)
    scene.feed("LAB:5", source="LIS|LABO")
    scene.feed("LAB:6", who=PAUL, source="LIS|LABO")
    scene.feed("LAB:5", who=MARC_AT_HOME, source="LIS|LABO")
    assert scene.others("HOSP:1") == []
    scene.merge("LAB:5", "LAB:6")
    assert "overlay: the name was another before" in scene.tasks()
    cell.unmerge("LAB:5")
    assert "overlay: the name was another before" in scene.tasks()
    assert scene.others("HOSP:1") == []
    cell.assert_replayable()


def test_the_survivor_of_an_overlaid_record_is_joined_with_nobody_by_a_machine(scene: Scene) -> None:
    scene.feed("HOSP:1", who=MARC_AT_HOME)
    scene.feed("LAB:5", source="LIS|LABO")
    scene.feed("LAB:5", who=JEAN, source="LIS|LABO")
    scene.feed("LAB:6", who=PAUL, source="LIS|LABO")
    scene.merge("LAB:5", "LAB:6")
    scene.feed("LAB:6", who=MARC_AT_HOME, source="LIS|LABO")
    assert scene.others("HOSP:1") == []


def test_a_dispute_about_a_merged_record_goes_over_to_its_survivor(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2")
    scene.feed("CLINIC:7")
    cell.declare("HOSP:1", "CLINIC:7", same=False)
    scene.link("HOSP:1", "CLINIC:7")
    before = [each for each in scene.tasks() if each.startswith("dispute")]
    scene.merge("HOSP:1", "HOSP:2")
    assert [each for each in scene.tasks() if each.startswith("dispute")] == before != []


def test_who_was_as_much_like_another_is_joined_when_the_other_turns_out_to_be_somebody_else(scene: Scene) -> None:
    scene.feed("HOSP:1", who=ANNA_AT_HOME)
    scene.feed("HOSP:2", who=replace(ANNA_AT_HOME, birth_order="2"))
    scene.feed("HOSP:1", who=replace(ANNA_AT_HOME, birth_order="1"))
    scene.feed("CLINIC:7", who=ANNA_AT_HOME)
    assert any(each.startswith("low margin") for each in scene.tasks())
    assert scene.others("CLINIC:7") == []
    scene.feed("HOSP:2", who=replace(MARC, addresses=(), home_phones=()))
    assert scene.others("CLINIC:7") == ["HOSP:1"]


def test_a_second_number_does_not_hide_that_two_records_have_different_ones(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}", who=ANNA_AT_HOME)
    scene.feed("CLINIC:7", f"NAT:{OTHER_MATRICULE}", who=ANNA_AT_HOME)
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    third = complete("19800515125")
    scene.feed("CLINIC:7", f"NAT:{OTHER_MATRICULE}", f"NAT:{third}", who=ANNA_AT_HOME)
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]


def test_a_link_that_a_steward_prevents_through_a_third_record_is_put_before_people(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7", who=MARC)
    scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    cell.declare("HOSP:1", "CLINIC:7", same=False)
    cell.declare("LAB:5", "CLINIC:7", same=True)
    scene.link("HOSP:1", "LAB:5")
    assert scene.others("HOSP:1") == []
    assert [each for each in scene.tasks() if each.startswith("dispute")]


def test_what_a_source_said_counts_again_when_a_steward_takes_his_word_back(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.unlink("HOSP:1", "CLINIC:7")
    cell.declare("HOSP:1", "CLINIC:7", same=True)
    cell.withdraw("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:1", "CLINIC:7")
    assert scene.others("HOSP:1") == []
    cell.assert_replayable()


def test_an_id_that_is_emptied_and_then_given_to_somebody_else_is_an_overlay(scene: Scene) -> None:
    scene.feed("HOSP:1", who=ANNA_AT_HOME)
    scene.index.register(
        Feed(
            identifiers=(scene.id("HOSP:1"),),
            demographics=Demographics(sex="U"),
            deleted=frozenset({"names", "birth_time"}),
        ),
        scene.origin(),
    )
    scene.feed("HOSP:1", who=MARC_AT_HOME)
    assert any(each.startswith("overlay") for each in scene.tasks())


def test_no_order_of_arrival_lets_a_third_record_bridge_two_people(scene: Scene) -> None:
    people = {
        "HOSP": replace(ANNA_AT_HOME, birth_order="1"),
        "CLINIC": ANNA_AT_HOME,
        "LAB": replace(ANNA_AT_HOME, birth_order="2"),
    }
    for turn, order in enumerate(permutations(people)):
        for authority in order:
            source = "LIS|LABO" if authority == "LAB" else "HIS|HOSP"
            moved = tuple(replace(each, street=f"{turn + 1}, rue {turn}") for each in GARE)
            phones = (Telecom(number=f"{turn}21000111"),)
            who = replace(people[authority], birth_time=f"19{50 + turn}0515", addresses=moved, home_phones=phones)
            scene.feed(f"{authority}:{turn}", who=who, source=source)
        assert f"LAB:{turn}" not in (scene.others(f"HOSP:{turn}") or [])
        assert any(each.startswith(("veto", "low margin")) for each in scene.tasks())


def test_a_link_that_was_taken_back_does_not_return_with_the_record_that_brought_it(scene: Scene, cell: Cell) -> None:
    scene.feed("HOSP:1", who=MARC)
    scene.feed("HOSP:2", who=JEAN)
    scene.feed("CLINIC:7")
    cell.declare("HOSP:1", "CLINIC:7", same=True)
    scene.merge("HOSP:1", "HOSP:2")
    cell.withdraw("HOSP:2", "CLINIC:7")
    cell.unmerge("HOSP:1")
    assert scene.others("HOSP:1") == []
    cell.assert_replayable()


def test_a_national_number_of_the_survivors_own_stays_when_a_chain_of_merges_is_taken_back(
    scene: Scene, cell: Cell
) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("HOSP:2", who=person("Anna"))
    scene.feed("HOSP:3", f"NAT:{MATRICULE}")
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge("HOSP:2", "HOSP:3")
    cell.unmerge("HOSP:1")
    assert scene.others("HOSP:3") == ["HOSP:1", f"NAT:{MATRICULE}"]
    cell.assert_replayable()
