"""Source records and their national ids: values in, values out, over ``pix.tables``."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from ihe.identifiers import PatientKey
from pix.folding import fold
from pix.model import NOTHING_KNOWN, Demographics, Identifier
from pix.snapshot import from_json, to_json
from pix.tables import record
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared, Question, upsert

COLUMNS = (
    record.c.key,
    record.c.authority,
    record.c.id,
    record.c.type_code,
    record.c.survivor,
    record.c.announced,
    record.c.source,
    record.c.updated,
    record.c.demographics,
)
DESCRIPTION = ("demographics", "family", "given", "birth", "sex")
THIS = record.c.key == bindparam("this")
BY_IDENTIFIER = Prepared(
    select(*COLUMNS).where(record.c.authority == bindparam("of"), record.c.id == bindparam("named"))
)
SURVIVORS = Prepared(select(record.c.key, record.c.survivor).where(Among(record.c.key, "keys")).order_by(record.c.key))
IDS = Prepared(
    select(record.c.key, record.c.authority, record.c.id, record.c.type_code)
    .where(Among(record.c.key, "keys"))
    .order_by(record.c.key)
)
NAMED = Prepared(
    select(record.c.key, record.c.authority, record.c.id, record.c.survivor)
    .where(Among(record.c.key, "keys"))
    .order_by(record.c.key)
)
BY_KEYS = Prepared(select(*COLUMNS).where(Among(record.c.key, "keys")).order_by(record.c.key))
TOLD = Prepared(
    select(
        record.c.key,
        record.c.authority,
        record.c.id,
        record.c.type_code,
        record.c.source,
        record.c.updated,
        record.c.demographics,
    )
    .where(Among(record.c.key, "keys"))
    .order_by(record.c.key)
)
INSERT = Prepared(insert(record), record.columns)
SAID = ("announced", "source", "updated", *DESCRIPTION)
ANNOUNCE = upsert(record, SAID)
NEXT_KEY = {
    "sqlite": Prepared(text("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'pix_record'")),
    "postgresql": Prepared(text("SELECT nextval(pg_get_serial_sequence('pix_record', 'key'))")),
}
SEEN = Prepared(
    select(record.c.key, record.c.birth, record.c.demographics)
    .where(Among(record.c.key, "keys"))
    .order_by(record.c.key)
)
BIRTHS = Prepared(select(record.c.key, func.coalesce(record.c.birth, "")).where(Among(record.c.key, "keys")))
UNMERGED = Prepared(
    select(record.c.key, record.c.announced, record.c.demographics)
    .where(Among(record.c.key, "keys"), record.c.survivor.is_(None))
    .order_by(record.c.key)
)
DESCRIBE = Prepared(update(record).where(THIS), SAID)
CONFIRM = Prepared(update(record).where(THIS), ("source", "updated"))
RENAME = Prepared(update(record).where(THIS), ("authority", "id"))
SUBSUME = Prepared(update(record).where(THIS | (record.c.survivor == bindparam("this"))), ("survivor",))
REMOVE = Prepared(delete(record).where(THIS, record.c.announced.is_(False)))
CURRENT = Prepared(
    select(record.c.key).where(
        record.c.authority == bindparam("of"),
        record.c.id == bindparam("named"),
        record.c.announced.is_(True),
        record.c.survivor.is_(None),
    )
)
_merged = record.alias()
CURRENT_AND_MERGED = Prepared(
    select(record.c.key, _merged.c.key)
    .select_from(record.outerjoin(_merged, _merged.c.survivor == record.c.key))
    .where(
        record.c.authority == bindparam("of"),
        record.c.id == bindparam("named"),
        record.c.announced.is_(True),
        record.c.survivor.is_(None),
    )
    .order_by(_merged.c.key)
)
RESTORE = Prepared(update(record).where(THIS), ("survivor",))
CURRENT_AFTER = Prepared(
    select(record.c.key)
    .where(record.c.key > bindparam("last"), record.c.announced.is_(True), record.c.survivor.is_(None))
    .order_by(record.c.key)
    .limit(bindparam("most"))
)
SUBSUMED = Prepared(select(record.c.key).where(record.c.survivor == bindparam("this")).order_by(record.c.key))


Named = tuple[str, str, str]
"""Authority (OID), id and type code (CX.5)."""


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
    updated: str
    demographics: Demographics

    @property
    def is_current(self) -> bool:
        """Claim that it was fed, and is not merged into another one."""
        return self.announced and self.survivor is None

    @property
    def identifier(self) -> tuple[str, str]:
        """The authority's OID and the id."""
        return (self.authority, self.id)


