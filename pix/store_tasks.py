"""What waits for a person to decide, over ``pix.tables``."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from ihe.identifiers import PatientKey
from pix.decisions import pair
from pix.tables import WAITING, event, task
from pix.tasks import Kind, Opened, Task
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared, ask_ahead

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
    select(func.max(event.c.number)).where(
        Among(event.c.record, "keys"),
        event.c.number > bindparam("since"),
        or_(
            *(event.c.type == each for each in ("identifier-changed", "national-ids-changed", "merged", "unmerged")),
            and_(event.c.type == "updated", event.c.before.is_not(None)),
        ),
    )
)
RECEIVED = Prepared(
    select(func.max(event.c.number)).where(
        Among(event.c.other, "keys"),
        event.c.number > bindparam("since"),
        or_(event.c.type == "merged", event.c.type == "unmerged"),
    )
)
"""What was merged into a record, or out of it, changes it as well."""


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
    """One task, open or closed, with the version in which a steward sees it."""
    row = BY_NUMBER.first(connection, {"this": number})
    return None if row is None else seen_now(connection, (read_task(row),))[0]


def seen_now(connection: Connection, tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Tasks in the versions in which a steward sees them: one who has not seen a record as it is shall not decide."""
    about = [{"keys": sorted(set(each.pair)), "since": each.version} for each in tasks]
    ask_ahead(connection, [(question, each) for each in about for question in (CHANGED, RECEIVED)])
    return tuple(replace(each, version=_latest(connection, each.pair, each.version)) for each in tasks)


def about(connection: Connection, keys: Collection[PatientKey]) -> tuple[Task, ...]:
    """The tasks about these records that are open, or that somebody chose to ignore, oldest first."""
    return tuple(map(read_task, ABOUT.rows(connection, {"keys": sorted(keys)})))


def closed_by(connection: Connection, key: PatientKey, number: int) -> tuple[Task, ...]:
    """The tasks about a record that an event closed although nobody had decided them, oldest first."""
    return tuple(map(read_task, CLOSED_BY.rows(connection, {"this": key, "number": number})))


def changed_since(connection: Connection, keys: Collection[PatientKey], number: int) -> bool:
    """Claim that something of these records became another after an event."""
    return _latest(connection, keys, number) > number


def _latest(connection: Connection, keys: Collection[PatientKey], since: int) -> int:
    """The last event since that one that changed one of the records, or that one."""
    about = {"keys": sorted(set(keys)), "since": since}
    return max(number or since for each in (CHANGED, RECEIVED) for (number,) in each.rows(connection, about))


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
