"""What stands on cards is what the records say, whether they have one or not."""

from ihe.identifiers import PatientKey
from pix import store_cards, store_records
from tests.pix.scene import Scene, person


def test_births_are_those_of_the_records_with_a_card_and_without(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2", who=person("Paul", birth="19500101"))
    scene.feed("HOSP:3", who=person("Nora", birth=None))
    scene.merge("HOSP:2", "HOSP:1")
    keys = {PatientKey(each) for each in scene.keys("HOSP:1", "HOSP:2", "HOSP:3")}
    births = scene.index.database.read(lambda connection: store_cards.births(connection, keys))
    assert sorted(births.values()) == ["", "19500101", "19800515"]
    assert births == scene.index.database.read(lambda connection: store_records.births(connection, keys))