class Told(NamedTuple):
    """The id of a record, who fed it last and when, and what was said: ``demographics`` as JSON."""

    authority: str
    id: str
    type_code: str
    source: str
    updated: str
    demographics: str


def by_identifiers(connection: Connection, identifiers: Iterable[Identifier]) -> dict[tuple[str, str], Record]:
    """The records with these ids, merged ones and those not announced yet included."""
    rows = BY_IDENTIFIER.rows_of_each(connection, _named_by(identifiers))
    return {found.identifier: found for _, some in rows for found in map(_record, some)}


def asking_by_identifiers(identifiers: Iterable[Identifier]) -> list[Question]:
    """What ``by_identifiers`` asks."""
    return [(BY_IDENTIFIER, each) for each in _named_by(identifiers)]


def _named_by(identifiers: Iterable[Identifier]) -> list[dict[str, str]]:
    return [{"of": oid, "named": id} for oid, id in dict.fromkeys([each.key for each in identifiers])]


def current_key(connection: Connection, identifier: Identifier) -> PatientKey | None:
    """The record with this id if it was announced and not merged into another; its demographics are left unread."""
    row = CURRENT.first(connection, {"of": identifier.authority.oid, "named": identifier.id})
    return None if row is None else PatientKey(row[0])


def current_keys(connection: Connection, identifier: Identifier) -> tuple[PatientKey, ...]:
    """``current_key``, and the records that were merged into that one, in order; empty where there is none."""
    rows = CURRENT_AND_MERGED.rows(connection, {"of": identifier.authority.oid, "named": identifier.id})
    return tuple(dict.fromkeys(key for row in rows for key in row if key is not None))


def current_after(connection: Connection, last: PatientKey, most: int) -> list[PatientKey]:
    """The next records, in the order of their keys, that were announced and not merged into another."""
    return [PatientKey(key) for (key,) in CURRENT_AFTER.rows(connection, {"last": last, "most": most})]


def highest(connection: Connection) -> int:
    """The highest key of a record, 0 where there is none."""
    return connection.execute(select(func.max(record.c.key))).scalar() or 0


def count_current(connection: Connection) -> int:
    """How many records were announced and not merged into another."""
    current = select(func.count()).where(record.c.announced.is_(True), record.c.survivor.is_(None))
    return connection.execute(current).scalar_one()


def by_keys(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, Record]:
    """The records with these keys."""
    return {found.key: found for found in map(_record, BY_KEYS.rows(connection, {"keys": keys}))}


def ids(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, Named]:
    """Authority, id and type code of each record; its demographics are left unread."""
    return {PatientKey(key): (authority, id, code) for key, authority, id, code in IDS.rows(connection, {"keys": keys})}


def told(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, Told]:
    """What was last said of the patient of each record, as it is stored."""
    return {PatientKey(row[0]): Told._make(row[1:]) for row in TOLD.rows(connection, {"keys": keys})}


def named(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, tuple[str, str, PatientKey | None]]:
    """Authority and id of each record, and the one that it was merged into; its demographics are left unread."""
    rows = NAMED.rows(connection, {"keys": keys})
    return {PatientKey(key): (authority, id, survivor) for key, authority, id, survivor in rows}


def survivors(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, PatientKey]:
    """The record that each one was merged into, itself where it was not."""
    rows = SURVIVORS.rows(connection, {"keys": keys})
    return {PatientKey(key): PatientKey(survivor or key) for key, survivor in rows}


def described(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, tuple[str, str]]:
    """The day of birth of records, and their demographics as they are stored, in the order of their keys."""
    return {PatientKey(key): (birth or "", text) for key, birth, text in SEEN.rows(connection, {"keys": sorted(keys)})}


def births(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, str]:
    """The day of birth of each record."""
    return dict(BIRTHS.rows(connection, {"keys": sorted(keys)}))


