"""A load is nothing but fast: every decision, explanation and row is that of the same records fed one by one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, select

from affinity.bulk.preparing import _packed, _unpacked
from affinity.bulk.reading import Batch, Sound, Unsound
from affinity.database import Database
from affinity.domain import load
from affinity.migrations import upgrade
from affinity.population.records import PopulationRecord, records
from ihe.errors import Rejected
from pix import gathering, linking, loading, newcomers
from pix.loading import Verdicts
from pix.manager import PatientIndex
from pix.matricule import complete
from pix.model import Feed, Identifier, IdentifierList, Origin
from pix.newcomers import Line
from pix.rendering import render
from pix.replay import digests, rebuild
from pix.tables import event

DOMAIN = load("demo").affinity_domain
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
Told = tuple[str, Feed]
"""Who feeds whom."""


def feed(told: PopulationRecord) -> Feed:
    return Feed(identifiers=told.identifiers, demographics=told.demographics)


def population(seed: int = 4, people: int = 180) -> list[Told]:
    """People, and some of their records once more: unchanged, moved, or with other names."""
    told = list(records(people, seed=seed))
    feeds = [(each.source, feed(each)) for each in told]
    for each, other in zip(told[::9], told[1::9], strict=False):
        moved = replace(each.demographics, addresses=other.demographics.addresses)
        renamed = replace(each.demographics, names=other.demographics.names)
        feeds += [(each.source, feed(each)), (each.source, replace(feed(each), demographics=moved))]
        feeds.append((each.source, replace(feed(each), demographics=renamed, identifier_list=IdentifierList.COMPLETE)))
    return feeds


def mixed(seed: int) -> list[Told]:
    """The same, shuffled; and crowds: many of one house, many with one number, several ids in one message."""
    random, told = Random(seed), population(seed, 120)
    (_, first), *_ = told
    house, number = first.demographics.addresses, complete("19800101123")
    national = next(each for each in DOMAIN.assigning_authorities if each.national)
    for at, (source, each) in enumerate(random.sample(told, 90)):
        own = replace(each.identifiers[0], id=f"C{at}")
        ids = (own, Identifier(authority=national, id=number)) if at % 3 else (own, replace(own, id=f"D{at}"))
        told.append((source, Feed(identifiers=ids, demographics=replace(each.demographics, addresses=house))))
    random.shuffle(told)
    return told


def entries(told: list[Told]) -> list[Line]:
    return [Line(origin(number, source), render(each)) for number, (source, each) in enumerate(told)]


def origin(number: int, source: str) -> Origin:
    return Origin(source=source, message_id=str(number), digest="", answer=b"", transaction="load")


@contextmanager
def index_in(place: Path, **changed: Any) -> Iterator[PatientIndex]:
    database = Database(f"sqlite:///{place}")
    upgrade(database.engine)
    try:
        yield PatientIndex(domain=DOMAIN, database=database, clock=lambda: NOON, **changed)
    finally:
        database.close()


def nothing(_connection: Connection, _verdicts: Verdicts) -> None:
    return None


Content = tuple[Mapping[str, str], list[tuple[object, ...]]]


def content(index: PatientIndex) -> Content:
    """Every row that follows from the log, and the log."""

    def log(connection: Connection) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.execute(select(event).order_by(event.c.number))]

    return index.database.read(digests), index.database.read(log)


def fed(place: Path, told: list[Told], **changed: Any) -> Content:
    with index_in(place, **changed) as index:
        for number, (source, each) in enumerate(told):
            with suppress(Rejected):
                index.register(each, origin(number, source))
        return content(index)


def loaded(place: Path, told: list[Told], size: int, **changed: Any) -> Content:
    with index_in(place, **changed) as index:
        for start in range(0, len(told), size):
            index.load(entries(told)[start : start + size], nothing)
        return content(index)


def test_a_population_is_decided_and_explained_as_if_fed(tmp_path: Path) -> None:
    told = population()
    plain = fed(tmp_path / "fed.db", told)
    assert {row[2] for row in plain[1]} >= {"announced", "updated", "matched", "linked", "task-opened"}
    assert loaded(tmp_path / "loaded.db", told, 150) == plain
    assert loaded(tmp_path / "one.db", told, 1000) == plain


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_the_order_and_the_crowd_a_load_decides_as_feeds_do(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read together, and how much of it, changes nothing either."""
    told = mixed(seed)
    for each in (linking, newcomers):
        monkeypatch.setattr(each, "LARGEST", 30)
    plain = fed(tmp_path / "fed.db", told)
    assert {row[2] for row in plain[1]} >= {"declared", "remarked", "tasks-closed"}
    assert any('"crowd"' in str(row[-1]) for row in plain[1])
    monkeypatch.setattr(loading, "TOGETHER", 40)
    assert loaded(tmp_path / "loaded.db", told, 170) == plain
    monkeypatch.setattr(gathering, "MOST", 10)
    assert loaded(tmp_path / "few.db", told, 90) == plain


def test_a_rebuild_finds_what_was_loaded(tmp_path: Path) -> None:
    with index_in(tmp_path / "loaded.db") as index:
        index.load(entries(population()), nothing)
        found = index.database.write(partial(rebuild, progress=lambda _count: None))
    assert found.differing == ()


def test_where_ids_are_judged_by_another_rule_nothing_is_taken_over(tmp_path: Path) -> None:
    told = population()[:60]
    other = {"is_national_id": lambda _id: False}
    assert loaded(tmp_path / "loaded.db", told, 30, **other) == fed(tmp_path / "fed.db", told, **other)


def test_a_refused_line_leaves_nothing_and_keeps_nobody_back(tmp_path: Path) -> None:
    """A national id belongs to somebody wholly different."""
    told = population()
    national = next(each for _, one in told for each in one.identifiers if each.authority.national)
    two = [(f"S|{n}", replace(each, identifiers=(national,))) for n, (_, each) in enumerate((told[0], unlike(told)))]
    verdicts: list[Verdicts] = []
    with index_in(tmp_path / "refused.db") as index:
        index.load(entries([*two, *told[:30]]), lambda _connection, found: verdicts.append(found))
        assert content(index) == fed(tmp_path / "fed.db", [*two, *told[:30]])
    assert [number for number, each in enumerate(verdicts[-1]) if each] == [1]


def unlike(told: list[Told]) -> Told:
    """Somebody whose birth date, sex and names are not those of the first."""
    first = told[0][1].demographics
    return next(
        each
        for each in told
        if each[1].demographics.sex != first.sex and each[1].demographics.birth_time and each[1].demographics.names
    )


def test_a_batch_is_the_same_in_the_other_process() -> None:
    lines = [Sound(number, source, render(each)) for number, (source, each) in enumerate(population()[:50])]
    batch = Batch((*lines[:20], Unsound(20, (("sex", "no sex"),)), *lines[21:]), 10, 50)
    assert _unpacked(_packed(batch)) == batch


def test_a_patient_is_the_feed_that_it_was_made_of() -> None:
    for _, each in population():
        again = render(each).feed(DOMAIN)
        assert again == each
