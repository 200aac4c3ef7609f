"""Two records weighed."""

from pix.matching.blocking import lookup_keys, stored_keys
from pix.matching.configuration import default
from pix.matching.scoring import Outcome, compare, vetoes
from pix.matching.subject import Subject, subject
from pix.model import Address, Demographics, PersonName, Telecom


def person(family: str, given: str, birth: str = "19800312", sex: str = "F", postal_code: str = "L-1234") -> Subject:
    return subject(
        Demographics(
            names=(PersonName(family=family, given=given),),
            birth_time=birth,
            sex=sex,
            addresses=(Address(street="12, rue de la Gare", postal_code=postal_code, city="Luxembourg"),),
            home_phones=(Telecom(number="+352 621 123 456"),),
        )
    )


def test_one_person_spelled_twice_is_linked_and_meets_under_a_key() -> None:
    one, other = person("Müller", "Élisabeth"), person("MUELLER", "Lis")
    assert compare(one, other, default()).outcome is Outcome.LINK
    assert stored_keys(one) & lookup_keys(other)


def test_twins_of_both_sexes_stay_apart() -> None:
    one, other = person("Weber", "Paul", sex="M"), person("Weber", "Paula")
    assert compare(one, other, default()).outcome is Outcome.APART
    assert vetoes(one, other) == ("given name", "sex")
