"""Codecs and comparisons of the index, as properties: PID, snapshots, folding, matricules."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7v2.encoding import STANDARD
from hl7v2.er7 import parse
from hl7v2.message import Segment
from ihe.datatypes import CX, HD
from pix.agreement import disagreement
from pix.folding import fold, name_words
from pix.matricule import complete, is_valid, luhn, verhoeff
from pix.model import Address, Coded, Demographics, PersonName, Telecom
from pix.pid import FIELDS, deleted_attributes, read_demographics, write_pid
from pix.snapshot import from_json, to_json

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8).filter(lambda x: x != '""')
FULL = TEXT.filter(bool)
HDS = st.builds(HD, TEXT, TEXT, TEXT)
CXS = st.builds(CX, FULL, HDS, TEXT)


def some(kind: type) -> st.SearchStrategy[object]:
    """A composite value with at least one part, all parts any text."""
    return st.builds(kind, **{each.name: TEXT for each in fields(kind)}).filter(lambda value: value != kind())


ONE: dict[str, st.SearchStrategy[object]] = {
    "names": some(PersonName),
    "mothers_maiden_names": some(PersonName),
    "aliases": some(PersonName),
    "addresses": some(Address),
    "home_phones": some(Telecom),
    "business_phones": some(Telecom),
    "accounts": CXS,
    "mothers_identifiers": CXS,
    "identity_reliability": FULL,
    "last_update_facility": HDS.filter(lambda hd: hd != HD()),
}
CODED = {"marital_status", "religion", "veterans_status", "nationality"}


def attribute(name: str, repeats: bool) -> st.SearchStrategy[object]:
    one = ONE.get(name, some(Coded) if repeats or name in CODED else FULL)
    return st.lists(one, max_size=2).map(tuple) if repeats else st.none() | one


DEMOGRAPHICS = st.builds(Demographics, **{each.attribute: attribute(each.attribute, each.repeats) for each in FIELDS})


def pid_of(text: str) -> Segment:
    return parse(f"MSH|^~\\&|A|B|C|D|2026||ADT^A28|1|P|2.5\r{text}\r".encode())["PID"]


@given(DEMOGRAPHICS)
def test_pid_says_what_it_was_made_of(known: Demographics) -> None:
    assert read_demographics(write_pid(1, (), known)) == known


@given(DEMOGRAPHICS)
def test_a_snapshot_says_what_it_was_made_of(known: Demographics) -> None:
    assert from_json(to_json(known)) == known


def test_every_attribute_has_a_field_of_pid() -> None:
    assert {each.attribute for each in FIELDS} == {each.name for each in fields(Demographics)}


def test_a_snapshot_of_a_later_version_is_read() -> None:
    assert from_json('{"sex":"F","shoe_size":"38"}') == Demographics(sex="F")


def test_nulls_delete_and_are_no_values() -> None:
    pid = pid_of('PID|||1^^^A||""|""|""||||""^""|||')
    assert deleted_attributes(pid) == {"names", "mothers_maiden_names", "birth_time"}
    assert read_demographics(pid) == Demographics()


def test_identifiers_stand_in_pid_3_with_the_whole_authority() -> None:
    pid = write_pid(4, (CX("1", HD("N", "1.2", "ISO"), "PI"), CX("2", HD("M"))), Demographics())
    assert (pid.raw(1), pid.raw(3), pid.encoding) == ("4", "1^^^N&1.2&ISO^PI~2^^^M", STANDARD)


@given(TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "MUELLER"),
        ("Müller", "Muller"),
        ("Weiß", "WEISS"),
        ("Çelik", "celik"),
        ("Łukasz", "Lukasz"),
        ("Søren", "soren"),
        ("Bœuf", "Boeuf"),
        ("D'Angelo", "d angelo"),
        ("Reuter-Klein", "reuter klein"),
        ("Žižek", "Zizek"),
    ],
)
def test_spellings_fold_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_compound_names_are_found_by_part_and_joined() -> None:
    assert name_words("van der Berg") == {"van", "der", "berg", "vanderberg"}


@given(st.integers(0, 10**11 - 1))
def test_one_wrong_digit_or_two_swapped_are_noticed(number: int) -> None:
    payload = f"{number:011}"
    for position in range(11):
        wrong = payload[:position] + str((int(payload[position]) + 1) % 10) + payload[position + 1 :]
        assert (luhn(wrong), verhoeff(wrong)) != (luhn(payload), verhoeff(payload))
    for position in range(10):
        one, other = payload[position], payload[position + 1]
        if one != other:
            assert verhoeff(payload[:position] + other + one + payload[position + 2 :]) != verhoeff(payload)


@pytest.mark.parametrize(("payload", "digit"), [("7992739871", "3"), ("1789372997", "4")])
def test_luhn_digits_of_the_literature(payload: str, digit: str) -> None:
    assert luhn(payload) == digit


@pytest.mark.parametrize(("payload", "digit"), [("236", "3"), ("12345", "1")])
def test_verhoeff_digits_of_the_literature(payload: str, digit: str) -> None:
    assert verhoeff(payload) == digit


@pytest.mark.parametrize(
    "text",
    ["", "1980051512345", complete("19801315123"), complete("00000000000"), complete("19800515123") + " ", "１" * 13],
)
def test_what_is_no_matricule(text: str) -> None:
    assert not is_valid(text)


@given(DEMOGRAPHICS, DEMOGRAPHICS)
def test_disagreement_is_mutual(one: Demographics, other: Demographics) -> None:
    assert disagreement(one, other) == disagreement(other, one)


@given(DEMOGRAPHICS)
def test_nobody_disagrees_with_oneself(known: Demographics) -> None:
    assert disagreement(known, known) is None
