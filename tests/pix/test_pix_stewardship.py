"""Stewards at work: every choice, who wins at once, what may not be said, and that the log tells it all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files

import pytest

from ihe.errors import Rejected
from ihe.identifiers import PatientKey
from pix.choices import Choice, NotPossible, Ruling
from pix.event_log import history
from pix.matching.configuration import parse
from pix.model import Address, Coded, Demographics, Origin, Telecom
from pix.rematching import Reached, rematch
from pix.replay import rebuild
from pix.stewardship import Stale, Stewardship, UnknownTask
from pix.store_worklist import TaskFilter
from pix.tasks import Kind, Task
from pix.worklist import Dossier, Worklist
from tests.pix.scene import ANNA, MATRICULE, Scene, person

MARC = person("Marc", "Thill", "19500101")
SHIPPED = files("pix.matching").joinpath("default.toml").read_text(encoding="utf-8")
HEAVIER = parse(SHIPPED.replace("same = { m = 0.985, u = 0.5 }", "same = { m = 0.985, u = 0.4 }"), "heavier")
"""To be of one sex says a little more."""
HOME = replace(
    ANNA,
    addresses=(Address(street="3, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),),
    home_phones=(Telecom(number="+352 621 000 111"),),
)


class Desk:
    """A steward called Anna, and short ways to decide."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.work = Stewardship(index=scene.index)
        self.read = Worklist(index=scene.index)

    def origin(self, reason: str = "looked into it") -> Origin:
        return replace(self.scene.origin("steward|anna"), reason=reason)

    def open(self, **wanted: object) -> list[Task]:
        return [each.task for each in self.read.tasks(TaskFilter(**wanted)).tasks]  # type: ignore[arg-type]

    def only(self, kind: Kind) -> Task:
        (task,) = self.open(kind=kind)
        return task

    def decide(self, task: Task, choice: Choice, chosen: str | None = None) -> None:
        ruling = Ruling(choice=choice, chosen=None if chosen is None else self.scene.id(chosen))
        self.work.decide(task.number, task.version, ruling, self.origin())

    def dossier(self, task: Task) -> Dossier:
        found = self.read.task(task.number)
        assert found is not None
        return found

    def declare(self, one: str, other: str, *, same: bool) -> None:
        self.work.declare(self.scene.id(one), self.scene.id(other), self.origin(), same=same)

    def assert_replayable(self) -> None:
        done = self.scene.index.database.write(lambda connection: rebuild(connection, lambda _: None))
        assert done.differing == ()


@pytest.fixture
def desk(scene: Scene) -> Desk:
    return Desk(scene)


@pytest.fixture
def doubtful(desk: Desk) -> Desk:
    """Two records of two authorities that resemble each other, not enough to be joined by a machine."""
    desk.scene.feed("HOSP:1")
    desk.scene.feed("LAB:5", source="LIS|LABO")
    return desk


@pytest.fixture
def twice(desk: Desk) -> Desk:
    """One person with two ids of one hospital, and nobody sure of it."""
    desk.scene.feed("HOSP:1")
    desk.scene.feed("HOSP:2")
    return desk


def test_link_makes_one_person_and_ends_the_task(doubtful: Desk) -> None:
    task = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    doubtful.decide(task, Choice.LINK)
    assert doubtful.scene.others("HOSP:1") == ["LAB:5"]
    assert doubtful.open() == []
    assert doubtful.dossier(task).task.decision == "link"
    doubtful.assert_replayable()


def test_never_link_keeps_two_people_apart_when_a_source_links_them(doubtful: Desk) -> None:
    doubtful.decide(doubtful.only(Kind.POTENTIAL_DUPLICATE), Choice.NEVER_LINK)
    assert doubtful.scene.others("HOSP:1") == []
    doubtful.scene.link("HOSP:1", "LAB:5")
    assert doubtful.scene.others("HOSP:1") == []
    doubtful.assert_replayable()


@pytest.mark.parametrize(("surviving", "subsumed"), [("HOSP:1", "HOSP:2"), ("HOSP:2", "HOSP:1")])
def test_merge_lets_the_id_survive_that_the_steward_names(twice: Desk, surviving: str, subsumed: str) -> None:
    twice.decide(twice.only(Kind.POTENTIAL_DUPLICATE), Choice.MERGE, surviving)
    assert twice.scene.others(surviving) == []
    assert twice.scene.others(subsumed) is None
    twice.assert_replayable()


