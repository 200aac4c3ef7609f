"""What queries show of persons comes by one statement for each question, and is what the records say."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from affinity.database import Database
from ihe.identifiers import PatientKey
from pix import candidates, store_persons
from tests.pix.scene import MATRICULE, OTHER_MATRICULE, Scene, person

WRONG = MATRICULE[:-1] + str((int(MATRICULE[-1]) + 1) % 10)


def statements_of(database: Database, work: Callable[[Connection], Any]) -> tuple[Any, list[str]]:
    """What a read gives, and the SELECTs that it made."""
    said: list[str] = []

    def watched(connection: Connection) -> Any:
        driver: Any = connection.connection.dbapi_connection
        if connection.dialect.name == "sqlite":
            driver.set_trace_callback(said.append)
        else:
            event.listen(connection, "before_cursor_execute", lambda *told: said.append(told[2]))
        try:
            return work(connection)
        finally:
            if connection.dialect.name == "sqlite":
                driver.set_trace_callback(None)

    found = database.read(watched)
    return found, [each for each in said if each.startswith("SELECT")]


def spelled(ids: dict[PatientKey, tuple[Any, ...]]) -> list[list[str]]:
    return [[f"{each.authority.namespace_id}:{each.id}" for each in some] for some in ids.values()]


@pytest.fixture
def anna(scene: Scene) -> Scene:
    """One person in three records, of which two carry a national id and one was merged; and somebody else."""
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:2", f"NAT:{MATRICULE}")
    scene.feed("HOSP:3")
    scene.merge("HOSP:3", "HOSP:1")
    scene.feed("LAB:4", f"NAT:{OTHER_MATRICULE}", f"NAT:{WRONG}", who=person("Zoé", "Hoffmann", "19991231"))
    return scene


@pytest.mark.parametrize("asked", ["HOSP:1", "CLINIC:2"])
def test_all_ids_beside_one_are_one_statement(anna: Scene, database: Database, asked: str) -> None:
    found, said = statements_of(
        database, lambda connection: candidates.identifiers_beside(connection, anna.index.domain, anna.id(asked))
    )
    assert spelled(found) == [["HOSP:1", "CLINIC:2", f"NAT:{MATRICULE}"]]
    assert len(said) == 1


@pytest.mark.parametrize("asked", [f"NAT:{MATRICULE}", "HOSP:3", f"NAT:{WRONG}", "LAB:9"])
def test_an_id_that_no_current_record_has_is_looked_for_among_national_ones(
    anna: Scene, database: Database, asked: str
) -> None:
    found, said = statements_of(
        database, lambda connection: candidates.identifiers_beside(connection, anna.index.domain, anna.id(asked))
    )
    expected = {MATRICULE: [["HOSP:1", "CLINIC:2", f"NAT:{MATRICULE}"]], WRONG: [["LAB:4", f"NAT:{OTHER_MATRICULE}"]]}
    assert spelled(found) == expected.get(asked.partition(":")[2], [])
    assert len(said) == 2


def test_a_page_of_persons_is_one_statement_and_who_was_merged_is_shown_as_the_survivor(
    anna: Scene, database: Database
) -> None:
    [first], [second], [merged], [other] = map(anna.keys, ("HOSP:1", "CLINIC:2", "HOSP:3", "LAB:4"))
    asked = [PatientKey(each) for each in (other, merged, second)]
    found, said = statements_of(database, lambda connection: store_persons.described(connection, asked))
    assert len(said) == 1
    assert {key: person.survivor for key, person in found.items()} == {other: other, merged: first, second: second}
    assert {key: list(person.told) for key, person in found.items()} == {
        other: [other],
        merged: [first, second],
        second: [first, second],
    }
    assert [id for _, id, _ in found[PatientKey(other)].ids] == ["4", OTHER_MATRICULE]
    assert [id for _, id, _ in found[PatientKey(merged)].ids] == ["1", "2", MATRICULE, MATRICULE]


def test_a_page_of_nobody_asks_nothing(anna: Scene, database: Database) -> None:
    found, said = statements_of(database, lambda connection: store_persons.described(connection, []))
    assert (found, said) == ({}, [])
