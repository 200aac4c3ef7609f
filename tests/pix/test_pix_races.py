"""Feeds at the same time: one person, one application of a message sent twice, one winner of a merge."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import func, select

from ihe.domain import AssigningAuthority
from ihe.errors import Rejected
from pix.manager import PatientIndex
from pix.matricule import complete
from pix.model import Demographics, Feed, Identifier, Merge, Origin, PersonName
from pix.tables import event, link

ANNA = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515")
THREADS = 8


def at_once(works: Iterable[Callable[[], object]]) -> list[object]:
    """Run all in threads; the results, exceptions included."""
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(work) for work in works]
        return [future.exception() or future.result() for future in futures]


def feeding(index: PatientIndex, origin: Origin, *identifiers: Identifier) -> Callable[[], bytes]:
    return lambda: index.register(Feed(identifiers=identifiers, demographics=ANNA), origin)


def persons(index: PatientIndex) -> int:
    active = select(func.count(link.c.person.distinct())).where(link.c.ended_by.is_(None))
    return index.database.read(lambda connection: connection.execute(active).scalar_one())


@pytest.fixture
def matricules(national: AssigningAuthority) -> list[Identifier]:
    return [Identifier(authority=national, id=complete(f"19800515{number:03}")) for number in range(20)]


def test_new_people_from_four_sources_at_once_are_not_doubled(
    index: PatientIndex,
    origin: Callable[..., Origin],
    matricules: list[Identifier],
    hospital: AssigningAuthority,
    clinic: AssigningAuthority,
) -> None:
    sources = [(hospital, "a"), (hospital, "b"), (clinic, "a"), (clinic, "b")]
    outcomes = at_once(
        feeding(index, origin(), Identifier(authority=authority, id=f"{letter}{number}"), each)
        for number, each in enumerate(matricules)
        for authority, letter in sources
    )
    assert set(outcomes) == {b"AA"}
    assert persons(index) == len(matricules)


def test_the_same_new_id_at_once_is_one_record(
    index: PatientIndex, origin: Callable[..., Origin], hospital: AssigningAuthority
) -> None:
    outcomes = at_once(feeding(index, origin(), Identifier(authority=hospital, id="1")) for _ in range(THREADS))
    assert set(outcomes) == {b"AA"}
    assert persons(index) == 1


def test_the_same_message_at_once_is_applied_once(index: PatientIndex, hospital: AssigningAuthority) -> None:
    def sent(number: int) -> Origin:
        answer = f"answer {number}".encode()
        return Origin(source="HIS|HOSP", message_id="1", digest="d", answer=answer, transaction="test")

    outcomes = at_once(feeding(index, sent(number), Identifier(authority=hospital, id="1")) for number in range(8))
    assert len(set(outcomes)) == 1
    announced = select(func.count()).where(event.c.type.in_(["announced", "updated"]))
    assert index.database.read(lambda connection: connection.execute(announced).scalar_one()) == 1


def test_merges_at_once_in_both_directions_leave_one_survivor(
    index: PatientIndex, origin: Callable[..., Origin], hospital: AssigningAuthority
) -> None:
    one, other = (Identifier(authority=hospital, id=id) for id in "12")
    for each in (one, other):
        feeding(index, origin(), each)()
    outcomes = at_once(
        partial(index.merge, (Merge(surviving=surviving, subsumed=subsumed),), origin())
        for surviving, subsumed in ((one, other), (other, one))
    )
    assert sorted(isinstance(outcome, Rejected) for outcome in outcomes) == [False, True]
    assert sorted(index.corresponding(each) is None for each in (one, other)) == [False, True]


def test_national_ids_that_change_at_once_end_in_consistent_persons(
    index: PatientIndex, origin: Callable[..., Origin], matricules: list[Identifier], hospital: AssigningAuthority
) -> None:
    records = [Identifier(authority=hospital, id=str(number)) for number in range(6)]
    outcomes = at_once(
        feeding(index, origin(), record, matricules[(number + turn) % 3])
        for turn in range(4)
        for number, record in enumerate(records)
    )
    assert set(outcomes) == {b"AA"}
    for record in records:
        mine = {each.id for each in index.corresponding(record) or () if each.authority.national}
        assert len(mine) == 1
