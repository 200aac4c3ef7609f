"""SELECTs that are compiled once find what SQLAlchemy finds, whatever they are asked."""

from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, event, select, tuple_

from statements.selections import Selection
from xds.model import AvailabilityStatus, MetadataObject
from xds.tables import document_entry as entry

WANTED = Selection(
    select(entry.c.entry_uuid, entry.c.status, entry.c.confidentiality_code)
    .where(entry.c.patient_key == bindparam("patient"), entry.c.unique_id.in_(bindparam("ids", expanding=True)))
    .where(tuple_(entry.c.patient_key, entry.c.unique_id).not_in(bindparam("hidden", expanding=True)))
    .where(entry.c.status.in_(bindparam("statuses", expanding=True)), entry.c.confidentiality_code != ["V^^1.2"])
    .order_by(entry.c.id)
)


def both(connection: Connection, **values: Any) -> tuple[list[Any], list[Any]]:
    usual = [tuple(row) for row in connection.execute(WANTED.statement, values)]
    return usual, list(WANTED.rows(connection, values))


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7])
def test_a_list_may_be_of_any_length_and_types_are_kept(shelves: Any, make: Any, length: int) -> None:
    anna = shelves.patient("ANNA", 1)
    entries = [make.entry(anna) for _ in range(7)]
    shelves.put(1, *entries)
    ids = [each.unique_id for each in entries]
    usual, found = shelves.database.read(
        lambda connection: both(
            connection,
            patient=1,
            ids=ids[:length],
            hidden=[(1, each) for each in ids[1 : length // 2 + 1]],
            statuses=[AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED][: length + 1],
        )
    )
    assert found == usual
    assert len(found) == length - length // 2
    assert all(status is AvailabilityStatus.APPROVED and codes for _, status, codes in found)


def test_who_watches_statements_sees_them(shelves: Any) -> None:
    """On SQLite, where the driver is asked directly else, also on a connection that is open already."""
    statement = Selection(select(entry.c.entry_uuid).where(entry.c.patient_key == bindparam("patient")))
    assert list(shelves.database.read(lambda connection: statement.rows(connection, {"patient": 1}))) == []
    seen: list[str] = []
    event.listen(shelves.database.engine, "before_cursor_execute", lambda _c, _k, said, *_: seen.append(said))
    assert shelves.database.read(lambda connection: statement.first(connection, {"patient": 1})) is None
    assert [said for said in seen if "FROM document_entry" in said]


def test_values_of_other_statements_are_passed_over(shelves: Any) -> None:
    statement = Selection(select(entry.c.entry_uuid).where(entry.c.patient_key == bindparam("patient")))
    values = {"patient": 1, "kind": MetadataObject.FOLDER, "keys": ["a", "b"]}
    assert list(shelves.database.read(lambda connection: statement.rows(connection, values))) == []
