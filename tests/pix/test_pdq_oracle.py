"""A search finds whom a plain look at every patient finds; pages together are the whole; no search is endless."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from affinity.database import Database
from hl7v2.message import Message
from ihe.errors import HL7ErrorCode, Rejected
from pix import searching
from pix.folding import name_words, words
from pix.found import Limits
from pix.manager import PatientIndex
from pix.model import Address, Demographics, PersonName
from pix.queries import CandidateQuery, Criteria, SearchMode
from pix.time_limits import TookTooLong, time_limit
from tests.pix.scene import Scene

FAMILIES = ("Müller", "Mulder", "Schmit", "dos Santos", "Muller-Weis", "Schmitz", "Da Silva", "Santos", "M")
GIVENS = ("Anna", "Ana Maria", "Jean-Pierre", "José", "Marie", "Mariette", "")
TOWNS = ("Esch-sur-Alzette", "Wiltz", "Luxembourg")
BIRTHS = ("19800515", "198005", "1980", "19810101", "19750228")
PATTERNS = (
    "muller",
    "mul*",
    "*ler",
    "m*r",
    "schmit",
    "sch*",
    "santos",
    "dos santos",
    "Weis",
    "MÜL*",
    "s*",
    "x",
    "si*a",
)
GIVEN_PATTERNS = ("anna", "ana*", "mari*", "*a", "jose", "jean pierre", "pierre", "mar*e", "*")
SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def population(count: int) -> Iterator[Demographics]:
    chance = random.Random(3)
    for _ in range(count):
        names = tuple(
            PersonName(family=chance.choice(FAMILIES), given=chance.choice(GIVENS))
            for _ in range(chance.choice((1, 1, 2)))
        )
        yield Demographics(
            names=names,
            birth_time=chance.choice((*BIRTHS, None)),
            sex=chance.choice("MF"),
            addresses=(Address(city=chance.choice(TOWNS)),),
        )


criteria = st.builds(
    Criteria,
    family=st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
    given=st.lists(st.sampled_from(GIVEN_PATTERNS), max_size=2).map(tuple),
    birth=st.sampled_from((None, ("1980", "1980"), ("19800515", "19800515"), ("19760101", "19801231"))),
    sex=st.sampled_from((None, "F")),
    city=st.sampled_from((None, "wiltz", "esch*", "lux*g")),
)


def meets(asked: Criteria, person: Demographics) -> bool:
    """The same, without an index."""
    family = {word for name in person.names for word in name_words(name.family)}
    given_names = {word for name in person.names for word in name_words(name.given)}
    towns = {word for each in person.addresses for word in words(each.city)}
    return (
        all(_found(each, family) for each in asked.family)
        and all(_found(each, given_names) for each in asked.given)
        and (asked.city is None or _found(asked.city, towns))
        and (asked.sex is None or person.sex == asked.sex)
        and (asked.birth is None or _born(asked.birth, person.birth_time or ""))
    )


def _found(pattern: str, values: set[str]) -> bool:
    return all(any(fnmatchcase(value, word) for value in values) for word in words(pattern) if word.strip("*"))


def _born(birth: tuple[str, str], born: str) -> bool:
    low, high = birth
    return bool(born) and (low <= born <= high + "~" or (len(born) < len(low) and low.startswith(born)))


@pytest.fixture
def people(scene: Scene) -> dict[str, Demographics]:
    told = {str(number): person for number, person in enumerate(population(60))}
    for id, person in told.items():
        scene.feed(f"HOSP:{id}", who=person)
    return told


def found(index: PatientIndex, asked: Criteria, mode: SearchMode = SearchMode.EXACT) -> list[set[str]] | None:
    """The persons found, each by all ids, in order; None where the query would list everybody."""
    try:
        page = index.find(CandidateQuery(criteria=asked, algorithm=mode, minimum_degree=1))
    except Rejected as rejected:
        assert rejected.codes == {HL7ErrorCode.REQUIRED_FIELD_MISSING}
        return None
    return [{each.id for each in candidate.identifiers} for candidate in page.candidates]


def test_an_index_finds_whom_a_plain_look_finds(index: PatientIndex, people: dict[str, Demographics]) -> None:
    @SETTINGS
    @given(asked=criteria)
    def check(asked: Criteria) -> None:
        listed = found(index, asked)
        if listed is not None:
            meeting = {id for id, person in people.items() if meets(asked, person)}
            assert all(person & meeting for person in listed)
            assert meeting <= set().union(*listed)
            assert sum(map(len, listed)) == len(set().union(*listed))

    check()


def test_an_approximate_search_finds_whom_an_exact_one_finds(
    index: PatientIndex, people: dict[str, Demographics]
) -> None:
    @SETTINGS
    @given(asked=criteria)
    def check(asked: Criteria) -> None:
        exactly = found(index, asked)
        if exactly is not None:
            likely = found(index, asked, SearchMode.APPROXIMATE)
            assert likely is not None and all(person in likely for person in exactly)

    check()


@pytest.mark.parametrize("quantity", [1, 7, 100])
def test_pages_together_are_the_whole(index: PatientIndex, people: dict[str, Demographics], quantity: int) -> None:
    everybody = found(index, Criteria(family=("mul*",)))
    page = index.find(CandidateQuery(criteria=Criteria(family=("mul*",)), quantity=quantity, owner="O"))
    listed = list(page.candidates)
    while page.pointer:
        following = index.more(page.pointer, quantity, "O")
        assert following is not None
        page = following
        listed += page.candidates
    assert [{each.id for each in candidate.identifiers} for candidate in listed] == everybody


def test_nobody_is_listed_twice_while_people_are_merged_and_fed(index: PatientIndex, scene: Scene) -> None:
    for number in range(40):
        scene.feed(f"HOSP:{number:02}", who=Demographics(names=(PersonName(family="Klein", given=f"N{number:02}"),)))

    def change(number: int) -> None:
        scene.merge(f"HOSP:{number + 1:02}", f"HOSP:{number:02}")
        scene.feed(f"CLINIC:{number}", who=Demographics(names=(PersonName(family="Klein", given=f"X{number}"),)))

    with ThreadPoolExecutor(4) as pool:
        page = index.find(CandidateQuery(criteria=Criteria(family=("Klein",)), quantity=3, owner="O"))
        changes = [pool.submit(change, number) for number in range(0, 40, 4)]
        listed = [each.key for each in page.candidates]
        while page.pointer:
            following = index.more(page.pointer, 3, "O")
            assert following is not None
            page = following
            listed += [each.key for each in page.candidates]
        for each in changes:
            each.result()
    assert len(listed) == len(set(listed))
    assert 30 <= len(listed) <= 40


ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
)


def test_a_statement_that_takes_too_long_is_stopped_and_the_connection_lives(database: Database) -> None:
    with pytest.raises(TookTooLong), database.engine.connect() as connection, time_limit(connection, 0.05):
        connection.execute(ENDLESS)
    assert database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one()) == 1


def test_a_search_that_takes_too_long_is_refused_with_advice(
    index: PatientIndex, ask: Callable[[str], Message | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientIndex, "search_limits", Limits(seconds=0.05), raising=False)
    monkeypatch.setattr(searching, "rows", lambda connection, *asked: connection.execute(ENDLESS).all())
    reply = ask("MSH|^~\\&|C|C|A|A|2026||QBP^Q22^QBP_Q21|1|P|2.5\rQPD|IHE PDQ Query|T|@PID.5.1^Klein\rRCP|I\r")
    assert reply is not None
    assert (reply["MSA"].text(1), reply["QAK"].text(2)) == ("AR", "AR")
    assert (reply["ERR"].raw(2), reply["ERR"].text(3)) == ("QPD^1^3", "207")
    assert "Give more letters before *" in reply["ERR"].text(7)


def test_a_record_whose_words_begin_alike_counts_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientIndex, "search_limits", Limits(listed=4), raising=False)
    for number in range(4):
        names = PersonName(family="Klein-Kleinmann-Kleinert", given=str(number))
        scene.feed(f"HOSP:{number}", who=Demographics(names=(names,)))
    page = scene.index.find(CandidateQuery(criteria=Criteria(family=("klein*",))))
    assert (page.total, page.truncated) == (4, False)
    scene.feed("HOSP:4", who=Demographics(names=(PersonName(family="Kleinschmidt"),)))
    page = scene.index.find(CandidateQuery(criteria=Criteria(family=("klein*",))))
    assert (page.total, page.truncated) == (4, True)


def test_who_has_more_names_than_fit_beside_a_name_is_found_by_all(scene: Scene) -> None:
    many = " ".join(f"Name{number:03}" for number in range(40))
    scene.feed("HOSP:1", who=Demographics(names=(PersonName(family="Klein", given=many),), birth_time="19800515"))
    scene.feed("HOSP:2", who=Demographics(names=(PersonName(family="Klein", given="Anna"),), birth_time="19800515"))
    for given_name, expected in (("name039", ["1"]), ("name03*", ["1"]), ("anna", ["2"]), ("name040", [])):
        asked = Criteria(family=("klein",), given=(given_name,), birth=("1980", "1980"))
        page = scene.index.find(CandidateQuery(criteria=asked))
        assert [each.identifiers[0].id for each in page.candidates] == expected


def test_who_has_too_many_pairs_of_names_is_found_by_each_of_them(scene: Scene) -> None:
    families, givens = (" ".join(f"{word}{letter}" for letter in "abcdefgh") for word in ("Familie", "Vorname"))
    scene.feed("HOSP:1", who=Demographics(names=(PersonName(family=families, given=givens),), birth_time="19800515"))
    scene.feed("HOSP:2", who=Demographics(names=(PersonName(family="Familiea", given="Vornameb"),), birth_time="1979"))
    for family, given_name, born, expected in (
        ("Familiea", "Vornameb", None, ["1", "2"]),
        ("Familieh", "Vornamea", None, ["1"]),
        ("Familieh", "Vornamei", None, []),
        ("Familiea", "Vornameb", ("1979", "1979"), ["2"]),
        ("Familiea", "Vornameb", ("1980", "1980"), ["1"]),
    ):
        page = scene.index.find(CandidateQuery(criteria=Criteria(family=(family,), given=(given_name,), birth=born)))
        assert sorted(each.identifiers[0].id for each in page.candidates) == expected


def test_a_frozen_result_keeps_its_degrees(scene: Scene) -> None:
    for number, family in enumerate(("Schmitt", "Schmidt", "Schmit")):
        scene.feed(f"HOSP:{number}", who=Demographics(names=(PersonName(family=family, given=f"N{number}"),)))
    asked = CandidateQuery(
        criteria=Criteria(family=("Schmidt",)), algorithm=SearchMode.APPROXIMATE, quantity=1, owner="O"
    )
    page = scene.index.find(asked)
    degrees = [each.match_degree for each in page.candidates]
    while page.pointer:
        following = scene.index.more(page.pointer, 1, "O")
        assert following is not None
        page = following
        degrees += [each.match_degree for each in page.candidates]
    assert len(degrees) == 3 and degrees[0] == 100 > degrees[1] and degrees == sorted(degrees, reverse=True)
