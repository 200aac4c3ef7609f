"""From when until when a record had each of its ids, by the log: an id may be given to another patient (ADT^A47)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, bindparam, select

from ihe.identifiers import PatientKey
from pix import store_records
from pix.events import IdentifierChanged
from pix.tables import event
from statements.prepared import Prepared

FIRST = Prepared(
    select(event.c.at).where(event.c.record == bindparam("this")).order_by(event.c.number).limit(1),
)
CHANGES = Prepared(
    select(event.c.at, event.c.before)
    .where(event.c.record == bindparam("this"), event.c.type == IdentifierChanged.type)
    .order_by(event.c.number)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """An id of a record; ``until`` None: it has it still."""

    authority: str
    id: str
    since: datetime
    until: datetime | None


def tenures(connection: Connection, keys: Collection[PatientKey]) -> Iterator[Tenure]:
    """Every id that the records have or had, those of one record in order."""
    for key, (authority, id, _) in sorted(store_records.ids(connection, keys).items()):
        ((first,),) = FIRST.rows(connection, {"this": key})
        since = datetime.fromisoformat(first)
        for at, before in CHANGES.rows(connection, {"this": key}):
            until, (oid, former) = datetime.fromisoformat(at), orjson.loads(before)
            yield Tenure(authority=oid, id=former, since=since, until=until)
            since = until
        yield Tenure(authority=authority, id=id, since=since, until=None)
