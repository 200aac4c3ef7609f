"""Messages that share a commit: each ends in the verdict and the rows that it would have alone, in its turn."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from affinity import group_writer
from affinity.database import Database
from ihe.errors import Rejected
from pix.journal import Change
from pix.manager import PatientIndex
from pix.model import Feed, Merge, Origin
from pix.tables import link, receipt, record
from tests.affinity.bulk.test_bulk_rendering import Told, content, index_in, mixed, population

LONGEST = 12
Message = tuple[Origin, Feed | Merge]


@dataclass
class Order:
    """In which order messages took effect, each the last time that it was tried."""

    numbers: dict[int, None] = field(default_factory=dict)

    def follow(self, _index: PatientIndex, changes: Sequence[Change]) -> None:
        for each in changes:
            self.numbers.pop(id(each.origin), None)
            self.numbers[id(each.origin)] = None


def sent(index: PatientIndex, message: Message) -> bytes | Rejected:
    origin, told = message
    try:
        return index.merge((told,), origin) if isinstance(told, Merge) else index.register(told, origin)
    except Rejected as rejected:
        return rejected


def at_once(database: Database, works: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
    """Let all wait for one commit, in this order."""
    held, release = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        held.set()
        release.wait(60)

    with ThreadPoolExecutor(len(works) + 1) as pool:
        pool.submit(database.write, hold)
        held.wait(60)
        futures = []
        for place, each in enumerate(works):
            futures.append(pool.submit(each))
            while database.waiting < place and not futures[-1].done():  # the first is in the hands of the thread
                pass
        release.set()
    return futures


def waiting_together(index: PatientIndex, some: Sequence[Message]) -> list[bytes | Rejected]:
    database = index.database
    assert isinstance(database, Database)
    return [each.result() for each in at_once(database, [lambda each=each: sent(index, each) for each in some])]


def stream(seed: int) -> list[Message]:
    """Announcements, most of them of somebody new, updates, messages sent twice, ids used twice, and merges."""
    random, told = Random(seed), mixed(seed)
    messages: list[Message] = []
    for number, (source, each) in enumerate(told):
        messages.append((origin(number, source), replace(each, announces=random.random() < 0.9, sent=f"PID|{number}")))
        if random.random() < 0.1:
            before, again = random.choice(messages[-LONGEST:])
            messages.append((replace(before, digest=random.choice((before.digest, "other")), answer=b"again"), again))
        if random.random() < 0.05:
            one, other = (random.choice(told[: number + 1])[1].identifiers[0] for _ in range(2))
            messages.append((origin(len(told) + number, source), Merge(surviving=one, subsumed=other)))
    return messages


def origin(number: int, source: str) -> Origin:
    return Origin(source=source, message_id=str(number), digest="one", answer=b"%d" % number, transaction="ITI-30 A28")


def receipts_of(index: PatientIndex) -> list[tuple[object, ...]]:
    kept = select(receipt).order_by(receipt.c.source, receipt.c.message_id)
    return index.database.read(lambda connection: [tuple(row) for row in connection.execute(kept)])


@pytest.mark.parametrize("seed", [11, 12])
def test_a_group_ends_as_its_messages_do_one_by_one(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_writer, "CAREFUL", 2)
    random, messages, verdicts, in_turn = Random(seed), stream(seed)[:250], [], []
    with index_in(tmp_path / "together.db") as index, index_in(tmp_path / "alone.db") as alone:
        while messages:
            size = random.randint(1, LONGEST)
            some, messages = messages[:size], messages[size:]
            order = Order()
            verdicts += waiting_together(replace(index, follow=order.follow), some)
            places = {number: place for place, number in enumerate(order.numbers)}
            turns = sorted(range(len(some)), key=lambda each: places.get(id(some[each][0]), len(some)))
            said = {each: sent(alone, some[each]) for each in turns}
            in_turn += [said[each] for each in range(len(some))]
        assert [told(each) for each in verdicts] == [told(each) for each in in_turn]
        assert content(index) == content(alone)
        assert receipts_of(index) == receipts_of(alone)
    assert {type(each) for each in verdicts} == {bytes, Rejected}


def told(verdict: bytes | Rejected) -> object:
    return verdict if isinstance(verdict, bytes) else verdict.breaches


def test_most_of_a_group_of_new_patients_are_registered_together(tmp_path: Path, counted: list[int]) -> None:
    with index_in(tmp_path / "a.db") as index:
        waiting_together(index, announced(population()[:10]))
    assert counted == [10]


def announced(some: Sequence[Told]) -> list[Message]:
    return [(origin(number, source), replace(each, announces=True)) for number, (source, each) in enumerate(some)]


def test_one_new_person_of_several_sources_at_once_is_one_person(tmp_path: Path) -> None:
    [(_, who), *_] = population()
    some = [replace(who, identifiers=(replace(who.identifiers[0], id=f"N{each}"),)) for each in range(6)]
    with index_in(tmp_path / "a.db") as index:
        waiting_together(index, announced([(f"S|{at}", each) for at, each in enumerate(some)]))
        persons = select(func.count(link.c.person.distinct())).where(link.c.ended_by.is_(None))
        assert index.database.read(lambda connection: connection.execute(persons).scalar_one()) == 1


def test_a_message_that_is_sent_twice_at_once_is_applied_once(tmp_path: Path) -> None:
    [first, second, *_] = announced(population())
    again = (replace(first[0], answer=b"again"), first[1])
    with index_in(tmp_path / "a.db") as index:
        assert waiting_together(index, [first, second, again]) == [b"0", b"1", b"0"]
        assert [row for row in content(index)[1] if row[2] == "updated"] == []


@dataclass(frozen=True)
class Failing:
    """A database where the record of one message's change cannot be written."""

    database: Database
    thread: str

    def read(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.read(work)

    def write(self, work: Callable[[Connection], Any]) -> Any:
        fails = threading.current_thread().name == self.thread

        def audited(connection: Connection) -> Any:
            result = work(connection)
            if fails:
                raise ValueError("no record")
            return result

        return self.database.write(audited)


def test_who_fails_after_all_were_registered_fails_alone_and_leaves_nothing(tmp_path: Path, counted: list[int]) -> None:
    messages = announced(population()[:5])

    def named(each: int) -> bytes | Rejected:
        threading.current_thread().name = str(each)
        return sent(failing, messages[each])

    with index_in(tmp_path / "a.db") as index:
        database = index.database
        assert isinstance(database, Database)
        failing = replace(index, database=Failing(database, "2"))
        futures = at_once(database, [lambda each=each: named(each) for each in range(5)])
        assert [each for each, future in enumerate(futures) if future.exception()] == [2]
        assert counted == [5, 5]  # at first, and again with care; then each is on its own
        assert len(receipts_of(index)) == 4
        ids = index.database.read(lambda connection: set(connection.scalars(select(record.c.id))))
        assert ids == {feed.identifiers[0].id for _, feed in messages if isinstance(feed, Feed)} - {
            told.identifiers[0].id for _, told in messages[2:3] if isinstance(told, Feed)
        }
        assert sent(index, messages[2]) == b"2"
        assert len(receipts_of(index)) == 5
