"""What a second process works out changes nothing: every decision, explanation and row is that of the plain way."""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from affinity.bulk.preparing import _rendered
from affinity.bulk.reading import Batch, Sound
from affinity.database import Database
from affinity.domain import load
from affinity.migrations import upgrade
from affinity.population.records import PopulationRecord, records
from pix.loading import Entry, Verdicts
from pix.manager import PatientIndex
from pix.model import Feed, IdentifierList, Origin
from pix.rendering import render
from pix.replay import digests, rebuild
from pix.tables import event

DOMAIN = load("demo").affinity_domain
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
BATCH = 150
ORIGIN = {"source": "S|1", "message_id": "1", "digest": "", "answer": b"", "transaction": "load"}


def feed(told: PopulationRecord) -> Feed:
    return Feed(identifiers=told.identifiers, demographics=told.demographics)


def entries(*, ahead: bool) -> list[Entry]:
    """People of one population, and some of their records once more: unchanged, moved, or with other names."""
    told = list(records(180, seed=4))
    feeds = [(each.source, feed(each)) for each in told]
    for each, other in zip(told[::9], told[1::9], strict=False):
        moved = replace(each.demographics, addresses=other.demographics.addresses)
        renamed = replace(each.demographics, names=other.demographics.names)
        feeds += [(each.source, feed(each)), (each.source, replace(feed(each), demographics=moved))]
        feeds.append((each.source, replace(feed(each), demographics=renamed, identifier_list=IdentifierList.COMPLETE)))
    rendered = (render(each) if ahead else None for _, each in feeds)
    return [
        (each, Origin(source=source, message_id=str(number), digest="", answer=b"", transaction="load"), worked_out)
        for number, ((source, each), worked_out) in enumerate(zip(feeds, rendered, strict=True))
    ]


@contextmanager
def index_in(place: Path) -> Iterator[PatientIndex]:
    database = Database(f"sqlite:///{place}")
    upgrade(database.engine)
    try:
        yield PatientIndex(domain=DOMAIN, database=database, clock=lambda: NOON)
    finally:
        database.close()


def nothing(_connection: Connection, _verdicts: Verdicts) -> None:
    return None


def log(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(select(event).order_by(event.c.number))]


def loaded(place: Path, told: list[Entry], size: int) -> tuple[Mapping[str, str], list[tuple[object, ...]]]:
    with index_in(place) as index:
        for start in range(0, len(told), size):
            index.load(told[start : start + size], nothing)
        return index.database.read(digests), index.database.read(log)


def test_a_population_worked_out_ahead_is_decided_and_explained_alike(tmp_path: Path) -> None:
    plain = loaded(tmp_path / "plain.db", entries(ahead=False), 1)
    ahead = loaded(tmp_path / "ahead.db", entries(ahead=True), BATCH)
    assert {row[2] for row in plain[1]} >= {"announced", "updated", "matched", "linked", "task-opened"}
    assert ahead == plain


def test_a_rebuild_finds_what_was_loaded(tmp_path: Path) -> None:
    loaded(tmp_path / "ahead.db", entries(ahead=True)[:BATCH], BATCH)
    with index_in(tmp_path / "ahead.db") as index:
        found = index.database.write(partial(rebuild, progress=lambda _count: None))
    assert found.differing == ()


def test_a_hint_about_other_ids_is_not_used(tmp_path: Path) -> None:
    """The digits of its national ids were judged by another rule than the index has."""
    told = entries(ahead=False)[:60]
    wrong = [(each, origin, render(each, lambda _id: False)) for each, origin, _ in told]
    assert loaded(tmp_path / "wrong.db", wrong, BATCH) == loaded(tmp_path / "plain.db", told, BATCH)


def test_after_a_refused_feed_what_was_loaded_is_whole(tmp_path: Path) -> None:
    """A national id belongs to somebody wholly different; the batch is begun again, each feed in a savepoint."""
    told = entries(ahead=True)
    national = next(each for told_of, _, _ in told for each in told_of.identifiers if each.authority.national)
    two = [replace(each, identifiers=(national,)) for each, _, _ in (told[0], unlike(told))]
    refused = [(each, Origin(**{**ORIGIN, "source": f"S|{n}"}), render(each)) for n, each in enumerate(two)]
    verdicts: list[Verdicts] = []
    with index_in(tmp_path / "refused.db") as index:
        index.load([*refused, *told[:30]], lambda _connection, found: verdicts.append(found))
        assert index.database.write(partial(rebuild, progress=lambda _count: None)).differing == ()
    assert [number for number, each in enumerate(verdicts[-1]) if each] == [1]


def unlike(told: list[Entry]) -> Entry:
    """Somebody whose birth date, sex and names are not those of the first."""
    first = told[0][0].demographics
    return next(
        each
        for each in told
        if each[0].demographics.sex != first.sex and each[0].demographics.birth_time and each[0].demographics.names
    )


def test_a_line_is_sent_with_all_that_was_worked_out(tmp_path: Path) -> None:
    sound = Sound(2, "HIS|HOP", entries(ahead=False)[0][0])
    portable = replace(sound, feed=replace(sound.feed, identifiers=()))
    (sent,) = pickle.loads(pickle.dumps(_rendered(Batch((portable,), 10, 2)))).lines
    assert sent.rendering == render(portable.feed)
