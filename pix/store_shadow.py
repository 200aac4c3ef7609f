"""What a configuration on trial would decide in another way, over ``pix.tables_trial``. Bounded: the latest pairs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from ihe.identifiers import PatientKey
from pix.decisions import Pair, pair
from pix.tables_trial import shadow
from statements.prepared import Prepared

KEPT = 20_000
"""Most pairs that are kept; a trial that differs more often has shown what it had to show."""
PUT = Prepared(
    insert(shadow).returning(shadow.c.number), [each for each in shadow.columns if each is not shadow.c.number]
)
FORGET = Prepared(delete(shadow).where(or_(shadow.c.low == bindparam("this"), shadow.c.high == bindparam("this"))))
EXPIRE = Prepared(delete(shadow).where(shadow.c.number <= bindparam("last")))
LATEST = Prepared(
    select(shadow.c.low, shadow.c.high, shadow.c.at, shadow.c.outcome, shadow.c.tried, shadow.c.detail)
    .where(shadow.c.outcome == bindparam("was"), shadow.c.tried == bindparam("would_be"))
    .order_by(shadow.c.number.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two records with their outcome, the one that they would have, and both comparisons as JSON has them."""

    pair: Pair
    at: str
    outcome: str
    tried: str
    detail: Mapping[str, Any]


def forget(connection: Connection, key: PatientKey) -> None:
    """Drop what was found about a record before."""
    FORGET.run(connection, {"this": key})


def put(connection: Connection, found: Difference) -> None:
    """Keep a difference about two records of which nothing is kept; the oldest gives way."""
    low, high = found.pair
    detail = json.dumps(found.detail, ensure_ascii=False, separators=(",", ":"))
    row = {"low": low, "high": high, "at": found.at, "outcome": found.outcome, "tried": found.tried, "detail": detail}
    ((number,),) = PUT.rows(connection, row)
    EXPIRE.run(connection, {"last": number - KEPT})


def counts(connection: Connection) -> Mapping[tuple[str, str], int]:
    """How many pairs have one outcome and would have another, in order."""
    kinds = (shadow.c.outcome, shadow.c.tried)
    rows = connection.execute(select(*kinds, func.count()).group_by(*kinds).order_by(*kinds))
    return {(outcome, tried): number for outcome, tried, number in rows}


def latest(connection: Connection, outcome: str, tried: str, most: int) -> tuple[Difference, ...]:
    """The newest differences of one kind."""
    rows = LATEST.rows(connection, {"was": outcome, "would_be": tried, "most": most})
    return tuple(
        Difference(
            pair=pair(PatientKey(low), PatientKey(high)),
            at=at,
            outcome=outcome,
            tried=tried,
            detail=json.loads(detail),
        )
        for low, high, at, outcome, tried, detail in rows
    )


def clear(connection: Connection) -> int:
    """Forget all; how many there were."""
    return connection.execute(delete(shadow)).rowcount
