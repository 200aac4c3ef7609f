"""Statements that run for every submission: each finds its rows by an index, whatever the length of its lists."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from affinity.database import Database
from ihe.identifiers import EntryUUID, PatientKey, UniqueId, new_entry_uuid
from statements.prepared import Prepared
from xds import repository_store, store
from xds.ebrim_writing import fragment
from xds.model import Folder, MetadataObject
from xds.rows import row
from xds.store import Claim
from xds.tables import metadata

SOME = (0, 1, 3, 9, 60)
"""Lengths of lists: those of which each value is a parameter, and longer ones."""


def prepared() -> Iterator[tuple[str, Prepared]]:
    for module in (store, repository_store):
        for name, value in vars(module).items():
            for key, each in value.items() if isinstance(value, dict) else ((name, value),):
                if isinstance(each, Prepared) and key != "postgresql":
                    yield f"{name} {key}", each


@pytest.mark.parametrize(("name", "statement"), list(prepared()))
def test_no_statement_scans_a_table(name: str, statement: Prepared) -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        text, constants = statement.text(connection)
        parameters = dict.fromkeys(re.findall(r":(\w+)", text), '["1"]') | constants
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
    assert [step for *_, step in plan if re.match("SCAN (?!json_each)", step)] == []


@pytest.mark.parametrize("count", SOME)
def test_any_number_of_objects_is_located_and_found(database: Database, count: int) -> None:
    folders = [
        Folder(entry_uuid=uuid, logical_id=uuid, version=1, last_update_time="20260401120000", unique_id=UniqueId(uuid))
        for uuid in (new_entry_uuid() for _ in range(count))
    ]
    approved = "APPROVED"
    rows = {
        MetadataObject.FOLDER: [
            row(each, PatientKey(1), number, fragment(each)) | {"status": approved}
            for number, each in enumerate(folders)
        ]
    }
    wanted = {each.entry_uuid for each in folders}
    assert database.write(lambda connection: store.locate(connection, rows)) == set()
    database.write(lambda connection: store.add(connection, rows))
    assert database.write(lambda connection: store.locate(connection, rows)) == wanted
    asked = wanted | {EntryUUID("urn:uuid:unknown")}
    assert database.write(lambda connection: store.find(connection, asked)).keys() == wanted


@pytest.mark.parametrize("count", SOME)
def test_any_number_of_unique_ids_is_claimed_once(database: Database, count: int) -> None:
    claims = [Claim(unique_id=UniqueId(f"1.{n}"), kind=MetadataObject.FOLDER) for n in range(count)]
    assert database.write(lambda connection: store.claim(connection, claims[1:])) == {}
    taken = {each.unique_id: each for each in claims[1:]}
    assert database.write(lambda connection: store.claim(connection, claims)) == taken