def test_without_a_name_the_older_record_survives_and_the_merge_can_be_taken_back(twice: Desk) -> None:
    twice.decide(twice.only(Kind.POTENTIAL_DUPLICATE), Choice.MERGE)
    assert twice.scene.others("HOSP:2") is None
    twice.work.unmerge(twice.scene.id("HOSP:2"), twice.origin())
    assert twice.scene.others("HOSP:2") == []
    assert [each.kind for each in twice.open()] == [Kind.POTENTIAL_DUPLICATE]
    twice.assert_replayable()


def test_an_id_that_is_none_of_the_tasks_cannot_survive(twice: Desk) -> None:
    twice.scene.feed("HOSP:9", who=MARC)
    with pytest.raises(NotPossible, match="none of this task"):
        twice.decide(twice.only(Kind.POTENTIAL_DUPLICATE), Choice.MERGE, "HOSP:9")
    assert twice.scene.others("HOSP:2") == []


def test_ids_of_two_authorities_are_not_merged(doubtful: Desk) -> None:
    task = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    assert Choice.MERGE not in doubtful.dossier(task).choices
    with pytest.raises(NotPossible, match=r"two authorities.*Possible are: link, never-link, ignore"):
        doubtful.decide(task, Choice.MERGE)


def test_ignore_rests_until_one_of_the_records_changes(doubtful: Desk) -> None:
    doubtful.decide(doubtful.only(Kind.POTENTIAL_DUPLICATE), Choice.IGNORE)
    doubtful.scene.feed("HOSP:1")
    assert doubtful.open() == []
    doubtful.scene.feed("HOSP:1", who=replace(ANNA, names=person("Anna Maria").names))
    assert len(doubtful.open()) == 1
    doubtful.assert_replayable()


def test_an_ignored_overlay_rests_until_one_of_the_records_changes(desk: Desk) -> None:
    desk.scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    desk.scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=MARC)
    desk.decide(desk.only(Kind.OVERLAY), Choice.IGNORE)
    desk.scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=MARC)
    assert desk.open() == []
    desk.scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=person("Marco", "Thill", "19500101"))
    assert desk.only(Kind.OVERLAY).pair == (1, 2)
    desk.assert_replayable()


def test_an_ignored_question_rests_when_only_the_weights_change(doubtful: Desk) -> None:
    doubtful.decide(doubtful.only(Kind.POTENTIAL_DUPLICATE), Choice.IGNORE)
    index = replace(doubtful.scene.index, matching=HEAVIER)
    rematch(index, doubtful.origin(), Reached(began=0), lambda _: None, lambda _: None)
    assert "matched" in doubtful.scene.events()[-2:]
    assert doubtful.open() == []
    doubtful.assert_replayable()


def test_an_ignored_collision_rests_as_well(desk: Desk) -> None:
    desk.scene.feed("HOSP:1")
    desk.scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    desk.scene.feed("HOSP:1", "LAB:5")
    desk.decide(desk.only(Kind.COLLISION), Choice.IGNORE)
    desk.scene.feed("HOSP:1", "LAB:5")
    assert desk.open() == []
    desk.scene.feed("LAB:5", who=replace(MARC, sex="M"), source="LIS|LABO")
    desk.scene.feed("HOSP:1", "LAB:5")
    assert [each.kind for each in desk.open()] == [Kind.COLLISION]


def test_a_collision_that_a_steward_has_answered_is_not_asked_again(desk: Desk) -> None:
    desk.scene.feed("HOSP:1")
    desk.scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    desk.scene.feed("HOSP:1", "LAB:5")
    desk.declare("HOSP:1", "LAB:5", same=False)
    assert desk.open() == []
    desk.scene.feed("HOSP:1", "LAB:5")
    assert desk.open() == []


@pytest.fixture
def overlaid(desk: Desk) -> Desk:
    """A linked record whose id suddenly names somebody else."""
    desk.scene.feed("HOSP:1", who=HOME)
    desk.scene.feed("CLINIC:7", who=HOME)
    desk.scene.link("HOSP:1", "CLINIC:7")
    desk.scene.feed("HOSP:1", who=replace(HOME, names=MARC.names))
    return desk


