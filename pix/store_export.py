"""Every source record in the order of its key, page by page, over ``pix.tables``."""

from collections.abc import Iterator

from sqlalchemy import Connection, bindparam, select

from pix import store_records
from pix.prepared import Prepared
from pix.state import NationalId
from pix.store_records import Record
from pix.tables import record

PAGE = 1000
"""Records in memory at a time."""
FOLLOWING = Prepared(
    select(record.c.key)
    .where(record.c.key > bindparam("last"), record.c.announced.is_(True), record.c.survivor.is_(None))
    .order_by(record.c.key)
    .limit(bindparam("most"))
)


def records(connection: Connection) -> Iterator[tuple[Record, tuple[NationalId, ...]]]:
    """Each record that was announced and not merged away, with its national ids."""
    last = 0
    while keys := [key for (key,) in FOLLOWING.rows(connection, {"last": last, "most": PAGE})]:
        nationals = store_records.nationals(connection, keys)
        for key, found in store_records.by_keys(connection, keys).items():
            yield found, nationals.get(key, ())
        last = keys[-1]
