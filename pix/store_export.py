"""Every source record, or every person, in the order of keys, page by page, over ``pix.tables``."""

from collections.abc import Iterator

from sqlalchemy import Connection, bindparam, select

from ihe.identifiers import PatientKey
from pix import store_nationals, store_records
from pix.state import NationalId
from pix.store_records import Record
from pix.tables import ACTIVE, link
from statements.prepared import Prepared

PAGE = 1000
"""Records in memory at a time."""
PERSONS = Prepared(
    select(link.c.person)
    .distinct()
    .where(link.c.person > bindparam("last"), ACTIVE)
    .order_by(link.c.person)
    .limit(bindparam("most"))
)


def persons(connection: Connection) -> Iterator[list[PatientKey]]:
    """All persons, a page at a time."""
    last = 0
    while keys := [PatientKey(key) for (key,) in PERSONS.rows(connection, {"last": last, "most": PAGE})]:
        yield keys
        last = keys[-1]


def records(connection: Connection) -> Iterator[tuple[Record, tuple[NationalId, ...]]]:
    """Each record that was announced and not merged away, with its national ids."""
    last = PatientKey(0)
    while keys := store_records.current_after(connection, last, PAGE):
        nationals = store_nationals.held(connection, keys)
        for key, found in store_records.by_keys(connection, keys).items():
            yield found, nationals.get(key, ())
        last = keys[-1]
