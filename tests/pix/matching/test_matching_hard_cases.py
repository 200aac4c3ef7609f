"""The hard cases: pairs made to break the matcher, each with the outcome that is right and why."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from pix.matching.blocking import lookup_keys, stored_keys
from pix.matching.configuration import default
from pix.matching.scoring import Outcome, compare, compare_fully
from pix.matching.subject import Subject, subject
from pix.model import Address, Demographics, PersonName, Telecom

CASES = tomllib.loads((Path(__file__).parent / "hard_cases.toml").read_text(encoding="utf-8"))["case"]
PERSON = {
    "family": "Oberweis",
    "given": "Claire",
    "birth": "19760514",
    "sex": "F",
    "street": "12, rue de la Gare",
    "postal": "1611",
    "city": "Luxembourg",
    "phone": "+352 621 123 456",
}
NATIONALS = {"A": ("1.2.3", "1976051400001"), "B": ("1.2.3", "1976051400002"), "other-authority": ("1.2.4", "77")}
LEAST = 120


def record(said: Mapping[str, str]) -> Subject:
    names = [
        PersonName(
            family=said.get("family", ""),
            given=said.get("given", ""),
            further_given=said.get("further", ""),
            own_family=said.get("own_family", ""),
            partner_family=said.get("partner_family", ""),
            type_code="L",
        )
    ]
    if said.get("alias_family"):
        names.append(PersonName(family=said["alias_family"], given=said.get("given", ""), type_code="M"))
    homes = [
        Address(street=said.get(f"{which}street", ""), postal_code=said.get(f"{which}postal", ""), city=city)
        for which in ("", "second_")
        if (city := said.get(f"{which}city", "")) or said.get(f"{which}street")
    ]
    telecoms = [Telecom(number=said.get("phone", ""))] if said.get("phone") else []
    telecoms += [Telecom(email=said["email"])] if said.get("email") else []
    known = Demographics(
        names=tuple(names),
        mothers_maiden_names=(PersonName(family=said["mother"]),) if said.get("mother") else (),
        birth_time=said.get("birth") or None,
        sex=said.get("sex") or None,
        addresses=tuple(homes),
        home_phones=tuple(telecoms),
        birth_order=said.get("order") or None,
        identity_unknown=said.get("unknown") or None,
        ssn=said.get("ssn") or None,
        birth_place=said.get("birth_place") or None,
    )
    return subject(known, [NATIONALS[said["national"]]] if said.get("national") else ())


def pair(case: Mapping[str, Mapping[str, str]]) -> tuple[Subject, Subject]:
    one = PERSON | case.get("one", {})
    return record(one), record(one | case.get("other", {}))


def test_there_are_enough_of_them_and_no_two_have_one_name() -> None:
    assert len(CASES) >= LEAST
    assert len({each["why"] for each in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[each["why"] for each in CASES])
def test_a_hard_case_is_decided_rightly(case: Mapping[str, Mapping[str, str]]) -> None:
    one, other = pair(case)
    found = compare(one, other, default())
    assert found.outcome.value == case["expect"], found.plain
    assert compare(other, one, default()) == found
    assert compare_fully(one, other, default()).outcome is found.outcome


@pytest.mark.parametrize("case", [each for each in CASES if each["expect"] == "link"], ids=lambda case: case["why"])
def test_who_is_linked_is_found_by_a_key(case: Mapping[str, Mapping[str, str]]) -> None:
    one, other = pair(case)
    assert compare(one, other, default()).outcome is Outcome.LINK
    assert lookup_keys(one) & stored_keys(other)
    assert lookup_keys(other) & stored_keys(one)
