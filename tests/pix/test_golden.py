"""The golden view: whose word counts, attribute by attribute, and where it comes from."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ihe.identifiers import PatientKey
from pix import snapshot
from pix.golden import GROUPS, Order, Said, Survivorship, golden
from pix.model import ATTRIBUTES, NOTHING_KNOWN, Address, Demographics, PersonName, Telecom
from tests.pix.scene import ANNA, MATRICULE, Scene

HOSPITAL, LABORATORY = "HIS|HOSP", "LIS|LABO"
SHORT = PersonName(family="Weber", given="Anna")
LONG = PersonName(family="Weber", given="Anna", further_given="Marie", prefix="Dr")


def says(key: int, source: str, updated: str, **known: object) -> Said:
    return Said(
        key=PatientKey(key),
        source=source,
        updated=updated,
        known=snapshot.known(replace(NOTHING_KNOWN, **known)),  # type: ignore[arg-type]
    )


def test_what_only_one_source_knows_is_taken_from_it() -> None:
    view = golden(
        [says(1, HOSPITAL, "2026-01", sex="F"), says(2, LABORATORY, "2026-02", birth_time="1980")], Survivorship()
    )
    assert view.demographics == Demographics(sex="F", birth_time="1980")
    assert view.provenance == {"sex": 1, "birth_time": 2}


@pytest.mark.parametrize(
    ("orders", "expected"),
    [((Order.RECENCY,), SHORT), ((Order.COMPLETENESS,), LONG), ((Order.PRIORITY, Order.COMPLETENESS), SHORT)],
)
def test_a_rule_says_by_what_the_sources_of_an_attribute_are_compared(
    orders: tuple[Order, ...], expected: PersonName
) -> None:
    said = [says(1, HOSPITAL, "2026-01", names=(LONG,)), says(2, LABORATORY, "2026-02", names=(SHORT,))]
    rules = Survivorship(trusted=("LIS|*",), rules=MappingProxyType({"names": orders}))
    assert golden(said, rules).demographics.names == (expected,)


def test_a_trusted_source_wins_over_a_newer_one() -> None:
    said = [says(1, HOSPITAL, "2026-01", sex="F"), says(2, LABORATORY, "2026-02", sex="M")]
    assert golden(said, Survivorship(trusted=("HIS|HOSP", "LIS|*"))).demographics.sex == "F"
    assert golden(said, Survivorship()).demographics.sex == "M"


def test_what_belongs_together_comes_from_one_source() -> None:
    said = [
        says(1, HOSPITAL, "2026-02", death_time="20260101"),
        says(2, LABORATORY, "2026-03", death_indicator="N"),
    ]
    view = golden(said, Survivorship())
    assert (view.demographics.death_time, view.demographics.death_indicator) == ("20260101", None)


SOURCES = st.builds(
    says,
    st.integers(1, 5),
    st.sampled_from([HOSPITAL, LABORATORY, "HIS|CLINIC"]),
    st.sampled_from(["2026-01", "2026-02"]),
    sex=st.sampled_from(["F", "M", None]),
    birth_time=st.sampled_from(["1980", "19800515", None]),
    names=st.sampled_from([(), (SHORT,), (LONG,)]),
    addresses=st.sampled_from([(), (Address(city="Exempelduerf"),)]),
    home_phones=st.sampled_from([(), (Telecom(number="621"),)]),
)
RULES = st.builds(
    Survivorship,
    trusted=st.sampled_from([(), ("LIS|*",), ("HIS|CLINIC", "HIS|*")]),
    default=st.permutations(list(Order)).map(tuple),
)


@given(said=st.lists(SOURCES, min_size=1, max_size=5, unique_by=lambda each: each.key), rules=RULES, data=st.data())
def test_the_view_says_what_its_provenance_says_whatever_the_order(
    said: list[Said], rules: Survivorship, data: st.DataObject
) -> None:
    view = golden(said, rules)
    assert golden(data.draw(st.permutations(said)), rules) == view
    records = {each.key: snapshot.demographics_of(each.known) for each in said}
    for name in ATTRIBUTES:
        shown = getattr(view.demographics, name)
        assert (shown == getattr(NOTHING_KNOWN, name)) is (name not in view.provenance)
        if name in view.provenance:
            assert shown == getattr(records[view.provenance[name]], name)


@given(said=st.lists(SOURCES, min_size=1, max_size=5, unique_by=lambda each: each.key), rules=RULES)
def test_nothing_that_some_source_knows_is_lost(said: list[Said], rules: Survivorship) -> None:
    view = golden(said, rules)
    for group in GROUPS:
        known = any(group[0] in each.known for each in said)
        assert known is (getattr(view.demographics, group[0]) != getattr(NOTHING_KNOWN, group[0]))


def test_a_person_is_shown_by_the_golden_view_of_all_its_records(scene: Scene, pdq: Callable[[str], list[str]]) -> None:
    home = Address(street="3, rue de la Gare", city="Exempelduerf")
    scene.feed("HOSP:1", f"NAT:{MATRICULE}", who=replace(ANNA, addresses=(home,)))
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=ANNA)
    (shown,) = pdq("@PID.5.1.1^Weber")
    assert "rue de la Gare" in shown
