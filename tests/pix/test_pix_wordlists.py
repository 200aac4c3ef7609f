"""Words by which nothing is read, but which narrow, stand in a list of each record; what it tells is taken back."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from pix.model import Address, Demographics, PersonName, Telecom
from pix.queries import CandidateQuery, Criteria
from pix.tables import token, wordlist
from pix.tokens import DRIVING, tokens
from pix.wordlists import words_of
from tests.pix.scene import Scene

ODD = 'o\\"%_,[{é😀'
ROSA = Demographics(
    names=(PersonName(family="Klein", given="Rosa Maria"),),
    birth_time="19800515",
    addresses=(Address(street="12 rue de la Gare", city="Esch", state="Sud", country="LUX"),),
    home_phones=(Telecom(email=ODD + "@example.org"),),
    mothers_maiden_names=(PersonName(family="Weis", given="Anne"),),
)


def found(scene: Scene, **asked: Any) -> bool:
    return bool(scene.index.find(CandidateQuery(criteria=Criteria(family=("klein",), **asked))).candidates)


@pytest.mark.parametrize(
    "asked",
    [
        {"country": "lux"},
        {"country": "l*"},
        {"country": "l*x"},
        {"state": "*ud"},
        {"state": "*u*"},
        {"mothers_given": "anne"},
        {"street": "g*re"},
        {"street": "rue 12"},
        {"email": ODD + "@example.org"},
        {"email": "*" + ODD + "*"},
        {"email": "*"},
        {"email": ODD + "@ex*org"},
        {"country": "lux", "state": "*ud", "street": "g*re rue", "mothers_given": "an*"},
    ],
)
def test_a_word_of_any_form_narrows(scene: Scene, asked: dict[str, Any]) -> None:
    scene.feed("HOSP:1", who=ROSA)
    assert found(scene, **asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"country": "lu"},
        {"country": "sud"},
        {"state": "lux"},
        {"mothers_given": "weis"},
        {"street": "rue*gare"},
        {"street": "gare 12x"},
        {"email": "o%*"},
        {"phone": "*"},
        {"email": ODD + "@example"},
        {"email": "*" + ODD},
        {"country": "lux", "state": "*ud", "street": "g*re route", "mothers_given": "an*"},
    ],
)
def test_words_of_other_kinds_and_parts_of_words_do_not(scene: Scene, asked: dict[str, Any]) -> None:
    scene.feed("HOSP:1", who=ROSA)
    assert not found(scene, **asked)


@pytest.mark.parametrize(
    "looks_like", ['lux,"country:fra"', 'lux","country:fra","', "country:fra", '"country:fra"', "fra*"]
)
def test_a_word_that_looks_like_another_is_none(scene: Scene, looks_like: str) -> None:
    scene.feed("HOSP:1", who=replace(ROSA, home_phones=(Telecom(email=looks_like),)))
    assert found(scene, email=looks_like)
    assert not any(found(scene, country=each) for each in ("fra", "fr*", "*ra", "f*a"))


def standing(scene: Scene) -> tuple[set[tuple[str, ...]], list[str]]:
    return scene.index.database.read(
        lambda connection: (
            {tuple(row) for row in connection.execute(select(*list(token.c)[:2], token.c.beside, token.c.birth))},
            list(connection.execute(select(wordlist.c.words)).scalars()),
        )
    )


def test_what_no_search_is_read_by_is_listed_alone(scene: Scene) -> None:
    scene.feed("HOSP:1", who=ROSA)
    rows, [words] = standing(scene)
    assert rows == {each for each in tokens(ROSA) if each[0] in DRIVING}
    assert words_of(words) == {(kind, word) for kind, word, *_ in tokens(ROSA)}
    assert {kind for kind, _ in words_of(words)} - DRIVING == {"country", "state", "mothers-given"}


def test_a_patient_whom_no_word_finds_has_no_list(scene: Scene) -> None:
    scene.feed("HOSP:1", who=Demographics(sex="F"))
    assert standing(scene) == (set(), [])
    scene.feed("HOSP:1", who=ROSA)
    assert len(standing(scene)[1]) == 1


def aged(scene: Scene) -> None:
    """Let the index hold a word as an earlier version spelled it."""

    def age(connection: Connection) -> None:
        connection.execute(update(token).where(token.c.value == "klein").values(value="kl"))
        connection.execute(
            update(wordlist).values(words=func.replace(wordlist.c.words, '"family:klein"', '"family:kl"'))
        )

    scene.feed("HOSP:1", who=ROSA)
    scene.index.database.write(age)
    assert any(value == "kl" for _, value, *_ in standing(scene)[0])


def test_an_update_takes_words_of_an_earlier_version_away(scene: Scene) -> None:
    aged(scene)
    moved = replace(ROSA, names=(PersonName(family="Gross", given="Rosa"),))
    scene.feed("HOSP:1", who=moved)
    assert standing(scene)[0] == {each for each in tokens(moved) if each[0] in DRIVING}


def test_a_merge_takes_words_of_an_earlier_version_away(scene: Scene) -> None:
    aged(scene)
    scene.feed("HOSP:2", who=Demographics(sex="F"))
    scene.merge("HOSP:1", "HOSP:2")
    assert standing(scene) == (set(), [])
