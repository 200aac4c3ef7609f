"""What waits for a person to decide, over ``pix.tables``."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from ihe.identifiers import PatientKey
from pix.decisions import pair
from pix.tables import WAITING, event, task
from pix.tasks import Kind, Opened, Task
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared

THIS = task.c.number == bindparam("this")
COLUMNS = (
    task.c.number,
    task.c.kind,
    task.c.low,
    task.c.high,
    task.c.reason,
    task.c.closed_by,
    task.c.decision,
    task.c.owner,
    task.c.version,
)
OPEN = Prepared(insert(task), task.columns)
CLOSE = Prepared(update(task).where(THIS, WAITING), ("closed_by", "version"))
CLOSE_OF = Prepared(
    update(task).where(or_(task.c.low == bindparam("this"), task.c.high == bindparam("this")), WAITING),
    ("closed_by", "version"),
)
DECIDE = Prepared(update(task).where(THIS), ("closed_by", "version", "decision"))
ASSIGN = Prepared(update(task).where(THIS), ("owner", "version"))
BY_NUMBER = Prepared(select(*COLUMNS).where(THIS))
ABOUT = Prepared(
    select(*COLUMNS)
    .where(or_(Among(task.c.low, "keys"), Among(task.c.high, "keys")), or_(WAITING, task.c.decision == "ignore"))
    .order_by(task.c.number)
)
CLOSED_BY = Prepared(
    select(*COLUMNS)
    .where(
        or_(task.c.low == bindparam("this"), task.c.high == bindparam("this")),
        task.c.closed_by == bindparam("number"),
        task.c.decision.is_(None),
    )
    .order_by(task.c.number)
)
CHANGED = Prepared(
    select(event.c.number)
    .where(
        Among(event.c.record, "keys"),
        event.c.number > bindparam("since"),
        or_(
            *(event.c.type == each for each in ("identifier-changed", "national-ids-changed", "merged", "unmerged")),
            and_(event.c.type == "updated", event.c.before.is_not(None)),
        ),
    )
    .limit(1)
)


def open_task(connection: Connection, opened: Opened) -> None:
    """Put two records before a person."""
    low, high = opened.pair
    row = {"number": opened.number, "kind": opened.kind, "low": low, "high": high, "reason": opened.reason}
    state = {"opened_by": opened.number, "closed_by": None, "decision": None, "owner": None, "version": opened.number}
    OPEN.run(connection, row | state)


def close(connection: Connection, numbers: Iterable[int], event: int) -> None:
    """Withdraw what no longer needs a person."""
    CLOSE.run_all(connection, [{"this": number, "closed_by": event, "version": event} for number in numbers])


def close_of(connection: Connection, key: PatientKey, event: int) -> None:
    """Withdraw all that waits about a record."""
    CLOSE_OF.run(connection, {"this": key, "closed_by": event, "version": event})


def assign(connection: Connection, number: int, owner: str | None, event: int) -> None:
    """Give a task to somebody, or to nobody."""
    ASSIGN.run(connection, {"this": number, "owner": owner, "version": event})


def decide(connection: Connection, number: int, decision: str, event: int) -> None:
    """Close a task by what a person decided."""
    DECIDE.run(connection, {"this": number, "decision": decision, "closed_by": event, "version": event})


def by_number(connection: Connection, number: int) -> Task | None:
    """One task, open or closed."""
    row = BY_NUMBER.first(connection, {"this": number})
    return None if row is None else read_task(row)


def about(connection: Connection, keys: Collection[PatientKey]) -> tuple[Task, ...]:
    """The tasks about these records that are open, or that somebody chose to ignore, oldest first."""
    return tuple(map(read_task, ABOUT.rows(connection, {"keys": sorted(keys)})))


def closed_by(connection: Connection, key: PatientKey, number: int) -> tuple[Task, ...]:
    """The tasks about a record that an event closed although nobody had decided them, oldest first."""
    return tuple(map(read_task, CLOSED_BY.rows(connection, {"this": key, "number": number})))


def changed_since(connection: Connection, keys: Collection[PatientKey], number: int) -> bool:
    """Claim that something of these records became another after an event."""
    return CHANGED.first(connection, {"keys": keys, "since": number}) is not None


def open_by_kind(connection: Connection) -> dict[Kind, int]:
    """How many tasks wait for a person, of each kind."""
    counted = select(task.c.kind, func.count()).where(WAITING).group_by(task.c.kind).order_by(task.c.kind)
    found = {Kind(kind): int(count) for kind, count in connection.execute(counted)}
    return {kind: found.get(kind, 0) for kind in Kind}


def read_task(row: Row) -> Task:
    """A row of ``COLUMNS`` as a value."""
    number, kind, low, high, reason, closed_by, decision, owner, version = row
    return Task(
        number=number,
        kind=Kind(kind),
        pair=pair(PatientKey(low), PatientKey(high)),
        reason=reason,
        closed_by=closed_by,
        decision=decision,
        owner=owner,
        version=version,
    )
