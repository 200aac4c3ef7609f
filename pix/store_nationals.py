"""National ids as the records carry them, with right check digits or not (``pix.matricule``)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from ihe.identifiers import PatientKey
from pix.state import NationalId
from pix.tables import national
from statements.among import Among
from statements.prepared import Prepared, Question

HELD = Prepared(
    select(national.c.record, national.c.authority, national.c.id, national.c.type_code, national.c.valid)
    .where(Among(national.c.record, "keys"))
    .order_by(national.c.record, national.c.authority, national.c.id)
)
CARRYING = Prepared(
    select(national.c.record)
    .where(national.c.authority == bindparam("of"), national.c.id == bindparam("named"))
    .order_by(national.c.record)
)
INSERT = Prepared(insert(national), national.columns)
DELETE = Prepared(delete(national).where(national.c.record == bindparam("this")))


def held(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, tuple[NationalId, ...]]:
    """The national ids of each of the records that has any."""
    found: dict[PatientKey, tuple[NationalId, ...]] = {}
    for key, authority, id, type_code, valid in HELD.rows(connection, {"keys": sorted(keys)}):
        each = NationalId(authority=authority, id=id, type_code=type_code, valid=bool(valid))
        found[key] = (*found.get(key, ()), each)
    return found


def replace(
    connection: Connection, key: PatientKey, before: Collection[NationalId], after: Collection[NationalId]
) -> None:
    """Replace the national ids of a record; nothing is written where nothing changed."""
    if set(before) == set(after):
        return
    if before:
        DELETE.run(connection, {"this": key})
    INSERT.run_all(connection, [_row(key, each) for each in dict.fromkeys(after)])


def carrying(connection: Connection, identifier: tuple[str, str]) -> tuple[PatientKey, ...]:
    """The records that carry a national id, valid or not."""
    authority, id = identifier
    return tuple(PatientKey(key) for (key,) in CARRYING.rows(connection, {"of": authority, "named": id}))


def asking_carrying(identifiers: Iterable[tuple[str, str]]) -> list[Question]:
    """What ``carrying`` asks of each."""
    return [(CARRYING, {"of": authority, "named": id}) for authority, id in identifiers]


def _row(key: PatientKey, each: NationalId) -> Mapping[str, Any]:
    return {"record": key, **each.plain}
