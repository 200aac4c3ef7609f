"""Messages that share a transaction on PostgreSQL end as they would one by one, and lock whatever each would lock."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select, text

from affinity import shared_commits
from affinity.database import Database
from affinity.shared_commits import SharedCommits
from ihe.errors import Rejected
from pix.claims import own_identifiers
from pix.common_locks import CommonLocks
from pix.locks import Locks
from pix.manager import PatientIndex
from pix.matching.blocking import lookup_keys
from pix.matching.subject import subject
from pix.model import Feed
from pix.rendering import render
from pix.tables import blocking, event, link, match, national, receipt, record, task, wordlist
from tests.affinity.bulk.test_bulk_rendering import DOMAIN, NOON, index_in, mixed, population
from tests.pix.test_pix_arrivals import Message, Order, announced, origin, sent, stream, told

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
Content = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def index(database: Database) -> PatientIndex:
    return PatientIndex(domain=DOMAIN, database=database, clock=lambda: NOON)


def held_back(database: Database) -> SharedCommits:
    assert database._servers is not None
    return database._servers._together


def at_once(index: PatientIndex, some: Sequence[Message]) -> list[bytes | Rejected]:
    """Let all wait for the same turn, in this order."""
    database = index.database
    assert isinstance(database, Database)
    commits = held_back(database)
    with ThreadPoolExecutor(len(some) + 1) as pool:
        while not commits._admitted():
            pass
        futures = []
        for place, each in enumerate(some):
            futures.append(pool.submit(sent, index, each))
            while commits.waiting + sum(each.done() for each in futures) <= place:
                pass
        commits._pass_on()
        return [each.result() for each in futures]


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_commits, "AT_ONCE", 1)


def content(index: PatientIndex) -> Content:
    """What is stored, by ids instead of keys and numbers, which others may have taken in between."""
    return index.database.read(_content)


def _content(connection: Connection) -> Content:
    ids = {row.key: f"{row.authority}|{row.id}" for row in connection.execute(select(record))}
    homes = {row.record: row.person for row in connection.execute(select(link).where(link.c.ended_by.is_(None)))}
    persons: dict[int, list[str]] = {}
    for key, person in homes.items():
        persons.setdefault(person, []).append(ids[key])

    def rows(table: Any, *columns: Any, keys: tuple[Any, ...] = ()) -> list[tuple[object, ...]]:
        found = connection.execute(select(*keys, *columns).select_from(table))
        return sorted(
            ((*sorted(str(ids.get(each)) for each in row[: len(keys)]), *row[len(keys) :]) for row in found), key=repr
        )

    return {
        "persons": sorted(tuple(sorted(each)) for each in persons.values()),
        "records": rows(record, record.c.demographics, record.c.updated, record.c.source, keys=(record.c.key,)),
        "nationals": rows(national, national.c.id, national.c.valid, keys=(national.c.record,)),
        "blocking": rows(blocking, blocking.c.key, keys=(blocking.c.record,)),
        "words": rows(wordlist, wordlist.c.words, keys=(wordlist.c.record,)),
        "matches": rows(match, match.c.outcome, match.c.weight, match.c.reason, keys=(match.c.low, match.c.high)),
        "tasks": rows(task, task.c.kind, task.c.reason, task.c.closed_by.is_(None), keys=(task.c.low, task.c.high)),
        "events": rows(event, event.c.type, event.c.message_id, event.c.reason, keys=(event.c.record,)),
        "receipts": rows(receipt, *(each for each in receipt.columns if each is not receipt.c.at)),
    }


@pytest.mark.usefixtures("one_at_a_time")
@pytest.mark.parametrize("seed", [11, 12])
def test_a_group_ends_as_its_messages_do_one_by_one(
    index: PatientIndex, tmp_path: Path, seed: int, counted: list[int]
) -> None:
    """Those that are not registered together run at the same time; locks say in which order they take effect."""
    random, messages = Random(seed), [each for each in stream(seed) if isinstance(each[1], Feed)][:250]
    with index_in(tmp_path / "alone.db") as alone:
        while messages:
            size = random.randint(1, shared_commits.GROUP)
            some, messages = messages[:size], messages[size:]
            order = Order()
            verdicts = at_once(replace(index, follow=order.follow), some)
            places = {number: place for place, number in enumerate(order.numbers)}
            turns = sorted(range(len(some)), key=lambda each: places.get(id(some[each][0]), len(some)))
            said = {each: sent(alone, some[each]) for each in turns}
            assert [told(each) for each in verdicts] == [told(said[each]) for each in range(len(some))]
            assert content(index) == content(alone)
    assert sum(counted) > 50


@pytest.mark.usefixtures("one_at_a_time")
def test_most_of_a_group_of_new_patients_are_registered_together(index: PatientIndex, counted: list[int]) -> None:
    at_once(index, announced(population()[:10]))
    assert counted == [10]


@pytest.mark.usefixtures("one_at_a_time")
def test_one_new_person_of_several_sources_at_once_is_one_person(index: PatientIndex, counted: list[int]) -> None:
    [(_, who), *_] = population()
    some = [replace(who, identifiers=(replace(who.identifiers[0], id=f"N{each}"),)) for each in range(6)]
    assert set(map(type, at_once(index, announced([(f"S|{at}", each) for at, each in enumerate(some)])))) == {bytes}
    assert len(content(index)["persons"]) == 1
    assert counted == [6]


@pytest.mark.usefixtures("one_at_a_time")
def test_a_message_that_is_sent_twice_at_once_is_applied_once(index: PatientIndex) -> None:
    [first, second, *_] = announced(population())
    again = (replace(first[0], answer=b"again"), first[1])
    assert at_once(index, [first, second, again]) == [b"0", b"1", b"0"]
    assert [row for row in content(index)["events"] if "updated" in row] == []


def test_numbers_that_another_node_takes_meanwhile_are_left_to_it(index: PatientIndex, counted: list[int]) -> None:
    """Keys and events of two nodes at work lie between one another."""
    database = index.database
    assert isinstance(database, Database)
    other = replace(index, database=Database(database.engine.url))
    people = announced(population(people=120))
    news = [each for each in people if isinstance(each[1], Feed)]
    parts = [news[::2], news[1::2]]
    try:
        with ThreadPoolExecutor(24) as pool:
            nodes = zip((index, other), parts, strict=True)
            answers = [pool.submit(sent, node, each) for node, some in nodes for each in some]
            assert {type(each.result()) for each in answers} == {bytes}
    finally:
        assert isinstance(other.database, Database)
        other.database.close()
    assert sum(counted) > 10
    kept = content(index)
    assert len(kept["receipts"]) == len(news)
    assert len(kept["records"]) == len({feed.identifiers[0] for _, feed in news if isinstance(feed, Feed)})
    assert sum(len(each) for each in kept["persons"]) == len(kept["records"])


def names_alone(connection: Connection, feed: Feed) -> set[Any]:
    """What the first attempt of a message locks that is registered by itself."""
    nationals = [each.key for each in feed.identifiers if each.authority.national]
    early = frozenset(lookup_keys(subject(feed.demographics, nationals)))
    return Locks(connection, feed.identifiers, lambda: early)._held


@pytest.mark.parametrize("seed", [1, 2])
def test_a_group_locks_whatever_its_messages_would_lock_one_by_one(index: PatientIndex, seed: int) -> None:
    people = [each for each in mixed(seed) if len(each[1].identifiers) > 0]
    known, new = people[:150], people[150:]
    for number, (source, each) in enumerate(known):
        with suppress(Rejected):
            index.register(each, origin(number, source))
    some = [each for _, each in new if len(own_identifiers(each.identifiers)) == 1][:24]
    assert len(some) > 10

    def held(connection: Connection) -> tuple[set[Any], list[set[Any]]]:
        return CommonLocks(connection, list(map(render, some)), index.matching)._held, [
            names_alone(connection, each) for each in some
        ]

    together, alone = index.database.write(held)
    assert all(each <= together for each in alone)
    assert any(any(str(name).isdigit() for name in each) for each in alone), "some would be compared with others"


def test_who_waits_for_a_group_sees_whom_it_registered(index: PatientIndex, counted: list[int]) -> None:
    """A message beside the group that is about one of its people waits for the group's commit, and joins them."""
    [(source, who), *rest] = population()
    inside, beside = threading.Event(), threading.Event()

    def follow(_index: PatientIndex, changes: Sequence[Any]) -> None:
        if len(changes) > 1:
            inside.set()
            assert _waits(index, beside)

    grouped = replace(index, follow=follow)
    same = replace(who, identifiers=(replace(who.identifiers[0], id="SAME"),))
    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_commits, "AT_ONCE", 1)
        group = pool.submit(at_once, grouped, announced([(source, who), *rest[:3]]))
        assert inside.wait(60)
        other = pool.submit(index.register, same, origin(99, "B|B"))
        beside.set()
        assert {type(each) for each in group.result()} == {bytes}
        assert other.result() == b"99"
    [home] = [each for each in content(index)["persons"] if any(str(id).endswith("|SAME") for id in each)]
    assert len(home) == 2


def _waits(index: PatientIndex, beside: threading.Event) -> bool:
    """Wait until somebody waits for an advisory lock."""
    assert beside.wait(60)
    database = index.database
    assert isinstance(database, Database)
    engine = create_engine(database.engine.url, isolation_level="AUTOCOMMIT")
    waits, deadline = False, time.monotonic() + 60
    with engine.connect() as connection:
        while not waits and time.monotonic() < deadline:
            waits = connection.execute(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")).scalar_one()
    engine.dispose()
    return waits
