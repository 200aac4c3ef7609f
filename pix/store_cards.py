"""What searches list of the records of persons: copies, over ``pix.tables``, that change with record and link."""

from collections.abc import Collection, Iterable, Set

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from ihe.identifiers import PatientKey
from pix import store_records
from pix.model import Demographics
from pix.store_records import described_as
from pix.tables import ACTIVE, card, link, record
from statements.among import Among
from statements.prepared import Prepared

COLUMNS = ("record", "person", "family", "given", "birth", "sex", "updated")
COPIED = (record.c.family, record.c.given, record.c.birth, record.c.sex, record.c.updated)
THIS = card.c.record == bindparam("this")


def _put(which: ColumnElement[bool]) -> Prepared:
    linked = (link.c.record == record.c.key) & ACTIVE
    said = select(record.c.key, link.c.person, *COPIED).join(link, linked).where(which, record.c.survivor.is_(None))
    return Prepared(insert(card).from_select(COLUMNS, said.order_by(record.c.key)))


PUT = _put(record.c.key == bindparam("this"))
PUT_ALL = _put(Among(record.c.key, "keys"))
REMOVE = Prepared(delete(card).where(THIS))
DESCRIBE = Prepared(update(card).where(THIS), ("family", "given", "birth", "sex", "updated"))
CONFIRM = Prepared(update(card).where(THIS), ("updated",))
BIRTHS = Prepared(select(card.c.record, func.coalesce(card.c.birth, "")).where(Among(card.c.record, "keys")))


def put(connection: Connection, key: PatientKey) -> None:
    """Write the card of a record that has none and was just linked; one that was merged into another gets none."""
    PUT.run(connection, {"this": key})


def put_all(connection: Connection, keys: Collection[PatientKey]) -> None:
    """The same of many records."""
    PUT_ALL.run(connection, {"keys": keys})


def remove(connection: Connection, keys: Iterable[PatientKey]) -> None:
    """Take away the cards of records whose links end."""
    REMOVE.run_all(connection, [{"this": key} for key in keys])


def describe(connection: Connection, key: PatientKey, demographics: Demographics, at: str) -> None:
    """Say what the record's patient is like, if the record is somebody's already."""
    family, given, birth, sex = described_as(demographics)
    said = {"family": family, "given": given, "birth": birth, "sex": sex, "updated": at}
    DESCRIBE.run(connection, {"this": key, **said})


def confirm(connection: Connection, key: PatientKey, at: str) -> None:
    """Say when the record was fed last."""
    CONFIRM.run(connection, {"this": key, "updated": at})


def births(connection: Connection, keys: Set[PatientKey]) -> dict[PatientKey, str]:
    """The day of birth of each record: of thousands that lie all over the table, and are larger than their cards.

    Who is nobody's has no card.
    """
    found: dict[PatientKey, str] = dict(BIRTHS.rows(connection, {"keys": sorted(keys)}))
    others = keys - found.keys()
    return found | store_records.births(connection, others) if others else found
