"""Weights learnt from records, and proposed as a file."""

from pathlib import Path
from random import Random

from pix.matching import tuning
from pix.matching.configuration import default, load
from pix.matching.scoring import Outcome, compare_fully
from pix.matching.subject import Subject, subject
from pix.model import Address, Demographics, PersonName

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
