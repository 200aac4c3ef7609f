"""Source records and their national ids: values in, values out, over ``pix.tables``."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Row

from ihe.identifiers import PatientKey
from pix.folding import fold
from pix.model import Demographics, Identifier
from pix.snapshot import from_json, to_json
from pix.tables import national, record

COLUMNS = (
    record.c.key,
    record.c.authority,
    record.c.id,
    record.c.type_code,
    record.c.survivor,
    record.c.announced,
    record.c.source,
    record.c.demographics,
)
BY_KEYS = select(*COLUMNS).where(record.c.key.in_(bindparam("keys", expanding=True))).order_by(record.c.key)
INSERT = insert(record)
UPDATE = update(record).where(record.c.key == bindparam("this"))
NATIONALS = (
    select(national.c.record, national.c.authority, national.c.id, national.c.type_code, national.c.valid)
    .where(national.c.record.in_(bindparam("keys", expanding=True)))
    .order_by(national.c.record, national.c.authority, national.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One source record: an id of one authority, and what was last said of its patient."""

    key: PatientKey
    authority: str
    id: str
    type_code: str
    survivor: PatientKey | None
    announced: bool
    source: str
    demographics: Demographics

    @property
    def identifier(self) -> tuple[str, str]:
        """The authority's OID and the id."""
        return (self.authority, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalId:
    """A national id as one record carries it; ``valid`` if its check digits are right."""

    authority: str
    id: str
    type_code: str
    valid: bool


def by_identifiers(connection: Connection, identifiers: Iterable[Identifier]) -> dict[tuple[str, str], Record]:
    """The records with these ids, merged ones and those not announced yet included."""
    named = [and_(record.c.authority == each.authority.oid, record.c.id == each.id) for each in identifiers]
    if not named:
        return {}
    rows = connection.execute(select(*COLUMNS).where(or_(*named)).order_by(record.c.key))
    return {found.identifier: found for found in map(_record, rows)}


def by_keys(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, Record]:
    """The records with these keys."""
    return {found.key: found for found in map(_record, connection.execute(BY_KEYS, {"keys": list(keys)}))}


def add(
    connection: Connection,
    identifier: Identifier,
    *,
    source: str,
    announced: bool,
    demographics: Demographics,
    at: str,
) -> PatientKey:
    """Insert a record and return its key."""
    row = {
        "authority": identifier.authority.oid,
        "id": identifier.id,
        "type_code": identifier.type_code,
        "survivor": None,
        "announced": announced,
        "source": source,
        "updated": at,
        **_columns(demographics),
    }
    key = connection.execute(INSERT, row).inserted_primary_key
    assert key is not None
    return PatientKey(key[0])


def describe(connection: Connection, key: PatientKey, demographics: Demographics, source: str, at: str) -> None:
    """Say what the record's patient is like, and that it is announced."""
    row = {"this": key, "announced": True, "source": source, "updated": at, **_columns(demographics)}
    connection.execute(UPDATE, row)


def rename(connection: Connection, key: PatientKey, identifier: Identifier) -> None:
    """Give the record another id; its key stays."""
    connection.execute(UPDATE, {"this": key, "authority": identifier.authority.oid, "id": identifier.id})


def subsume(connection: Connection, subsumed: PatientKey, survivor: PatientKey) -> None:
    """Redirect a record, and all that were merged into it before, to the survivor."""
    connection.execute(UPDATE, {"this": subsumed, "survivor": survivor})
    connection.execute(update(record).where(record.c.survivor == subsumed).values(survivor=survivor))


def remove(connection: Connection, key: PatientKey) -> None:
    """Delete a record that was never announced."""
    connection.execute(delete(record).where(record.c.key == key, record.c.announced.is_(False)))


def nationals(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, tuple[NationalId, ...]]:
    """The national ids of each of the records that has any."""
    found: dict[PatientKey, tuple[NationalId, ...]] = {}
    for row in connection.execute(NATIONALS, {"keys": list(keys)}):
        each = NationalId(authority=row.authority, id=row.id, type_code=row.type_code, valid=row.valid)
        found[PatientKey(row.record)] = (*found.get(PatientKey(row.record), ()), each)
    return found


def set_nationals(
    connection: Connection, key: PatientKey, before: Collection[NationalId], after: Collection[NationalId]
) -> None:
    """Replace the national ids of a record; nothing is written where nothing changed."""
    if set(before) == set(after):
        return
    if before:
        connection.execute(delete(national).where(national.c.record == key))
    if after:
        connection.execute(insert(national), [_national_row(key, each) for each in after])


def records_with_national(connection: Connection, identifier: tuple[str, str]) -> tuple[PatientKey, ...]:
    """The records that carry a national id, valid or not."""
    authority, id = identifier
    carrying = select(national.c.record).where(national.c.authority == authority, national.c.id == id)
    return tuple(PatientKey(key) for key in connection.scalars(carrying.order_by(national.c.record)))


def _national_row(key: PatientKey, each: NationalId) -> Mapping[str, object]:
    row = {"authority": each.authority, "id": each.id, "type_code": each.type_code, "valid": each.valid}
    return {"record": key, **row}


def _columns(demographics: Demographics) -> dict[str, str | None]:
    name = demographics.names[0] if demographics.names else None
    return {
        "demographics": to_json(demographics),
        "family": fold(name.family) if name else "",
        "given": fold(name.given) if name else "",
        "birth": (demographics.birth_time or "")[:8] or None,
        "sex": demographics.sex,
    }


def _record(row: Row[*tuple[Any, ...]]) -> Record:
    return Record(
        key=PatientKey(row.key),
        authority=row.authority,
        id=row.id,
        type_code=row.type_code,
        survivor=row.survivor,
        announced=row.announced,
        source=row.source,
        demographics=from_json(row.demographics),
    )
