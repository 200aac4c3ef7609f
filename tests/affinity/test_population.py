"""The synthetic population: the same for a seed, and its truth says what is so."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from affinity.population import PopulationRecord, Tag, records
from affinity.population.people import TODAY
from affinity.population.slips import without_accents
from pix import matricule

ROOT = Path(__file__).parents[2]
PERSONS, SEED = 6000, 7


def digest(persons: int, seed: int) -> str:
    text = "".join(f"{r.person} {r.identifiers} {r.demographics} {sorted(r.tags)}" for r in records(persons, seed))
    return sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def population() -> tuple[PopulationRecord, ...]:
    return tuple(records(PERSONS, SEED))


@pytest.fixture(scope="module")
def people(population: tuple[PopulationRecord, ...]) -> Mapping[int, list[PopulationRecord]]:
    found = defaultdict(list)
    for each in population:
        found[each.person].append(each)
    return found


def test_a_seed_gives_the_same_population_in_every_process() -> None:
    hashes = [
        subprocess.run(
            [sys.executable, __file__],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert hashes == [digest(500, 3)] * 2
    assert digest(500, 4) != hashes[0]


def test_as_many_people_as_asked_for_have_records(people: Mapping[int, list[PopulationRecord]]) -> None:
    assert set(people) == set(range(1, PERSONS + 1))
    assert 1.5 < sum(map(len, people.values())) / PERSONS < 2


def test_every_tag_occurs(population: tuple[PopulationRecord, ...]) -> None:
    assert {tag for each in population for tag in each.tags} == set(Tag)


def test_a_number_is_one_persons_unless_the_truth_says_overlay(population: tuple[PopulationRecord, ...]) -> None:
    holders: dict[tuple[str, str], int] = {}
    for each in population:
        number = each.identifiers[0].key
        assert (number in holders and holders[number] != each.person) == (Tag.OVERLAY in each.tags)
        holders.setdefault(number, each.person)


def test_a_matricule_is_right_unless_the_truth_says_otherwise(population: tuple[PopulationRecord, ...]) -> None:
    owners: dict[str, int] = {}
    for each in population:
        for number in each.identifiers[1:]:
            if Tag.MATRICULE_WRONG not in each.tags:
                assert matricule.is_valid(number.id) and owners.setdefault(number.id, each.person) == each.person
    assert len(owners) > PERSONS / 2


def test_twins_are_born_on_one_day_in_one_house(people: Mapping[int, list[PopulationRecord]]) -> None:
    houses = defaultdict(set)
    for each in (record for some in people.values() for record in some):
        if Tag.TWIN in each.tags and not each.tags & {Tag.DAY_MONTH_SWAPPED, Tag.BIRTH_DATE_WRONG, Tag.NO_BIRTH_DATE}:
            houses[each.household].add((each.demographics.birth_time, each.demographics.birth_order, each.person))
    whole = [house for house in houses.values() if len(house) == 2]
    assert len(whole) > 20
    for first, second in map(sorted, whole):
        assert first[0] == second[0] and {first[1], second[1]} == {"1", "2"}


def test_what_happened_to_a_record_shows_in_it(population: tuple[PopulationRecord, ...]) -> None:
    for each in population:
        known, tags = each.demographics, each.tags
        assert (not known.addresses) == (Tag.NO_ADDRESS in tags)
        assert (known.birth_time is None) == (Tag.NO_BIRTH_DATE in tags)
        assert (len(known.addresses) == 2) == (Tag.TWO_ADDRESSES in tags)
        assert (known.death_indicator == "Y") == (Tag.DEAD in tags)
        name = known.names[0]
        if Tag.CAPITALS in tags:
            assert name.family == without_accents(name.family).upper()
        if Tag.DOUBLE_NAME in tags and not tags & {Tag.SHORTENED_FAMILY, Tag.SWAPPED_NAMES, Tag.TYPO_FAMILY}:
            assert "-" in name.family or " " in name.family


def test_nobody_is_born_in_the_future_and_parents_are_older(people: Mapping[int, list[PopulationRecord]]) -> None:
    wrong = {Tag.DAY_MONTH_SWAPPED, Tag.BIRTH_DATE_WRONG, Tag.NO_BIRTH_DATE}
    sound = [each for some in people.values() for each in some if not each.tags & wrong]
    assert max(each.demographics.birth_time or "" for each in sound) < f"{TODAY:%Y%m%d}"
    adults = {each.household: each.demographics.birth_time for each in sound if not each.tags & {Tag.CHILD}}
    children = [each for each in sound if Tag.CHILD in each.tags and each.household in adults]
    assert children and all((each.demographics.birth_time or "") > (adults[each.household] or "") for each in children)


def test_names_are_as_skewed_as_real_ones(people: Mapping[int, list[PopulationRecord]]) -> None:
    families: dict[str, int] = defaultdict(int)
    for some in people.values():
        families[without_accents(some[0].demographics.names[0].family).upper()] += 1
    assert 0.005 < max(families.values()) / PERSONS < 0.04
    assert sum(1 for count in families.values() if count == 1) > PERSONS / 10


if __name__ == "__main__":
    print(digest(500, 3))