def test_split_lets_an_overlaid_record_leave_its_person(overlaid: Desk) -> None:
    assert overlaid.scene.others("HOSP:1") == ["CLINIC:7"]
    task = overlaid.only(Kind.OVERLAY)
    assert overlaid.dossier(task).choices == (Choice.LINK, Choice.SPLIT, Choice.IGNORE)
    overlaid.decide(task, Choice.SPLIT)
    assert overlaid.scene.others("HOSP:1") == []
    overlaid.assert_replayable()


def test_the_dossier_of_an_overlay_shows_who_it_was_before(overlaid: Desk) -> None:
    dossier = overlaid.dossier(overlaid.only(Kind.OVERLAY))
    assert dossier.earlier is not None and dossier.earlier.names == HOME.names
    assert dossier.shown[0].record.demographics.names == MARC.names
    assert dossier.explanation is None


def test_link_says_that_the_id_still_is_the_same_person(overlaid: Desk) -> None:
    overlaid.decide(overlaid.only(Kind.OVERLAY), Choice.LINK)
    assert overlaid.scene.others("HOSP:1") == ["CLINIC:7"]
    assert Kind.OVERLAY not in [each.kind for each in overlaid.open()]


def test_of_one_record_never_link_means_nothing(overlaid: Desk) -> None:
    with pytest.raises(NotPossible, match="split lets it leave"):
        overlaid.decide(overlaid.only(Kind.OVERLAY), Choice.NEVER_LINK)


@pytest.fixture
def joined(desk: Desk) -> Desk:
    """Three records of one person; a source now says that two of them are not."""
    for id in ("HOSP:1", "CLINIC:7", "LAB:5"):
        desk.scene.feed(id, f"NAT:{MATRICULE}", who=HOME, source="LIS|LABO" if "LAB" in id else "HIS|HOSP")
    desk.declare("HOSP:1", "CLINIC:7", same=True)
    desk.scene.unlink("HOSP:1", "CLINIC:7")
    return desk


def test_a_split_of_two_among_more_needs_to_know_who_leaves(joined: Desk) -> None:
    task = joined.only(Kind.DISPUTE)
    with pytest.raises(NotPossible, match="say which of the two leaves"):
        joined.decide(task, Choice.SPLIT)
    joined.decide(task, Choice.SPLIT, "CLINIC:7")
    assert joined.scene.others("CLINIC:7") == [f"NAT:{MATRICULE}"]
    assert joined.scene.others("HOSP:1") == ["LAB:5", f"NAT:{MATRICULE}"]
    joined.assert_replayable()


def test_a_split_without_a_task(joined: Desk) -> None:
    joined.work.split(joined.scene.id("LAB:5"), joined.origin())
    assert "LAB:5" not in (joined.scene.others("HOSP:1") or ())
    with pytest.raises(NotPossible, match="linked with no other"):
        joined.work.split(joined.scene.id("LAB:5"), joined.origin())


def test_two_who_are_two_already_cannot_be_split(doubtful: Desk) -> None:
    with pytest.raises(NotPossible, match="not one person today"):
        doubtful.decide(doubtful.only(Kind.POTENTIAL_DUPLICATE), Choice.SPLIT)


def test_a_link_that_an_earlier_decision_prevents_is_refused_and_names_it(desk: Desk) -> None:
    for number, who in enumerate((ANNA, MARC, person("Jean", "Muller", "19700303")), 1):
        desk.scene.feed(f"HOSP:{number}", who=who)
    desk.declare("HOSP:1", "HOSP:2", same=True)
    desk.declare("HOSP:2", "HOSP:3", same=False)
    before = desk.scene.events()
    with pytest.raises(NotPossible, match=r"keeps 2 .* and 3 .* apart"):
        desk.declare("HOSP:1", "HOSP:3", same=True)
    assert desk.scene.events() == before


@pytest.mark.parametrize("by", ["steward", "source"])
def test_a_link_that_a_later_decision_breaks_is_put_before_people(desk: Desk, by: str) -> None:
    for number, id in enumerate(("HOSP:1", "CLINIC:7", "LAB:5")):
        desk.scene.feed(id, who=person(f"Name{number}", f"Family{number}", None), source="LIS|LABO")
    for two in (("HOSP:1", "CLINIC:7"), ("CLINIC:7", "LAB:5")):
        if by == "steward":
            desk.declare(*two, same=True)
        else:
            desk.scene.link(*two)
    desk.declare("HOSP:1", "LAB:5", same=False)
    assert "LAB:5" not in (desk.scene.others("HOSP:1") or [])
    dispute = desk.only(Kind.DISPUTE)
    assert sorted(dispute.pair) == desk.scene.keys("CLINIC:7", "LAB:5")
    assert "they are one person" in dispute.reason
    desk.decide(dispute, Choice.NEVER_LINK)
    assert desk.open() == []
    desk.assert_replayable()


