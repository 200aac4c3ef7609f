"""The log is the truth: what happened can be read back, taken back, and replayed to the same tables."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from hl7v2.message import Message
from ihe.errors import Rejected
from pix.choices import Choice, Ruling
from pix.comparing import DOUBTS
from pix.event_log import UnreadableLog, history, lines
from pix.events import EVENTS
from pix.model import Address, Demographics, Origin, Telecom
from pix.replay import PROJECTIONS, Rebuilt, rebuild
from pix.stewardship import Stewardship
from pix.store_worklist import TaskFilter
from pix.tables import event
from pix.worklist import Worklist
from tests.pix.scene import ANNA, MATRICULE, Scene, person
from tests.pix.ward import Ward

MARC = person("Marc", "Thill", "19500101")
HOME = replace(
    ANNA,
    addresses=(Address(street="3, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),),
    home_phones=(Telecom(number="+352 621 000 111"),),
)


def rows(scene: Scene) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every projection."""
    return {
        table.name: scene.index.database.read(
            lambda connection, table=table: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
        )
        for table in PROJECTIONS
    }


def rebuilt(scene: Scene) -> Rebuilt:
    return scene.index.database.write(lambda connection: rebuild(connection, lambda _: None))


@pytest.fixture
def stewardship(scene: Scene) -> Stewardship:
    return Stewardship(index=scene.index)


@pytest.fixture
def lived(
    scene: Scene,
    stewardship: Stewardship,
    origin: Callable[..., Origin],
    ask: Callable[[str], Message | None],
) -> Scene:
    """An index with a past of every kind of event."""
    scene.feed("HOSP:1", "LAB:5", f"NAT:{MATRICULE}", who=HOME)
    scene.feed("CLINIC:7", who=HOME)
    scene.feed("HOSP:1", who=replace(HOME, sex="F"))
    scene.feed("LAB:6", who=MARC, source="LIS|LABO")
    scene.feed("HOSP:2", f"NAT:{MATRICULE}", who=MARC)
    scene.link("LAB:6", "CLINIC:9")
    scene.feed("CLINIC:9", who=MARC)
    scene.unlink("LAB:6", "CLINIC:9")
    scene.feed("HOSP:3", who=MARC)
    scene.merge("HOSP:3", "HOSP:2")
    scene.change("CLINIC:7", "CLINIC:8")
    scene.feed("CLINIC:8", who=MARC)
    stewardship.declare(scene.id("HOSP:1"), scene.id("CLINIC:8"), origin("steward|anna"), same=False)
    stewardship.unmerge(scene.id("HOSP:3"), origin("steward|anna"))
    _decide_first(scene, stewardship, origin("steward|anna"))
    _treat(Ward(ask, scene.index))
    return scene


def _treat(ward: Ward) -> None:
    """A stay with a transfer that was none, a correction of its beginning, and an account that was another's."""
    answers = (
        ward.send("A01", f3="W1", account="A1^^^HOSP", zbe="M1|20261123||INSERT|N"),
        ward.send("A02", f3="W2", account="A1^^^HOSP", zbe="M2|20261124||INSERT|N"),
        ward.send("A12", f3="W1", zbe="M2|20261124||CANCEL|N|A02"),
        ward.send("Z99", f3="W0", zbe="M1|20261122||UPDATE|Y|A01"),
        ward.accounts("2^^^HOSP", "1^^^HOSP", "A1^^^HOSP"),
    )
    assert set(answers) == {("AA",)}
    assert [each.begin for each in ward.encounters("2")] == ["20261122"]


def _decide_first(scene: Scene, stewardship: Stewardship, decided: Origin) -> None:
    found = Worklist(index=scene.index).tasks(TaskFilter(limit=1)).tasks[0].task
    stewardship.decide(found.number, found.version, Ruling(choice=Choice.IGNORE), decided)


def test_a_rebuild_ends_in_the_same_rows(lived: Scene) -> None:
    before = rows(lived)
    assert all(before.values()), "every projection has rows, so that the comparison means something"
    assert rebuilt(lived).differing == ()
    assert rows(lived) == before


def test_a_rebuild_mends_what_was_damaged(lived: Scene) -> None:
    before = rows(lived)
    for table in PROJECTIONS:
        lived.index.database.write(lambda connection, table=table: connection.execute(table.delete()))
    assert set(rebuilt(lived).differing) == {table.name for table in PROJECTIONS}
    assert rows(lived) == before


def test_after_a_rebuild_life_goes_on(lived: Scene) -> None:
    rebuilt(lived)
    lived.feed("HOSP:99", who=person("Neu", "Neumann", "20200202"))
    assert lived.others("HOSP:99") == []


def test_an_event_that_nobody_knows_stops_a_rebuild_and_leaves_all_as_it_was(lived: Scene) -> None:
    row = {"at": "2026", "type": "dreamt", "actor": "a", "origin": "o", "message_id": "m"}
    lived.index.database.write(lambda connection: connection.execute(insert(event), row))
    before = rows(lived)
    with pytest.raises(UnreadableLog, match=r"dreamt.*no such event"):
        rebuilt(lived)
    assert rows(lived) == before


