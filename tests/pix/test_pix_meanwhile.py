"""Two changes of which the second begins before the first is committed: as if one had come after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection, delete, select, text

from affinity import rebuilding
from affinity.database import Database
from ihe.identifiers import PatientKey
from pix import store_persons
from pix.journal import Change
from pix.manager import PatientIndex
from pix.matching.mode import Mode
from pix.model import Feed, Origin
from pix.newcomers import Line
from pix.queries import CandidateQuery, Criteria
from pix.rematching import Reached, rematch
from pix.rendering import render
from pix.replay import rebuild
from pix.stewardship import Stewardship
from pix.store_persons import Described
from pix.tables import blocking, decision
from tests.pix.scene import ANNA, MATRICULE, OTHER_MATRICULE, Scene, person

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""SQLite has one writer at a time."""
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
MARC, PAUL, LENA = (
    person("Marc", "Thill", "19500101"),
    person("Paul", "Kieffer", "19610202"),
    person("Lena", "Schmit", "19720303"),
)


class Meanwhile:
    """Lets a second change begin when a first has done its work, and the first commit once the second waits or ends."""

    def __init__(self, scene: Scene, database: Database) -> None:
        self._scene = scene
        self._engine = database.engine
        self._pool = ThreadPoolExecutor(4)
        self._begun: list[Future[object]] = []

    def before_the_end_of(self, index: PatientIndex, second: Callable[[], object]) -> Scene:
        """A scene of which the first change does not commit before."""
        seconds = [second]

        def let_in(_index: PatientIndex, changes: Sequence[Change]) -> None:
            changes[0].connection.execute(text("SELECT 1"))  # whatever is still to be sent to the server
            if seconds:
                self._begin(seconds.pop())

        return Scene(replace(index, follow=let_in), self._scene.origin, index.domain.assigning_authorities)

    def _begin(self, second: Callable[[], object]) -> None:
        begun = self._pool.submit(second)
        self._begun.append(begun)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
            while not (begun.done() or watching.scalar(WAITING)):
                pass

    def end(self) -> None:
        """Wait for all that began."""
        for each in self._begun:
            each.result()
        self._pool.shutdown()


@pytest.fixture
def meanwhile(scene: Scene, database: Database) -> Iterator[Meanwhile]:
    made = Meanwhile(scene, database)
    yield made
    made.end()


