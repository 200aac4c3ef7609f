"""Counts by source, and the refusals among them: right, bounded, and nothing of a patient."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from affinity.database import Database
from pix import store_rejections
from pix.model import Address, Demographics, Telecom
from pix.statistics import SourceStatistics, by_source
from pix.store_rejections import MOST_A_DAY, OTHERS
from pix.tables import rejection
from tests.pix.scene import ANNA, MATRICULE, Scene, person

MARC = person("Marc", "Thill", "19500101")
DAY = "2026-11-23"


def counted(scene: Scene, source: str = "HIS|HOSP") -> SourceStatistics:
    return next(each for each in by_source(scene.index) if each.source == source)


def count(database: Database, source: str, *codes: str, day: str = DAY) -> None:
    database.write(lambda connection: store_rejections.count(connection, day, source, codes))


def refused(database: Database, since: str = DAY) -> Any:
    return database.read(lambda connection: store_rejections.since(connection, since))


def test_an_empty_index_has_no_sources(scene: Scene) -> None:
    assert by_source(scene.index) == ()


def test_records_persons_and_what_is_missing(scene: Scene) -> None:
    complete = replace(
        ANNA,
        addresses=(Address(city="Exempelduerf"),),
        home_phones=(Telecom(number="+352 621 000 111"),),
    )
    scene.feed("HOSP:1", f"NAT:{MATRICULE}", who=complete)
    scene.feed("HOSP:2", who=Demographics(names=MARC.names, sex="U"))
    scene.feed("LAB:5", who=MARC, source="LIS|LABO")
    hospital = counted(scene)
    assert (hospital.records, hospital.persons) == (2, 2)
    assert hospital.missing == {"birth_date": 1, "sex": 1, "address": 1, "phone": 1, "national_id": 1}
    assert counted(scene, "LIS|LABO").records == 1


def test_a_merged_record_counts_no_more(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2", who=MARC)
    scene.merge("HOSP:2", "HOSP:1")
    assert counted(scene).records == 1


def test_duplicates_are_linked_or_suspected(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("HOSP:2", f"NAT:{MATRICULE}")
    assert (counted(scene).duplicates, counted(scene).suspected) == (1, 0)
    scene.feed("HOSP:8", who=MARC)
    scene.feed("HOSP:9", who=MARC)
    assert (counted(scene).duplicates, counted(scene).suspected) == (1, 1)
    assert counted(scene).persons == 3


def test_the_same_person_at_another_authority_is_no_duplicate(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    assert counted(scene).duplicates == 0


def test_overlays_invalid_matricules_and_placeholders(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:1", who=MARC)
    scene.feed("HOSP:2", "NAT:1980051512345", who=person("Bébé", "Weber"))
    hospital = counted(scene)
    assert (hospital.overlays, hospital.invalid_national_ids, hospital.placeholder_names) == (1, 1, 1)
    assert hospital.missing["national_id"] == 1


def test_an_attribute_is_found_by_its_name_and_not_in_a_value(scene: Scene) -> None:
    scene.feed("HOSP:1", who=replace(ANNA, birth_place='"addresses":'))
    assert counted(scene).missing["address"] == 1


def test_refusals_are_counted_by_source_and_code(scene: Scene, database: Database) -> None:
    for _ in range(3):
        count(database, "HIS|HOSP", "204")
    count(database, "HIS|HOSP", "101", "204")
    count(database, "X|Y", "103", day="2026-01-01")
    assert refused(database) == {"HIS|HOSP": {"101": 1, "204": 4}}
    # A source of which nothing was ever accepted is listed all the same; what is older than 30 days is not.
    assert counted(scene).refused == {"101": 1, "204": 4}
    assert [each.source for each in by_source(scene.index)] == ["HIS|HOSP"]


def test_invented_names_of_senders_fill_no_table(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_rejections, "MOST_A_DAY", 5)
    for number in range(20):
        count(database, f"EVIL-{number}|" + "x" * 500, "204")
    found = refused(database)
    assert len(found) == 6 and found[OTHERS] == {"204": 15}
    assert all(len(each) <= 100 for each in found)
    assert MOST_A_DAY == 1000


def test_only_so_many_days_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    days = select(rejection.c.day).distinct().order_by(rejection.c.day.desc())
    monkeypatch.setattr(store_rejections, "OLD", days.offset(2).limit(1))
    for day in range(10, 16):
        count(database, "HIS|HOSP", "204", day=f"2026-11-{day}")
    kept = select(func.count(rejection.c.day.distinct()))
    assert database.read(lambda connection: connection.execute(kept).scalar_one()) <= 3
    assert refused(database, "2026-11-15") == {"HIS|HOSP": {"204": 1}}