def test_every_kind_of_event_is_read_back_as_it_was_written(lived: Scene) -> None:
    read = lived.index.database.read(lambda connection: list(lines(connection)))
    assert {type(each.event) for each in read} <= set(EVENTS.values())
    assert len(read) == len(lived.events())


def test_every_version_of_a_record_is_kept_as_sent(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:1", who=person("Anna", "Müller"))
    (key,) = scene.keys("HOSP:1")
    told = scene.index.database.read(lambda connection: list(history(connection, key)))
    families = [each.event.state.demographics.names[0].family for each in told if hasattr(each.event, "state")]
    assert families == ["Müller", "Weber"]


def test_a_merge_taken_back_restores_membership(
    scene: Scene, stewardship: Stewardship, origin: Callable[..., Origin]
) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("HOSP:2", who=MARC)
    scene.merge("HOSP:1", "HOSP:2")
    assert scene.others("HOSP:1") is None
    stewardship.unmerge(scene.id("HOSP:1"), origin("steward|anna"))
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]
    assert scene.others("HOSP:2") == []


def test_the_inner_merge_of_a_chain_comes_back_with_the_outer(
    scene: Scene, stewardship: Stewardship, origin: Callable[..., Origin]
) -> None:
    for id in ("HOSP:1", "HOSP:2", "HOSP:3"):
        scene.feed(id)
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge("HOSP:2", "HOSP:3")
    stewardship.unmerge(scene.id("HOSP:2"), origin("steward|anna"))
    assert scene.others("HOSP:2") == []
    assert scene.others("HOSP:1") is None
    stewardship.unmerge(scene.id("HOSP:1"), origin("steward|anna"))
    assert scene.others("HOSP:1") == []


def test_only_what_is_merged_can_be_taken_apart(
    scene: Scene, stewardship: Stewardship, origin: Callable[..., Origin]
) -> None:
    scene.feed("HOSP:1")
    with pytest.raises(Rejected):
        stewardship.unmerge(scene.id("HOSP:1"), origin("steward|anna"))


def test_never_link_outweighs_sources_and_survives_a_merge(
    scene: Scene, stewardship: Stewardship, origin: Callable[..., Origin]
) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    stewardship.declare(scene.id("HOSP:1"), scene.id("CLINIC:7"), origin("steward|anna"), same=False)
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    scene.link("HOSP:1", "CLINIC:7")
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.tasks() == ["dispute: HIS|HOSP says that they are one person"]
    scene.feed("HOSP:2")
    scene.merge("HOSP:1", "HOSP:2")
    assert "CLINIC:7" not in (scene.others("HOSP:2") or ())


def test_likeness_links_only_with_corroboration(scene: Scene) -> None:
    scene.feed("HOSP:1", who=HOME)
    scene.feed("CLINIC:7", who=HOME)
    scene.feed("LAB:5", source="LIS|LABO")
    assert scene.others("HOSP:1") == ["CLINIC:7"]
    assert scene.others("LAB:5") == []
    assert scene.tasks() == ["potential duplicate: no corroboration"]


def test_an_update_that_makes_two_people_of_one_parts_them(scene: Scene) -> None:
    scene.feed("HOSP:1", who=HOME)
    scene.feed("CLINIC:7", who=HOME)
    scene.feed("CLINIC:7", who=replace(HOME, birth_time="19800516", sex="M", names=person("Paul").names))
    assert scene.others("HOSP:1") == []


def test_twins_at_home_are_not_joined(scene: Scene) -> None:
    scene.feed("HOSP:1", who=HOME)
    scene.feed("CLINIC:7", who=replace(HOME, names=person("Annette").names))
    assert scene.others("HOSP:1") == []


def test_a_machine_joins_nobody_with_an_id_that_may_be_somebody_elses_now(scene: Scene) -> None:
    scene.feed("HOSP:1", who=MARC)
    scene.feed("CLINIC:7", who=HOME)
    scene.feed("HOSP:1", who=HOME)
    assert scene.others("HOSP:1") == []
    assert scene.tasks()[0] == "overlay: the name was another before"
    assert any(each.startswith("veto: one of them is under the id of somebody else") for each in scene.tasks())


def test_an_unknown_demographic_matches_nobody(scene: Scene) -> None:
    for number in range(3):
        scene.feed(f"HOSP:{number}", who=Demographics())
    assert scene.others("HOSP:0") == []


def test_a_crowd_of_namesakes_does_not_flood_people_with_tasks(scene: Scene) -> None:
    for number in range(12):
        scene.feed(f"HOSP:{number}")
    assert len(scene.tasks()) <= 12 * DOUBTS
    assert scene.others("HOSP:1") == []


def test_what_more_people_share_than_anybody_can_look_through_brings_nobody_together(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pix.store_blocking.CROWDED", 3)
    for number in range(5):
        scene.feed(f"HOSP:{number}")
    before = len(scene.tasks())
    scene.feed("CLINIC:7")
    assert len(scene.tasks()) == before
