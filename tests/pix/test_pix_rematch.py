"""Every record compared anew: what was missed is found, what no longer holds is taken back, and every step is told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from affinity import rematches
from affinity.rematch_note import NOTE, keep_note
from pix import rematching
from pix.event_log import lines, newest
from pix.manager import PatientIndex
from pix.matching.mode import Mode
from pix.model import Address, Origin, Telecom
from pix.rematching import Reached, Step, rematch
from pix.replay import PROJECTIONS, rebuild
from pix.tables import blocking, event
from tests.pix.scene import ANNA, Scene, person

HOME = replace(
    ANNA,
    addresses=(Address(street="3, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),),
    home_phones=(Telecom(number="+352 621 000 111"),),
)
MARC = person("Marc", "Thill", "19500101")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rematching, "PIECE", 2)


@pytest.fixture
def unmatched(scene: Scene, index: PatientIndex, origin: Callable[..., Origin]) -> Scene:
    """Records of four people that were fed while matching was off; two have a record that is as good as the same."""
    off = Scene(replace(index, mode=Mode.OFF), origin, index.domain.assigning_authorities)
    off.feed("HOSP:1", who=HOME)
    off.feed("HOSP:2", who=MARC)
    off.feed("CLINIC:7", who=HOME)
    off.feed("LAB:5", who=ANNA, source="LIS|LABO")
    off.feed("HOSP:3", who=person("Zoé", "Wagner", "20010203"))
    assert off.others("HOSP:1") == [] and off.tasks() == []
    return scene


def run(index: PatientIndex, tmp_path: Path) -> rematches.Summary:
    return rematches.run(index, tmp_path, "operator|eve", lambda reached: None)


def rows(index: PatientIndex) -> dict[str, list[tuple[object, ...]]]:
    def work(connection: object) -> dict[str, list[tuple[object, ...]]]:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]  # type: ignore[attr-defined]
            for table in (*PROJECTIONS, event)
        }

    return index.database.read(work)


def test_what_was_fed_without_matching_is_linked_and_put_before_people(unmatched: Scene, tmp_path: Path) -> None:
    summary = run(unmatched.index, tmp_path)
    assert unmatched.others("HOSP:1") == ["CLINIC:7"]
    assert unmatched.others("LAB:5") == []
    assert unmatched.tasks() == ["potential duplicate: no corroboration"]
    assert (summary.effects.joined, summary.effects.parted, summary.effects.closed) == (1, 0, 0)
    assert summary.effects.opened == {"potential duplicate": 1}
    assert summary.verdicts == {("apart", "link"): 1, ("apart", "review"): 2}
    assert ("1^^^HOSP", "7^^^CLINIC") in {(one, other) for one, other, _ in summary.examples}


def test_the_log_tells_who_did_it_and_a_replay_ends_in_the_same_rows(unmatched: Scene, tmp_path: Path) -> None:
    run(unmatched.index, tmp_path)
    told = unmatched.index.database.read(lambda connection: list(lines(connection)))
    mine = [each for each in told if each.origin == "rematch"]
    assert {each.entry.actor for each in mine} == {"operator|eve"}
    assert {each.event.type for each in mine} == {"matched", "linked", "task-opened"}
    before = rows(unmatched.index)
    unmatched.index.database.write(lambda connection: rebuild(connection, lambda _: None))
    assert rows(unmatched.index) == before


def test_a_second_time_changes_nothing(unmatched: Scene, tmp_path: Path) -> None:
    run(unmatched.index, tmp_path)
    before = rows(unmatched.index)
    summary = run(unmatched.index, tmp_path)
    assert rows(unmatched.index) == before
    assert (summary.verdicts, summary.examples) == ({}, ())


def test_blocking_keys_that_an_upgrade_left_out_are_written(scene: Scene, tmp_path: Path) -> None:
    scene.feed("HOSP:1", who=HOME)
    before = rows(scene.index)["pix_blocking"]
    scene.index.database.write(lambda connection: connection.execute(blocking.delete()))
    run(scene.index, tmp_path)
    assert before and rows(scene.index)["pix_blocking"] == before


def test_with_matching_off_links_and_tasks_by_likeness_are_taken_back(unmatched: Scene, tmp_path: Path) -> None:
    run(unmatched.index, tmp_path)
    summary = run(replace(unmatched.index, mode=Mode.OFF), tmp_path)
    assert (unmatched.others("HOSP:1"), unmatched.tasks()) == ([], [])
    assert (summary.effects.parted, summary.effects.closed) == (1, 1)
    assert summary.verdicts == {("link", "apart"): 1, ("review", "apart"): 2}


def test_a_stricter_configuration_asks_where_it_linked(scene: Scene, tmp_path: Path) -> None:
    scene.feed("HOSP:1", who=HOME)
    scene.feed("CLINIC:7", who=HOME)
    run(replace(scene.index, matching=replace(scene.index.matching, link=1000.0, version="strict")), tmp_path)
    assert scene.others("HOSP:1") == []
    assert [each.partition(":")[0] for each in scene.tasks()] == ["potential duplicate"]


def test_a_dry_run_says_what_happens_then_and_writes_nothing(unmatched: Scene, tmp_path: Path) -> None:
    before = rows(unmatched.index)
    foreseen = rematches.dry_run(unmatched.index, lambda reached: None)
    assert rows(unmatched.index) == before
    unmatched.feed("HOSP:3", who=person("Zoé", "Wagner", "20010203"))
    done = run(unmatched.index, tmp_path)
    assert (foreseen.verdicts, foreseen.effects) == (done.verdicts, done.effects)
    assert foreseen.effects.joined == 1


class Interrupted(Exception):
    pass


def test_it_goes_on_where_it_was_stopped(unmatched: Scene, origin: Callable[..., Origin]) -> None:
    stored: list[Reached] = []

    def stop_now_and_then(reached: Reached) -> None:
        stored.append(reached)
        if len(stored) in (2, 5, 8):
            raise Interrupted

    index = unmatched.index
    stored.append(Reached(began=index.database.read(newest)))
    for _ in range(3):
        with pytest.raises(Interrupted):
            rematch(index, origin("operator|eve"), stored[-1], stop_now_and_then, lambda example: None)
    end = rematch(index, origin("operator|eve"), stored[-1], stop_now_and_then, lambda example: None)
    assert end.step is Step.DONE and end.verdicts == {("apart", "link"): 1, ("apart", "review"): 2}
    assert unmatched.others("HOSP:1") == ["CLINIC:7"]


def test_the_place_is_kept_in_the_data_directory_until_it_is_done(unmatched: Scene, tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done >= 6:
            raise Interrupted

    with pytest.raises(Interrupted):
        rematches.run(unmatched.index, tmp_path, "operator|eve", stop)
    assert (tmp_path / NOTE).is_file()
    assert run(unmatched.index, tmp_path).effects.joined == 1
    assert not (tmp_path / NOTE).exists()


def test_a_place_is_of_no_use_once_a_node_has_taken_feeds_under_another_configuration(
    unmatched: Scene, tmp_path: Path
) -> None:
    def stop(done: int) -> None:
        if done >= 10:
            raise Interrupted

    index = unmatched.index
    with pytest.raises(Interrupted):
        rematches.run(index, tmp_path, "operator|eve", stop)
    keep_note(tmp_path, index.matching, index.mode)
    assert (tmp_path / NOTE).is_file(), "a node that decides in the same way takes nothing away"
    keep_note(tmp_path, index.matching, Mode.OFF)
    off = Scene(replace(index, mode=Mode.OFF), unmatched.origin, index.domain.assigning_authorities)
    off.feed("LAB:5", who=HOME, source="LIS|LABO")
    run(index, tmp_path)
    assert set(unmatched.others("LAB:5")) == {"HOSP:1", "CLINIC:7"}


def test_who_matches_from_one_side_alone_stays_matched(scene: Scene, tmp_path: Path) -> None:
    scene.feed("HOSP:1", who=HOME)
    scene.feed("CLINIC:7", who=HOME)
    (key,) = scene.keys("CLINIC:7")
    scene.index.database.write(lambda connection: connection.execute(blocking.delete().where(blocking.c.record == key)))
    scene.feed("HOSP:1", who=replace(HOME, home_phones=()))
    assert scene.others("HOSP:1") == ["CLINIC:7"]