def unmerged(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, tuple[bool, str]]:
    """Of each record that was not merged into another: whether it was announced, and its demographics as stored."""
    rows = UNMERGED.rows(connection, {"keys": sorted(keys)})
    return {PatientKey(key): (bool(announced), demographics) for key, announced, demographics in rows}


def next_key(connection: Connection) -> PatientKey:
    """The key of the record that will be added next; no record ever had it."""
    row = NEXT_KEY[connection.dialect.name].first(connection, {})
    return PatientKey(1 if row is None else row[0])


def add(connection: Connection, key: PatientKey, identifier: Named, source: str, at: str) -> None:
    """Insert a record that is only named so far. ``identifier`` is authority, id and type code."""
    state = {"announced": False, "source": source, "updated": at}
    INSERT.run(connection, _row(key, identifier, NOTHING_KNOWN, state))


def announce(
    connection: Connection, key: PatientKey, identifier: Named, demographics: Demographics, source: str, at: str
) -> None:
    """Insert a record that a feed announces, or say of a named one what its patient is like."""
    row = _row(key, identifier, demographics, {"announced": True, "source": source, "updated": at})
    ANNOUNCE[connection.dialect.name].run(connection, row)


def describe(connection: Connection, key: PatientKey, demographics: Demographics, source: str, at: str) -> None:
    """Say what the record's patient is like, and that it is announced."""
    row = {"this": key, "announced": True, "source": source, "updated": at}
    DESCRIBE.run(connection, row | _description(demographics))


def confirm(connection: Connection, key: PatientKey, source: str, at: str) -> None:
    """Say who fed an announced record last, and when, of whose patient it said what is known already."""
    CONFIRM.run(connection, {"this": key, "source": source, "updated": at})


def rename(connection: Connection, key: PatientKey, identifier: tuple[str, str]) -> None:
    """Give the record another id; its key stays."""
    RENAME.run(connection, {"this": key, "authority": identifier[0], "id": identifier[1]})


def subsume(connection: Connection, subsumed: PatientKey, survivor: PatientKey) -> None:
    """Redirect a record, and all that were merged into it before, to the survivor."""
    SUBSUME.run(connection, {"this": subsumed, "survivor": survivor})


def restore(connection: Connection, key: PatientKey, redirected: Iterable[PatientKey]) -> None:
    """Take a merge back: the record is in use again, and ``redirected`` were merged into it, not into its survivor."""
    RESTORE.run_all(
        connection, [{"this": key, "survivor": None}, *({"this": each, "survivor": key} for each in redirected)]
    )


def subsumed_by(connection: Connection, survivor: PatientKey) -> tuple[PatientKey, ...]:
    """The records that were merged into this one, in order."""
    return tuple(PatientKey(key) for (key,) in SUBSUMED.rows(connection, {"this": survivor}))


def remove(connection: Connection, key: PatientKey) -> None:
    """Delete a record that was never announced."""
    REMOVE.run(connection, {"this": key})


def _row(key: PatientKey, identifier: Named, demographics: Demographics, state: Mapping[str, Any]) -> Mapping[str, Any]:
    authority, id, type_code = identifier
    named = {"key": key, "authority": authority, "id": id, "type_code": type_code, "survivor": None}
    return {**named, **state, **_description(demographics)}


def described_as(demographics: Demographics) -> tuple[str, str, str | None, str | None]:
    """Family and given name to sort by, the day of birth and the sex, as a record's row has them."""
    name = demographics.names[0] if demographics.names else None
    family, given = (fold(name.family), fold(name.given)) if name else ("", "")
    return family, given, (demographics.birth_time or "")[:8] or None, demographics.sex


def _description(demographics: Demographics) -> dict[str, str | None]:
    return dict(zip(DESCRIPTION, (to_json(demographics), *described_as(demographics)), strict=True))


def _record(row: Row) -> Record:
    key, authority, id, type_code, survivor, announced, source, updated, demographics = row
    return Record(
        key=key,
        authority=authority,
        id=id,
        type_code=type_code,
        survivor=survivor,
        announced=bool(announced),
        source=source,
        updated=updated,
        demographics=from_json(demographics),
    )