def test_a_decision_can_be_withdrawn_and_likeness_counts_again(doubtful: Desk) -> None:
    doubtful.decide(doubtful.only(Kind.POTENTIAL_DUPLICATE), Choice.NEVER_LINK)
    one, other = doubtful.scene.id("HOSP:1"), doubtful.scene.id("LAB:5")
    doubtful.work.withdraw(one, other, doubtful.origin())
    assert [each.kind for each in doubtful.open()] == [Kind.POTENTIAL_DUPLICATE]
    with pytest.raises(NotPossible, match="No steward has decided"):
        doubtful.work.withdraw(one, other, doubtful.origin())
    doubtful.assert_replayable()


def test_an_id_is_not_declared_to_be_itself(doubtful: Desk) -> None:
    with pytest.raises(NotPossible):
        doubtful.declare("HOSP:1", "HOSP:1", same=True)


def test_ids_that_nobody_knows_are_refused(doubtful: Desk) -> None:
    with pytest.raises(Rejected):
        doubtful.declare("HOSP:1", "HOSP:404", same=True)


def test_a_stale_version_changes_nothing(doubtful: Desk) -> None:
    task = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    doubtful.work.assign(task.number, task.version, "anna", doubtful.origin())
    with pytest.raises(Stale, match="owned by anna"):
        doubtful.decide(task, Choice.LINK)
    assert doubtful.scene.others("HOSP:1") == []
    with pytest.raises(UnknownTask):
        doubtful.work.assign(999_999, 1, None, doubtful.origin())


@pytest.mark.parametrize("choice", [Choice.LINK, Choice.NEVER_LINK, Choice.IGNORE])
def test_nobody_decides_of_records_that_changed_since_he_saw_them(doubtful: Desk, choice: Choice) -> None:
    seen = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    doubtful.scene.feed("HOSP:1", who=replace(ANNA, marital_status=Coded(code="M")))
    with pytest.raises(Stale, match="one of its records"):
        doubtful.decide(seen, choice)
    with pytest.raises(Stale, match="one of its records"):
        doubtful.work.assign(seen.number, seen.version, "anna", doubtful.origin())
    now = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    assert doubtful.dossier(seen).task == now != seen
    doubtful.scene.feed("HOSP:1", who=replace(ANNA, marital_status=Coded(code="M")))
    doubtful.decide(now, choice)
    assert doubtful.open() == []


def test_a_merge_into_a_record_changes_it(doubtful: Desk) -> None:
    seen = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    doubtful.scene.feed("HOSP:2", who=MARC)
    doubtful.scene.merge("HOSP:2", "HOSP:1")
    with pytest.raises(Stale, match="one of its records"):
        doubtful.decide(seen, Choice.LINK)


def test_of_two_stewards_at_once_one_wins(doubtful: Desk) -> None:
    task = doubtful.only(Kind.POTENTIAL_DUPLICATE)

    def decide(choice: Choice) -> str:
        try:
            doubtful.decide(task, choice)
        except Stale:
            return "stale"
        return choice.value

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(decide, [Choice.LINK, Choice.NEVER_LINK] * 2))
    (won,) = [each for each in outcomes if each != "stale"]
    assert doubtful.dossier(task).task.decision == won
    assert doubtful.scene.others("HOSP:1") == (["LAB:5"] if won == "link" else [])
    doubtful.assert_replayable()


def test_a_task_about_a_record_that_was_merged_meanwhile_is_closed(doubtful: Desk) -> None:
    doubtful.scene.feed("HOSP:2", who=MARC)
    task = doubtful.only(Kind.POTENTIAL_DUPLICATE)
    doubtful.scene.merge("HOSP:1", "HOSP:2")
    with pytest.raises(Stale, match="settled itself"):
        doubtful.decide(task, Choice.LINK)


def test_the_events_of_a_decision_name_the_steward_and_the_reason(doubtful: Desk) -> None:
    doubtful.decide(doubtful.only(Kind.POTENTIAL_DUPLICATE), Choice.LINK)
    (key,) = doubtful.scene.keys("LAB:5")
    told = doubtful.scene.index.database.read(lambda connection: list(history(connection, PatientKey(key))))
    mine = [each for each in told if each.entry.actor == "steward|anna"]
    # The newest first; that the task was decided is told before what follows from it.
    assert [each.event.type for each in mine] == ["linked", "declared", "task-decided"]
    assert {each.reason for each in mine} == {"looked into it"}


