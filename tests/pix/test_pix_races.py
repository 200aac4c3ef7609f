"""Feeds at the same time: one person, one application of a message sent twice, one winner of a merge."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Select, func, select

from ihe.domain import AssigningAuthority
from ihe.errors import Rejected
from pix.manager import PatientIndex
from pix.matricule import complete
from pix.model import Address, Demographics, Feed, Identifier, Merge, Origin, PersonName, Telecom
from pix.tables import event, link, record

ANNA = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515")
THREADS = 8


def at_once(works: Iterable[Callable[[], object]]) -> list[object]:
    """Run all in threads; the results, exceptions included."""
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(work) for work in works]
        return [future.exception() or future.result() for future in futures]


def feeding(
    index: PatientIndex, origin: Origin, *identifiers: Identifier, who: Demographics = ANNA, announces: bool = False
) -> Callable[[], bytes]:
    return lambda: index.register(Feed(identifiers=identifiers, demographics=who, announces=announces), origin)


either_event = pytest.mark.parametrize("announces", [False, True], ids=["A31", "A28"])
"""Messages that announce somebody share a transaction with others that wait, on either engine."""


def neighbour(number: int) -> Demographics:
    """One of many people, no two of whom are alike, each with a telephone of her own."""
    given = ("Berta", "Claudine", "Dorothée", "Emilie", "Francesca")[number % 5]
    family = ("Hoffmann", "Kieffer", "Schroeder", "Wagener")[number // 5]
    return Demographics(
        names=(PersonName(family=family, given=given),),
        birth_time=f"19{60 + number}0{1 + number % 9}1{number % 9}",
        sex="F",
        home_phones=(Telecom(number=f"+352 621 {number:03}{number:03}"),),
        addresses=(Address(street=f"{number + 1}, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),),
    )


def persons(index: PatientIndex) -> int:
    active = select(func.count(link.c.person.distinct())).where(link.c.ended_by.is_(None))
    return index.database.read(lambda connection: connection.execute(active).scalar_one())


@pytest.fixture
def matricules(national: AssigningAuthority) -> list[Identifier]:
    return [Identifier(authority=national, id=complete(f"19800515{number:03}")) for number in range(20)]


@either_event
def test_new_people_from_four_sources_at_once_are_not_doubled(
    index: PatientIndex,
    origin: Callable[..., Origin],
    matricules: list[Identifier],
    hospital: AssigningAuthority,
    clinic: AssigningAuthority,
    announces: bool,
) -> None:
    sources = [(hospital, "a"), (hospital, "b"), (clinic, "a"), (clinic, "b")]
    outcomes = at_once(
        feeding(index, origin(), Identifier(authority=authority, id=f"{letter}{number}"), each, announces=announces)
        for number, each in enumerate(matricules)
        for authority, letter in sources
    )
    assert set(outcomes) == {b"AA"}
    assert persons(index) == len(matricules)


@either_event
def test_new_people_without_any_common_id_are_not_doubled_either(
    index: PatientIndex,
    origin: Callable[..., Origin],
    hospital: AssigningAuthority,
    clinic: AssigningAuthority,
    announces: bool,
) -> None:
    sources = [(hospital, "a"), (hospital, "b"), (clinic, "a"), (clinic, "b")]
    outcomes = at_once(
        feeding(
            index,
            origin(),
            Identifier(authority=authority, id=f"{letter}{number}"),
            who=neighbour(number),
            announces=announces,
        )
        for number in range(20)
        for authority, letter in sources
    )
    assert set(outcomes) == {b"AA"}
    assert persons(index) == 20


@either_event
def test_the_same_new_id_at_once_is_one_record(
    index: PatientIndex, origin: Callable[..., Origin], hospital: AssigningAuthority, announces: bool
) -> None:
    outcomes = at_once(
        feeding(index, origin(), Identifier(authority=hospital, id="1"), announces=announces) for _ in range(THREADS)
    )
    assert set(outcomes) == {b"AA"}
    assert persons(index) == 1


@either_event
def test_the_same_message_at_once_is_applied_once(
    index: PatientIndex, hospital: AssigningAuthority, announces: bool
) -> None:
    def sent(number: int) -> Origin:
        answer = f"answer {number}".encode()
        return Origin(source="HIS|HOSP", message_id="1", digest="d", answer=answer, transaction="test")

    outcomes = at_once(
        feeding(index, sent(number), Identifier(authority=hospital, id="1"), announces=announces) for number in range(8)
    )
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
        feeding(index, origin(), patient, matricules[(number + turn) % 3])
        for turn in range(4)
        for number, patient in enumerate(records)
    )
    assert set(outcomes) == {b"AA"}
    for patient in records:
        mine = {each.id for each in index.corresponding(patient) or () if each.authority.national}
        assert len(mine) == 1


def test_feeds_and_merges_of_a_chain_at_once_lose_no_acknowledged_feed_and_leave_no_link_to_the_subsumed(
    index: PatientIndex, origin: Callable[..., Origin], hospital: AssigningAuthority
) -> None:
    for turn in range(4):
        chain = [Identifier(authority=hospital, id=f"{turn}-{letter}") for letter in "abc"]
        for each in chain:
            feeding(index, origin(), each)()
        origins = [origin() for _ in range(6)]
        feeds = [feeding(index, each, chain[number % 3]) for number, each in enumerate(origins)]
        merges = [
            partial(index.merge, (Merge(surviving=surviving, subsumed=subsumed),), origin())
            for subsumed, surviving in pairwise(chain)
        ]
        outcomes = at_once([*feeds[:3], *merges, *feeds[3:]])
        accepted = {
            each.message_id
            for each, outcome in zip(origins, outcomes[:3] + outcomes[5:], strict=True)
            if outcome == b"AA"
        }
        assert accepted <= set(values(index, select(event.c.message_id).where(event.c.type == "updated")))
    gone = set(values(index, select(record.c.key).where(record.c.survivor.is_not(None))))
    assert gone
    assert not gone & set(values(index, select(record.c.survivor).where(record.c.survivor.is_not(None))))
    assert not gone & set(values(index, select(link.c.record).where(link.c.ended_by.is_(None))))


def test_a_number_of_two_people_sent_at_once_never_links_them(
    index: PatientIndex, origin: Callable[..., Origin], matricules: list[Identifier], hospital: AssigningAuthority
) -> None:
    marc = Demographics(names=(PersonName(family="Thill", given="Marc"),), birth_time="19500101")
    people = [(number, ANNA if number % 2 else marc) for number in range(12)]
    outcomes = at_once(
        partial(
            index.register,
            Feed(identifiers=(Identifier(authority=hospital, id=str(number)), matricules[0]), demographics=who),
            origin(),
        )
        for number, who in people
    )
    assert set(outcomes) == {b"AA"}
    for number, who in people:
        others = index.corresponding(Identifier(authority=hospital, id=str(number))) or ()
        assert all((int(each.id) % 2 == 1) == (who is ANNA) for each in others if each.authority == hospital)


def values(index: PatientIndex, statement: Select[tuple[Any]]) -> list[Any]:
    return index.database.read(lambda connection: list(connection.scalars(statement)))
