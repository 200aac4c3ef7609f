"""On PostgreSQL feeds go on beside a rematch and a dry run, and what comes of it is one truth; drawing a sample."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from affinity import rematches
from affinity.database import Database
from pix import rematching, tuning
from pix.manager import PatientIndex
from pix.matching.mode import Mode
from pix.model import Address, Demographics, Origin, Telecom
from pix.replay import rebuild
from tests.pix.scene import ANNA, Scene, person


def at_home(number: int, given: str = "Anna") -> Demographics:
    return replace(
        person(given, f"Weber{'abcdefghij'[number]}", f"198005{10 + number}"),
        addresses=(Address(street=f"{number}, rue de la Gare", city="Exempelduerf", postal_code=f"L-{1000 + number}"),),
        home_phones=(Telecom(number=f"+352 621 000 {100 + number}"),),
    )


@pytest.fixture
def unmatched(index: PatientIndex, origin: Callable[..., Origin]) -> Scene:
    """Five people, each twice, fed while matching was off."""
    off = Scene(replace(index, mode=Mode.OFF), origin, index.domain.assigning_authorities)
    for number in range(5):
        off.feed(f"HOSP:{number}", who=at_home(number))
        off.feed(f"CLINIC:{number}", who=at_home(number))
    return Scene(index, origin, index.domain.assigning_authorities)


def on_postgresql_alone(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer; a server must not run beside a rematch")


def test_a_feed_does_not_wait_for_a_dry_run(unmatched: Scene, database: Database) -> None:
    on_postgresql_alone(database)

    fed: list[int] = []

    def feed_meanwhile(done: int) -> None:
        if done == 30 and not fed:
            unmatched.feed("LAB:1", who=at_home(1), source="LIS|LABO")
            unmatched.feed("HOSP:0", who=at_home(0))
            fed.append(done)

    assert rematches.dry_run(unmatched.index, feed_meanwhile).effects.joined == 5
    assert fed == [30]
    assert unmatched.others("LAB:1") == [], "it was stored, and is as much like two records that nothing joined yet"
    assert unmatched.others("HOSP:2") == []


def test_feeds_beside_a_rematch_leave_one_truth(
    unmatched: Scene, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_postgresql_alone(database)
    monkeypatch.setattr(rematching, "PIECE", 2)
    failures: list[BaseException] = []

    def feed() -> None:
        try:
            for turn in range(20):
                unmatched.feed(f"HOSP:{turn % 5}", who=at_home(turn % 5, "Anna" if turn % 2 else "Anne"))
        except BaseException as error:
            failures.append(error)

    feeding = threading.Thread(target=feed)
    feeding.start()
    rematches.run(unmatched.index, tmp_path, "operator|eve", lambda reached: None)
    feeding.join()
    rematches.run(unmatched.index, tmp_path, "operator|eve", lambda reached: None)
    assert failures == []
    assert all(unmatched.others(f"HOSP:{number}") == [f"CLINIC:{number}"] for number in range(5))
    assert database.write(lambda connection: rebuild(connection, lambda _: None)).differing == ()


def test_pairs_are_drawn_by_blocking_and_the_same_again(
    unmatched: Scene, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "LEAST", 5)
    drawn, again = (tuning.draw(database, 100, 7, lambda reached: None) for _ in range(2))
    assert drawn == again
    assert {tuple(unmatched.keys(f"HOSP:{n}", f"CLINIC:{n}")) for n in range(5)} <= set(drawn.keys)
    assert len(drawn.records) == 10
    proposed = tuning.propose(drawn, unmatched.index.matching, "site")
    assert proposed.configuration.version == "site"
    assert sum(proposed.changes.counts.values()) == len(drawn.pairs)


def test_too_little_is_not_learnt_from(scene: Scene, database: Database) -> None:
    scene.feed("HOSP:1", who=ANNA)
    with pytest.raises(tuning.TooFew, match="only 0 pairs"):
        tuning.draw(database, 100, 7, lambda reached: None)
