"""Searches of one shape are one statement: whatever else is asked by the same criteria is answered by it."""

from typing import Any

import pytest

from ihe.datatypes import CX, HD
from pix import searching
from pix.model import Address, Demographics, PersonName, Telecom
from pix.queries import CandidateQuery, Criteria, IdentifierPattern, SearchMode
from tests.pix.scene import Scene


def resident(family: str, given: str, number: int) -> Demographics:
    return Demographics(
        names=(PersonName(family=family, given=given),),
        birth_time=f"198{number}0515",
        sex="FM"[number % 2],
        addresses=(Address(street=f"{number} rue X", city=f"Ville{number}", postal_code=f"L-100{number}"),),
        home_phones=(Telecom(number=f"+352 621 000 00{number}"), Telecom(email=f"m{number}@example.org")),
        mothers_maiden_names=(PersonName(family=f"Mutter{number}", given=f"Rosa{number}"),),
        accounts=(CX(f"A-{number}", HD("ACC")),),
    )


@pytest.fixture
def residents(scene: Scene) -> Scene:
    for number in range(3):
        scene.feed(f"HOSP:1{number}0", f"CLINIC:c{number}", who=resident(f"Klein{number}", f"Anna{number}", number))
    return scene


def found(scene: Scene, asked: Criteria) -> list[str]:
    page = scene.index.find(CandidateQuery(criteria=asked))
    return [next(id.id for id in each.identifiers if id.authority.namespace_id == "HOSP") for each in page.candidates]


@pytest.mark.parametrize(
    "criteria",
    [
        {"family": ("klein{}",)},
        {"family": ("kl*n{}",)},
        {"family": ("klein{}",), "given": ("an*{}",), "city": "ville{}"},
        {"family": ("klein{}",), "given": ("anna{}",), "postal_code": "L-100{}"},
        {"given": ("*na{}",), "birth": ("198{}", "198{}")},
        {"given": ("anna*",), "birth": ("198{}05", "198{}05")},
        {"birth": ("198{}0515", "198{}0515")},
        {"street": "{} rue x"},
        {"city": "vil*{}"},
        {"phone": "+352 621 000 00{}"},
        {"email": "M{}@EXAMPLE.ORG"},
        {"mothers_family": "mutter{}", "mothers_given": "*{}"},
        {"accounts": (CX("A-{}", HD("ACC")),)},
    ],
)
def test_one_shape_with_other_values(residents: Scene, criteria: dict[str, Any]) -> None:
    for number in (2, 0, 1):
        assert found(residents, filled(criteria, str(number))) == [f"1{number}0"]


def filled(criteria: dict[str, Any], number: str) -> Criteria:
    def fill(value: Any) -> Any:
        if isinstance(value, CX):
            return CX(fill(value.id), value.authority)
        return tuple(map(fill, value)) if type(value) is tuple else value.replace("{}", number)

    return Criteria(**{name: fill(value) for name, value in criteria.items()})


@pytest.mark.parametrize("pattern", ["1{}0", "1{}*", "1{}*0"])
@pytest.mark.parametrize("authority", ["HOSP", None])
def test_an_id_with_other_values_and_beside_a_name(residents: Scene, pattern: str, authority: str | None) -> None:
    of = residents.id(f"{authority}:").authority if authority else None
    for number in range(3):
        asked = IdentifierPattern(id=pattern.format(number), authority=of)
        assert found(residents, Criteria(identifiers=(asked,))) == [f"1{number}0"]
        assert found(residents, Criteria(identifiers=(asked,), family=("klein*",))) == [f"1{number}0"]
        assert found(residents, Criteria(identifiers=(asked,), family=("gross",))) == []
        both = (asked, IdentifierPattern(id=f"1{number}0"))
        assert found(residents, Criteria(identifiers=both)) == [f"1{number}0"]


def test_an_approximate_search_by_an_id_of_an_authority(residents: Scene) -> None:
    asked = IdentifierPattern(id="110", authority=residents.id("HOSP:").authority)
    criteria = Criteria(identifiers=(asked,), family=("Kleim1",), given=("Anna1",), birth=("19810515", "19810515"))
    page = residents.index.find(CandidateQuery(criteria=criteria, algorithm=SearchMode.APPROXIMATE))
    assert [each.match_degree < 100 for each in page.candidates] == [True]


def test_what_stands_for_any_characters_in_sql_stands_for_itself(residents: Scene) -> None:
    residents.feed("HOSP:9_%", who=resident("Gross", "Paul", 9))
    for pattern, expected in (("9_%", ["9_%"]), ("9_*%", ["9_%"]), ("1_*", []), ("1%*0", []), ("1\\*0", [])):
        assert found(residents, Criteria(identifiers=(IdentifierPattern(id=pattern),))) == expected


def test_statements_of_a_shape_are_kept_unless_it_is_huge(residents: Scene) -> None:
    searching._kept.cache_clear()
    for number in range(3):
        found(residents, Criteria(family=(f"klein{number}",), sex="F"))
    assert searching._kept.cache_info().currsize == 1
    assert (
        found(residents, Criteria(family=("klein1",) + ("kl*1",) * 2 + tuple(f"{'k' * n}*" for n in range(2, 12))))
        == []
    )
    assert found(
        residents, Criteria(family=tuple(f"{'klein1'[:n]}*" for n in range(1, 7)), given=("a*", "an*", "ann*"))
    ) == ["110"]
    assert searching._kept.cache_info().currsize == 1