def test_history_finds_both_sides_and_pages(doubtful: Desk) -> None:
    shown, lines = doubtful.read.record(doubtful.scene.id("HOSP:1"), 2**63 - 1, 2) or (None, ())
    assert shown is not None and len(lines) == 2
    _, older = doubtful.read.record(doubtful.scene.id("HOSP:1"), lines[-1].entry.number, 100) or (None, ())
    types = [each.event.type for each in (*lines, *older)]
    assert types == ["task-opened", "matched", "announced"]
    assert doubtful.read.record(doubtful.scene.id("HOSP:404"), 2**63 - 1, 2) is None


def test_the_history_tells_that_a_task_closed_itself(doubtful: Desk) -> None:
    doubtful.scene.link("HOSP:1", "LAB:5")
    _, lines = doubtful.read.record(doubtful.scene.id("LAB:5"), 2**63 - 1, 100) or (None, ())
    assert "tasks-closed" in [each.event.type for each in lines]


def test_an_explanation_shows_the_stored_verdict_and_what_it_would_be_today(doubtful: Desk) -> None:
    found = doubtful.read.explain(doubtful.scene.id("LAB:5"), doubtful.scene.id("HOSP:1"))
    assert found is not None and found.stored is not None
    assert {each["field"] for each in found.stored.detail["fields"]} >= {"family", "given", "birth", "sex"}
    assert found.stored.detail == found.today and not found.differs
    assert not found.together and found.decided is None
    doubtful.declare("HOSP:1", "LAB:5", same=True)
    decided = doubtful.read.explain(doubtful.scene.id("LAB:5"), doubtful.scene.id("HOSP:1"))
    assert decided is not None and decided.together and decided.decided is not None
    assert decided.decided.line.reason == "looked into it"


def test_an_explanation_weighs_every_field_of_those_who_are_plainly_two(doubtful: Desk) -> None:
    doubtful.scene.feed("HOSP:9", who=person("Rosa", "Weber", "19310101"))
    found = doubtful.read.explain(doubtful.scene.id("HOSP:9"), doubtful.scene.id("HOSP:1"))
    assert found is not None and found.stored is None
    assert {each["field"] for each in found.today["fields"]} >= {"family", "given", "birth"}


def test_filters_and_pages_of_tasks(doubtful: Desk) -> None:
    doubtful.scene.feed("CLINIC:7", source="HIS|CLINIC")
    assert len(doubtful.open()) == 3
    first = doubtful.read.tasks(TaskFilter(limit=2))
    rest = doubtful.read.tasks(TaskFilter(limit=2, after=first.following or 0))
    numbers = [each.task.number for each in (*first.tasks, *rest.tasks)]
    assert len(set(numbers)) == 3 and numbers == sorted(numbers) and rest.following is None
    clinic = doubtful.scene.id("CLINIC:7")
    assert len(doubtful.open(source="HIS|CLINIC")) == 2
    assert len(doubtful.open(authority=clinic.authority.oid)) == 2
    assert len(doubtful.open(record=doubtful.read.key(clinic))) == 2
    assert doubtful.open(kind=Kind.OVERLAY) == []
    task = doubtful.open()[0]
    doubtful.work.assign(task.number, task.version, "anna", doubtful.origin())
    assert [each.number for each in doubtful.open(owner="anna")] == [task.number]
    assert len(doubtful.open(owner="")) == 2


def test_a_merge_that_was_taken_back_does_not_come_again_with_another(desk: Desk) -> None:
    """The inner of two merges was taken back first; taking back the outer must not redo it."""
    for number, who in enumerate((ANNA, MARC, Demographics()), 1):
        desk.scene.feed(f"HOSP:{number}", who=who)
    desk.scene.merge("HOSP:1", "HOSP:2")
    desk.scene.merge("HOSP:2", "HOSP:3")
    desk.work.unmerge(desk.scene.id("HOSP:1"), desk.origin())
    assert desk.scene.others("HOSP:1") == []
    desk.work.unmerge(desk.scene.id("HOSP:2"), desk.origin())
    assert desk.scene.others("HOSP:1") == []
    assert desk.scene.others("HOSP:2") == []
    desk.assert_replayable()
