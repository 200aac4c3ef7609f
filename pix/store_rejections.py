"""Messages that were refused, counted by day, source and error code: durable, bounded, and nothing of a patient."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from pix.tables import rejection
from statements.prepared import Prepared

MOST_A_DAY = 1000
"""Most rows of one day: whoever invents names of senders is counted under ``OTHERS`` from then on."""
DAYS = 400
"""How many days that have refusals are kept."""
OTHERS = "others"
LONGEST = 100
"""Most characters that are kept of a sender's name."""
_THIS = (
    rejection.c.day == bindparam("on"),
    rejection.c.source == bindparam("of"),
    rejection.c.code == bindparam("named"),
)
COUNT = Prepared(
    update(rejection).where(*_THIS).values(count=rejection.c.count + 1).returning(rejection.c.count),
)
BEGIN = Prepared(insert(rejection), rejection.columns)
ROWS_OF_DAY = Prepared(select(func.count()).select_from(rejection).where(rejection.c.day == bindparam("on")))
OLD = select(rejection.c.day).distinct().order_by(rejection.c.day.desc()).offset(DAYS).limit(1)
SINCE = Prepared(
    select(rejection.c.source, rejection.c.code, func.sum(rejection.c.count))
    .where(rejection.c.day >= bindparam("since"))
    .group_by(rejection.c.source, rejection.c.code)
    .order_by(rejection.c.source, rejection.c.code)
)


def count(connection: Connection, day: str, source: str, codes: Iterable[str]) -> None:
    """Count one refused message of a source on a day (YYYY-MM-DD), once under each of its codes."""
    for code in sorted(set(codes)):
        _count(connection, day, source[:LONGEST], code)


def since(connection: Connection, day: str) -> dict[str, Mapping[str, int]]:
    """Refused messages by source and code, that day and later."""
    found: dict[str, dict[str, int]] = {}
    for source, code, total in SINCE.rows(connection, {"since": day}):
        found.setdefault(source, {})[code] = int(total)
    return {source: counts for source, counts in found.items()}


def _count(connection: Connection, day: str, source: str, code: str) -> None:
    if COUNT.rows(connection, {"on": day, "of": source, "named": code}):
        return
    ((rows,),) = ROWS_OF_DAY.rows(connection, {"on": day})
    if rows >= MOST_A_DAY and source != OTHERS:
        _count(connection, day, OTHERS, code)
        return
    if not rows:
        _forget_old(connection)
    BEGIN.run(connection, {"day": day, "source": source, "code": code, "count": 1})


def _forget_old(connection: Connection) -> None:
    oldest = connection.execute(OLD).scalar()
    if oldest is not None:
        connection.execute(delete(rejection).where(rejection.c.day <= oldest))