def test_a_page_shows_nobody_twice_who_is_merged_while_it_is_made(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, given in enumerate(("Ada", "Berta", "Carla")):
        scene.feed(f"HOSP:{number}", who=person(given, "Klein", f"19{50 + number}0101"))
    query = CandidateQuery(criteria=Criteria(family=("Klein",)), quantity=1, owner="O", tag="T", continued_by_tag=True)
    assert scene.index.find(query).remaining == 2
    describe = store_persons.described

    def described(connection: Connection, keys: list[PatientKey]) -> Mapping[PatientKey, Described]:
        scene.merge("HOSP:1", "HOSP:2")
        return describe(connection, keys)

    monkeypatch.setattr(store_persons, "described", described)
    page = scene.index.continued("T", 2, 2, "O")
    assert page
    assert len({each.identifiers for each in page.candidates}) == len(page.candidates)


def test_who_is_fed_while_a_file_is_loaded_waits_and_gets_a_key_that_nobody_has(
    scene: Scene, meanwhile: Meanwhile, database: Database
) -> None:
    first = meanwhile.before_the_end_of(scene.index, lambda: scene.feed("CLINIC:1", who=MARC))
    people = {"HOSP:1": MARC, "HOSP:2": PAUL, "HOSP:3": LENA}
    feeds = [Feed(identifiers=(scene.id(id),), demographics=who) for id, who in people.items()]
    lines = [Line(scene.origin("load"), render(each)) for each in feeds]
    assert first.index.load(lines, lambda _connection, _verdicts: None) == (None, None, None)
    meanwhile.end()
    assert len(set(scene.keys("HOSP:1", "HOSP:2", "HOSP:3", "CLINIC:1"))) == 4
    assert len(scene.tasks()) == 1  # Marc and Marc
    assert is_as_its_log(database)


def test_a_rebuild_waits_for_a_piece_of_a_rematch_that_writes_no_events(
    scene: Scene, meanwhile: Meanwhile, database: Database
) -> None:
    scene.feed("HOSP:1", who=MARC)
    database.write(lambda connection: connection.execute(delete(blocking)))  # so that there is something to do
    events, told = rebuilding.length(database), list[int]()
    first = meanwhile.before_the_end_of(scene.index, lambda: rebuilding.rebuild(database, told.append))
    rematch(first.index, scene.origin("rematch"), Reached(began=events), lambda _: None, lambda _: None)
    meanwhile.end()
    assert told == list(range(1, events + 1)), "it began once"


def is_as_its_log(database: Database) -> bool:
    return database.write(lambda connection: rebuild(connection, lambda _: None)).differing == ()


@pytest.fixture
def unmatched(index: PatientIndex, origin: Callable[..., Origin]) -> Scene:
    """Matching is off: with it a merge begins once more when it knows its blocking keys, and seldom meets another."""
    return Scene(replace(index, mode=Mode.OFF), origin, index.domain.assigning_authorities)


@pytest.fixture
def apart(unmatched: Scene, origin: Callable[..., Origin]) -> Scene:
    """Marc and Lena, of whom a steward said that they are two people, and the records that theirs are merged into."""
    for id, who in (("HOSP:1", MARC), ("HOSP:2", ANNA), ("CLINIC:1", LENA), ("CLINIC:2", PAUL)):
        unmatched.feed(id, who=who)
    desk = Stewardship(index=unmatched.index)
    desk.declare(unmatched.id("HOSP:1"), unmatched.id("CLINIC:1"), origin("steward|eve"), same=False)
    return unmatched


def test_two_merges_at_once_keep_apart_what_a_steward_parted(
    apart: Scene, meanwhile: Meanwhile, database: Database
) -> None:
    first = meanwhile.before_the_end_of(apart.index, lambda: apart.merge("CLINIC:1", "CLINIC:2"))
    first.merge("HOSP:1", "HOSP:2")
    meanwhile.end()
    apart.link("HOSP:2", "CLINIC:2")
    assert apart.others("HOSP:2") == []
    assert is_as_its_log(database)


def test_a_merge_that_is_taken_back_during_another_keeps_apart_what_a_steward_parted(
    apart: Scene, origin: Callable[..., Origin], meanwhile: Meanwhile, database: Database
) -> None:
    apart.merge("HOSP:1", "HOSP:2")
    first = meanwhile.before_the_end_of(apart.index, lambda: apart.merge("CLINIC:1", "CLINIC:2"))
    Stewardship(index=first.index).unmerge(first.id("HOSP:1"), origin("steward|eve"))
    meanwhile.end()
    apart.link("HOSP:1", "CLINIC:2")
    assert apart.others("HOSP:1") == []
    assert is_as_its_log(database)


def test_an_id_that_is_changed_during_a_merge_keeps_apart_what_a_source_parted(
    unmatched: Scene, meanwhile: Meanwhile, database: Database
) -> None:
    for id, who in (("HOSP:1", MARC), ("CLINIC:1", LENA), ("CLINIC:2", PAUL)):
        unmatched.feed(id, who=who)
    unmatched.link("HOSP:9", "CLINIC:1")  # no feed has announced HOSP:9
    unmatched.unlink("HOSP:9", "CLINIC:1")
    first = meanwhile.before_the_end_of(unmatched.index, lambda: unmatched.merge("CLINIC:1", "CLINIC:2"))
    first.change("HOSP:1", "HOSP:9")
    meanwhile.end()
    assert decided(unmatched, database) == [(*sorted(unmatched.keys("HOSP:9", "CLINIC:2")), False)]
    assert is_as_its_log(database)


def decided(scene: Scene, database: Database) -> list[tuple[int, int, bool]]:
    rows = select(decision.c.low, decision.c.high, decision.c.same)
    return database.read(lambda connection: [(low, high, same) for low, high, same in connection.execute(rows)])


def test_a_question_about_two_records_that_are_merged_at_once_is_about_their_survivors(
    unmatched: Scene, meanwhile: Meanwhile
) -> None:
    unmatched.feed("HOSP:1", who=MARC)
    unmatched.feed("HOSP:2", who=PAUL)
    unmatched.feed("CLINIC:1", who=LENA, source="LIS|LABO")
    unmatched.feed("CLINIC:2", who=ANNA)
    unmatched.feed("HOSP:1", "CLINIC:1", who=MARC)
    assert unmatched.tasks() == ["collision: two people in one message"]
    first = meanwhile.before_the_end_of(unmatched.index, lambda: unmatched.merge("CLINIC:1", "CLINIC:2"))
    first.merge("HOSP:1", "HOSP:2")
    meanwhile.end()
    assert unmatched.tasks() == ["collision: two people in one message"]
    assert unmatched.task_records() == set(unmatched.keys("HOSP:2", "CLINIC:2"))


@pytest.mark.parametrize("mode", Mode)
def test_a_national_id_that_comes_back_with_its_record_links_whoever_is_fed_with_it_at_that_moment(
    scene: Scene, origin: Callable[..., Origin], meanwhile: Meanwhile, mode: Mode
) -> None:
    plain = Scene(replace(scene.index, mode=mode), origin, scene.index.domain.assigning_authorities)
    plain.feed("HOSP:1", f"NAT:{MATRICULE}")
    plain.feed("HOSP:2", f"NAT:{OTHER_MATRICULE}", who=MARC)
    plain.merge("HOSP:1", "HOSP:2")
    first = meanwhile.before_the_end_of(plain.index, lambda: plain.feed("CLINIC:1", f"NAT:{MATRICULE}"))
    Stewardship(index=first.index).unmerge(first.id("HOSP:1"), origin("steward|eve"))
    meanwhile.end()
    assert plain.others("HOSP:1") == ["CLINIC:1", f"NAT:{MATRICULE}"]
