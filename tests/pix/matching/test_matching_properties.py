"""What must hold for any two records."""

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pix.comparing import is_named_apart
from pix.matching import dates
from pix.matching.blocking import lookup_keys, stored_keys
from pix.matching.configuration import default
from pix.matching.dates import Birth
from pix.matching.scoring import Outcome, compare, compare_fully, vetoes
from pix.matching.subject import Subject, subject
from pix.model import Demographics, PersonName, Telecom
from pix.snapshot import to_json
from tests.pix.matching import people

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
digits = st.sampled_from("0123456789")
births = st.dates().map(lambda each: f"{each:%Y%m%d}") | st.sampled_from(("", "1980", "198003", "19800101", "18800312"))


@MANY
@given(one=people.subjects, other=people.subjects)
def test_the_order_of_two_records_does_not_matter(one: Subject, other: Subject) -> None:
    assert compare(one, other, default()) == compare(other, one, default())
    assert vetoes(one, other) == vetoes(other, one)


@MANY
@given(one=people.subjects, other=people.subjects)
def test_stopping_early_changes_no_outcome(one: Subject, other: Subject) -> None:
    assert compare(one, other, default()).outcome is compare_fully(one, other, default()).outcome


@MANY
@given(one=people.subjects, known=people.demographics, nationals=people.nationals)
def test_who_is_told_apart_by_what_is_stored_of_the_names_is_apart(
    one: Subject, known: Demographics, nationals: tuple[tuple[str, str], ...]
) -> None:
    other = subject(known, nationals)
    if is_named_apart(one, to_json(known)) and one.nationals.isdisjoint(nationals):
        assert compare_fully(one, other, default()).outcome is Outcome.APART


def test_another_given_name_is_enough_unless_an_identifier_is_in_common() -> None:
    klein = PersonName(family="Klein", given="Anna")
    told = to_json(Demographics(names=(klein,), ssn="4711-0815"))
    assert is_named_apart(subject(Demographics(names=(replace(klein, given="Rosa"),))), told)
    assert not is_named_apart(subject(Demographics(names=(replace(klein, given="Ana"),))), told)
    assert not is_named_apart(subject(Demographics(names=(PersonName(family="Anna", given="Klein"),))), told)
    assert not is_named_apart(subject(Demographics(names=(replace(klein, given="Rosa"),), ssn="4711-0815")), told)


@MANY
@given(one=people.subjects, other=people.subjects)
def test_what_is_vetoed_is_never_linked(one: Subject, other: Subject) -> None:
    found = compare(one, other, default())
    if found.vetoes or vetoes(one, other):
        assert found.outcome is not Outcome.LINK
    if found.outcome is Outcome.LINK:
        assert found.weight >= default().link


@MANY
@given(one=people.subjects, other=people.subjects)
def test_the_weight_is_the_evidence_less_the_caps(one: Subject, other: Subject) -> None:
    found = compare_fully(one, other, default())
    taken = sum(bits for _, bits in found.caps)
    assert abs(found.weight - (sum(each.bits for each in found.evidence) - taken)) < 1e-9
    assert json.loads(json.dumps(found.plain)) == found.plain


@MANY
@given(one=people.subjects, other=people.subjects)
def test_more_evidence_that_agrees_never_lowers_the_weight(one: Subject, other: Subject) -> None:
    before = compare_fully(one, other, default()).weight
    phones = frozenset({"691987654"})
    nationals = frozenset({("9.9", "x")})
    for more in (
        {"phones": phones},
        {"emails": frozenset({"a@example.lu"})},
        {"identifiers": frozenset({"new"})},
        {"mothers": frozenset({"welter"})},
        {"birth_place": "diekirch"},
    ):
        said = {name: getattr(one, name) or getattr(other, name) for name in more}
        if not any(said.values()):
            after = compare_fully(replace(one, **more), replace(other, **more), default()).weight  # type: ignore[arg-type]
            assert after >= before - 1e-9
    if not one.nationals and not other.nationals:
        after = compare_fully(replace(one, nationals=nationals), replace(other, nationals=nationals), default())
        assert after.weight >= before - 1e-9
        assert after.outcome is not Outcome.APART


@MANY
@given(known=people.demographics, nationals=people.nationals)
def test_keys_are_the_same_when_names_are_in_each_others_place(
    known: Demographics, nationals: tuple[tuple[str, str], ...]
) -> None:
    plain = [
        each for each in known.names if " " not in f"{each.family}{each.given}" and each.given not in ("Bébé", "M.")
    ]
    straight = tuple(replace(each, further_given="") for each in plain if each.family and each.given)[:1]
    crossed = tuple(replace(each, family=each.given, given=each.family) for each in straight)
    one = subject(replace(known, names=straight), nationals)
    other = subject(replace(known, names=crossed), nationals)
    if len(one.family_words) == len(other.family_words) == 1:
        assert stored_keys(one) == stored_keys(other)


@MANY
@given(one=people.subjects)
def test_stored_keys_are_among_those_looked_up_and_few(one: Subject) -> None:
    assert stored_keys(one) <= lookup_keys(one)
    assert len(stored_keys(one)) <= 32
    assert all(-(2**63) <= key < 2**63 for key in lookup_keys(one))


@MANY
@given(one=births, others=st.lists(births, max_size=8), slips=st.lists(st.tuples(st.integers(0, 7), digits)))
def test_dates_are_told_apart_together_as_one_by_one(one: str, others: list[str], slips: list[tuple[int, str]]) -> None:
    near = [one[:at] + digit + one[at + 1 :] for at, digit in slips]
    exchanged = [one[:at] + one[at + 1 : at + 2] + one[at : at + 1] + one[at + 2 :] for at, _ in slips]
    every = dict(enumerate(map(dates.day, (*others, *near, *exchanged, one, one[:4] + one[6:] + one[4:6]))))
    apart = {key for key, other in every.items() if dates.compare(one, other) is Birth.DIFFERENT}
    assert dates.alike(one, every) == every.keys() - apart


def test_a_swapped_birth_date_is_looked_up() -> None:
    one = subject(Demographics(names=(PersonName(family="Thill", given="Luc"),), birth_time="19800312"))
    other = subject(Demographics(names=(PersonName(family="Thiel", given="Marc"),), birth_time="19801203"))
    assert lookup_keys(one) & stored_keys(other)


def test_keys_are_the_same_in_every_process_and_version() -> None:
    # Stored in databases: if this fails, every row of pix_blocking is void.
    known = Demographics(
        names=(PersonName(family="Müller", given="Jean"),),
        birth_time="19800312",
        addresses=(people.PLACES[0],),
        home_phones=(Telecom(number="+352 621 123 456"),),
    )
    keys = sorted(stored_keys(subject(known, [("1.2.3", "x")])))
    assert keys == KEYS


KEYS = [
    -6046749913089190347,
    -2814692332902395664,
    1521076392214599617,
    1812088216269206088,
    6224129920897321395,
    7109456389244139603,
    7349124588030149197,
    8523221196369671140,
    8764033177502579347,
    8937874250164811954,
]
