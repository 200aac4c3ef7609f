"""Pairs of records that the matcher takes for one person, or for a person to look at, over ``pix.tables``."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, or_, select

from ihe.identifiers import PatientKey
from pix.decisions import Match, Pair, pair
from pix.tables import match
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared, upsert

PUT = upsert(match, ("outcome", "weight", "reason", "event"))
REMOVE = Prepared(delete(match).where(match.c.low == bindparam("one"), match.c.high == bindparam("other")))
FORGET = Prepared(delete(match).where(or_(match.c.low == bindparam("this"), match.c.high == bindparam("this"))))
BETWEEN = Prepared(
    select(match.c.low, match.c.high, match.c.outcome, match.c.weight, match.c.reason, match.c.event)
    .where(match.c.low == bindparam("one"), match.c.high == bindparam("other"))
    .order_by(match.c.low)
)
AMONG = Prepared(
    select(match.c.low, match.c.high, match.c.outcome, match.c.weight, match.c.reason, match.c.event)
    .where(or_(Among(match.c.low, "keys"), Among(match.c.high, "keys")))
    .order_by(match.c.weight.desc(), match.c.low, match.c.high)
)


def put(connection: Connection, match: Match) -> None:
    """Keep a verdict in place of an earlier one."""
    low, high = match.pair
    verdict = {"outcome": match.outcome, "weight": match.weight, "reason": match.reason, "event": match.event}
    PUT[connection.dialect.name].run(connection, {"low": low, "high": high, **verdict})


def remove(connection: Connection, two: Pair) -> None:
    """Remove the verdict on two records."""
    REMOVE.run(connection, {"one": two[0], "other": two[1]})


def forget(connection: Connection, key: PatientKey) -> None:
    """Remove every verdict on a record."""
    FORGET.run(connection, {"this": key})


def matches(connection: Connection, keys: Collection[PatientKey]) -> tuple[Match, ...]:
    """All verdicts on these records, the heaviest first."""
    return tuple(map(_match, AMONG.rows(connection, {"keys": sorted(keys)})))


def between(connection: Connection, two: Pair) -> Match | None:
    """The verdict on two records."""
    row = BETWEEN.first(connection, {"one": two[0], "other": two[1]})
    return None if row is None else _match(row)


def _match(row: Row) -> Match:
    low, high, outcome, weight, reason, event = row
    two = pair(PatientKey(low), PatientKey(high))
    return Match(pair=two, outcome=outcome, weight=weight, reason=reason, event=event)
