"""Weights learnt from records, and proposed as a file."""

import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ihe.identifiers import PatientKey
from pix.matching import tuning
from pix.matching.configuration import default, load, parse
from pix.matching.scoring import Outcome, compare_fully
from pix.matching.subject import Subject, subject
from pix.model import Address, Demographics, PersonName
from pix.tuning import Misled, Sample, propose

FAMILIES = [
    f"{start}{end}"
    for start in ("Bach", "Eich", "Holz", "Kalt", "Lind", "Rosen", "Stein")
    for end in ("er", "mann", "berg")
]
GIVENS = ["Anna", "Luc", "Pierre", "Claire", "Guy", "Zoé", "Marc", "Léa", "Félix", "Yves"]


def person(chance: Random) -> Demographics:
    return Demographics(
        names=(PersonName(family=chance.choice(FAMILIES), given=chance.choice(GIVENS)),),
        birth_time=f"{chance.randint(1930, 2020)}{chance.randint(1, 12):02d}{chance.randint(2, 28):02d}",
        sex=chance.choice("FM"),
        addresses=(Address(city=chance.choice(("Esch", "Luxembourg")), postal_code=str(chance.randint(1000, 9999))),),
    )


def pairs(number: int) -> list[tuple[Subject, Subject]]:
    """A quarter one person, of whom one in ten has moved; the others strangers."""
    chance = Random(7)
    made = []
    for at in range(number):
        one, other = person(chance), person(chance)
        if at % 4 == 0:
            other = Demographics(names=one.names, birth_time=one.birth_time, sex=one.sex, addresses=one.addresses)
        if at % 40 == 0:
            other = Demographics(
                names=one.names, birth_time=one.birth_time, sex=one.sex, addresses=person(chance).addresses
            )
        made.append((subject(one), subject(other)))
    return made


def test_the_share_of_matches_and_of_movers_is_learnt() -> None:
    proposed, learnt = tuning.propose(pairs(2000), default(), "site-1")
    assert abs(learnt.matches - 0.25) < 0.01
    assert 0.07 < proposed.levels["postal_code"]["different"].m < 0.14
    assert proposed.levels["birth"]["same"].u < 0.001
    assert proposed.version == "site-1"


def test_frequent_names_are_listed_with_their_shares() -> None:
    proposed, _ = tuning.propose(pairs(2000), default(), "site-1")
    assert abs(proposed.frequencies["given"]["anna"] - 0.1) < 0.02
    assert abs(proposed.frequencies["city"]["luxembourg"] - 0.5) < 0.05


def test_a_proposal_is_a_file_that_loads_to_itself(tmp_path: Path) -> None:
    proposed, _ = tuning.propose(pairs(400), default(), "site-1")
    path = tmp_path / "site.toml"
    path.write_text(tuning.to_toml(proposed), encoding="utf-8")
    read = load(path)
    assert read.version == "site-1"
    for key, each in proposed.evidence.items():
        assert abs(read.evidence[key].bits - each.bits) < 0.02, key


def test_homes_are_not_taken_for_persons_where_nobody_stands_twice() -> None:
    """The estimate alone would say that another given name or birth date means nothing."""
    homes = tuple(home(Random(number)) for number in range(600))
    keys = tuple((PatientKey(2 * number), PatientKey(2 * number + 1)) for number in range(len(homes)))
    sample = Sample(keys=keys, pairs=homes, records=tuple(each for home in homes for each in home))
    with pytest.raises(Misled, match=r"today's weights link or ask about 0: too few patients stand twice"):
        propose(sample, default(), "site-1")


def home(chance: Random) -> tuple[Subject, Subject]:
    """A mother and her child, under one roof."""
    mother = person(chance)
    family, given = mother.names[0].family, chance.choice([each for each in GIVENS if each != mother.names[0].given])
    born = f"{int(str(mother.birth_time)[:4]) + 31}{str(person(chance).birth_time)[4:]}"
    child = replace(mother, names=(PersonName(family=family, given=given),), birth_time=born)
    return subject(mother), subject(child)


def test_a_chance_that_is_all_but_none_is_written_as_what_it_is() -> None:
    """As nothing it would be refused at the next start of the node."""
    text = tuning.to_toml(default())
    rare = parse(re.sub(r"same = [{] m = \S+ u = \S+ [}]", "same = { m = 0.9, u = 1e-10 }", text, count=1), "rare.toml")
    assert parse(tuning.to_toml(rare), "again.toml").levels["family"]["same"].u == 1e-10


def test_nothing_to_learn_from_changes_next_to_nothing() -> None:
    proposed, learnt = tuning.propose([], default(), "site-1")
    assert learnt.pairs == 0
    for key, each in default().evidence.items():
        if key[1] == "same" and key[0] != "family":
            assert abs(proposed.evidence[key].bits - each.bits) < 0.5, key


def test_what_would_change_is_counted() -> None:
    strict = tuning.build(
        version="strict",
        thresholds={"link": 90.0, "review": 17.0, "margin": 5.0, "corroboration": 3.0},
        caps=default().caps,
        levels=default().levels,
        frequencies=default().frequencies,
    )
    two = pairs(400)
    found = tuning.changes(two, default(), strict)
    assert sum(found.counts.values()) == 400
    assert found.differing == found.counts[Outcome.LINK, Outcome.REVIEW] > 50
    at, before, after = found.examples[0]
    assert (before, after) == (Outcome.LINK, Outcome.REVIEW)
    assert compare_fully(*two[at], default()).outcome is Outcome.LINK
    assert tuning.changes(two, default(), default()).differing == 0
