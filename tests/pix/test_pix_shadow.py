"""A configuration on trial is evaluated beside the one in force, without effect; where they differ is kept, bounded."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from pix import store_shadow
from pix.manager import PatientIndex
from pix.matching.mode import Mode
from pix.model import Address, Origin, Telecom
from tests.pix.scene import ANNA, Scene

HOME = replace(
    ANNA,
    addresses=(Address(street="3, rue de la Gare", city="Exempelduerf", postal_code="L-9999"),),
    home_phones=(Telecom(number="+352 621 000 111"),),
)


@pytest.fixture
def trying(index: PatientIndex, origin: Callable[..., Origin]) -> Scene:
    """An index that tries out a configuration which links nobody."""
    strict = replace(index.matching, link=1000.0, version="strict")
    return Scene(replace(index, shadow=strict), origin, index.domain.assigning_authorities)


def counts(scene: Scene) -> Mapping[tuple[str, str], int]:
    return scene.index.database.read(store_shadow.counts)


def test_the_one_in_force_decides_and_the_difference_is_kept(trying: Scene) -> None:
    trying.feed("HOSP:1", who=HOME)
    trying.feed("CLINIC:7", who=HOME)
    assert trying.others("HOSP:1") == ["CLINIC:7"] and trying.tasks() == []
    assert counts(trying) == {("link", "review"): 1}
    (found,) = trying.index.database.read(lambda connection: store_shadow.latest(connection, "link", "review", 9))
    assert found.pair == tuple(trying.keys("HOSP:1", "CLINIC:7"))
    assert found.detail["active"]["version"] == trying.index.matching.version
    assert found.detail["shadow"]["version"] == "strict"


def test_what_differs_no_more_is_dropped(trying: Scene) -> None:
    trying.feed("HOSP:1", who=HOME)
    trying.feed("CLINIC:7", who=HOME)
    trying.feed("CLINIC:7", who=replace(HOME, birth_time="19300101", sex="M", addresses=(), home_phones=()))
    assert counts(trying) == {}


def test_only_the_latest_are_kept(trying: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_shadow, "KEPT", 2)
    for number in range(4):
        trying.feed(f"HOSP:{number}", who=HOME)
    assert sum(counts(trying).values()) == 2


def test_they_are_cleared(trying: Scene) -> None:
    trying.feed("HOSP:1", who=HOME)
    trying.feed("CLINIC:7", who=HOME)
    assert trying.index.database.write(store_shadow.clear) == 1
    assert counts(trying) == {}


def test_with_matching_off_nothing_is_tried(trying: Scene, origin: Callable[..., Origin]) -> None:
    off = Scene(replace(trying.index, mode=Mode.OFF), origin, trying.index.domain.assigning_authorities)
    off.feed("HOSP:1", who=HOME)
    off.feed("CLINIC:7", who=HOME)
    assert off.others("HOSP:1") == [] and counts(off) == {}
