"""Notifications to be sent, and the lists of ids that were last, over ``pix.tables_notifications``."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, delete, func, insert, select, update

from ihe.datatypes import CX, HD
from ihe.identifiers import PatientKey
from pix import store_links
from pix.model import PersonName
from pix.snapshot import plain
from pix.tables import link
from pix.tables_notifications import listed as listing
from pix.tables_notifications import notification
from pix.update_notifications import Attempt, Backlog, Key, Notification, Posted, State
from statements.among import Among
from statements.prepared import Prepared

PARTED = Prepared(select(link.c.person).where(Among(link.c.ended_by, "events")).order_by(link.c.person))
LISTED = Prepared(
    select(listing.c.person, listing.c.identifiers).where(Among(listing.c.person, "persons")).order_by(listing.c.person)
)
LIST = Prepared(insert(listing), listing.columns)
UNLIST = Prepared(delete(listing).where(Among(listing.c.person, "persons")))
POST = Prepared(insert(notification), [each for each in notification.columns if each is not notification.c.number])
TRIED = (
    update(notification)
    .where(notification.c.number == bindparam("this"), notification.c.state == State.PENDING.value)
    .values({name: bindparam(f"now_{name}") for name in ("state", "attempts", "due", "error")})
)
MOST_SHOWN = 10_000


def persons_concerned(
    connection: Connection, records: Collection[PatientKey], events: Collection[int]
) -> set[PatientKey]:
    """The persons that the records are now, and those that a link led to which one of the events ended."""
    parted = {PatientKey(person) for (person,) in PARTED.rows(connection, {"events": events})}
    return parted | set(store_links.persons_of(connection, records).values())


def listed(connection: Connection, persons: Collection[PatientKey]) -> dict[PatientKey, frozenset[Key]]:
    """The lists that the last change left of the persons, as far as they are known."""
    rows = LISTED.rows(connection, {"persons": persons})
    return {PatientKey(person): frozenset((oid, id) for oid, id in json.loads(text)) for person, text in rows}


def list_anew(
    connection: Connection, persons: Collection[PatientKey], lists: Mapping[PatientKey, Collection[Key]]
) -> None:
    """Remember the lists in place of all that was known of the persons."""
    UNLIST.run(connection, {"persons": persons})
    LIST.run_all(
        connection,
        [{"person": person, "identifiers": json.dumps(sorted(keys))} for person, keys in sorted(lists.items())],
    )


def forget_lists(connection: Connection) -> None:
    """Forget every list: while nobody is told, nobody keeps them."""
    connection.execute(delete(listing))


def post(connection: Connection, posted: Iterable[Posted], at: str) -> None:
    """Add notifications that wait to be sent."""
    fixed = {"at": at, "state": State.PENDING.value, "attempts": 0, "due": at, "error": None}
    POST.run_all(
        connection,
        [
            {
                "subscriber": each.subscriber,
                "person": each.person,
                "message_id": secrets.token_hex(16),
                "content": _content(each),
                **fixed,
            }
            for each in posted
        ],
    )


def pending(connection: Connection, subscriber: str, limit: int) -> tuple[Notification, ...]:
    """The oldest that wait, in order."""
    return in_state(connection, (State.PENDING,), subscriber, limit)


def in_state(
    connection: Connection, states: Collection[State], subscriber: str | None = None, limit: int = MOST_SHOWN
) -> tuple[Notification, ...]:
    """The oldest that are in one of the states, of all subscribers or of one."""
    wanted = select(notification).where(notification.c.state.in_([each.value for each in states]))
    if subscriber is not None:
        wanted = wanted.where(notification.c.subscriber == subscriber)
    return tuple(map(_notification, connection.execute(wanted.order_by(notification.c.number).limit(limit))))


def by_numbers(connection: Connection, numbers: Collection[int]) -> tuple[Notification, ...]:
    """The notifications with these numbers."""
    wanted = select(notification).where(notification.c.number.in_(numbers)).order_by(notification.c.number)
    return tuple(map(_notification, connection.execute(wanted)))


def note_attempts(connection: Connection, attempts: Iterable[Attempt]) -> None:
    """Write down how attempts ended; what another node has brought to its end meanwhile stays there."""
    rows = [
        {
            "this": each.number,
            "now_state": each.state.value,
            "now_attempts": each.attempts,
            "now_due": _text(each.due),
            "now_error": each.error,
        }
        for each in attempts
    ]
    if rows:
        connection.execute(TRIED, rows)


def send_again(connection: Connection, number: int, at: datetime) -> None:
    """Let a dead letter wait again, as a new message: the receiver refused the one with the old id for good."""
    fresh = {"state": State.PENDING.value, "attempts": 0, "due": _text(at), "message_id": secrets.token_hex(16)}
    connection.execute(_dead(number).values(fresh))


def set_aside(connection: Connection, number: int) -> None:
    """Give up a dead letter whose list has changed since."""
    outdated = {"state": State.OUTDATED.value}
    connection.execute(_dead(number).values(outdated))


def give_up_others(connection: Connection, subscribers: Collection[str]) -> None:
    """Let what waits for anybody but these subscribers be dead letters.

    While one is not subscribed nothing is added for it, so that a list that waits may be untrue once it comes back.
    """
    waiting = update(notification).where(
        notification.c.state == State.PENDING.value, notification.c.subscriber.not_in(sorted(subscribers))
    )
    connection.execute(waiting.values(state=State.DEAD.value, error="subscribers.toml named it no more"))


def drop_sent(connection: Connection, subscriber: str, before: datetime) -> None:
    """Delete what was sent and changed before that time."""
    settled = notification.c.state.in_([State.SENT.value, State.OUTDATED.value])
    old = (notification.c.subscriber == subscriber) & settled & (notification.c.at < _text(before))
    connection.execute(delete(notification).where(old))


def backlog(connection: Connection, subscriber: str) -> Backlog:
    """How much waits for a subscriber, and how much it refused."""
    mine = notification.c.subscriber == subscriber
    counted = select(notification.c.state, func.count()).where(mine).group_by(notification.c.state)
    counts = {state: int(count) for state, count in connection.execute(counted.order_by(notification.c.state))}
    oldest = pending(connection, subscriber, 1)
    return Backlog(
        pending=counts.get(State.PENDING, 0),
        dead=counts.get(State.DEAD, 0),
        oldest=oldest[0].at if oldest else None,
    )


def _dead(number: int) -> Update:
    return update(notification).where(notification.c.number == number, notification.c.state == State.DEAD.value)


def _content(posted: Posted) -> str:
    content = {"identifiers": plain(posted.identifiers), "names": plain(posted.names)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _notification(row: Row[Any]) -> Notification:
    content = json.loads(row.content)
    return Notification(
        number=row.number,
        subscriber=row.subscriber,
        person=PatientKey(row.person),
        message_id=row.message_id,
        identifiers=tuple(
            CX(each["id"], HD(**each["authority"]), each.get("type_code", "")) for each in content["identifiers"]
        ),
        names=tuple(PersonName(**each) for each in content["names"]),
        at=datetime.fromisoformat(row.at),
        state=State(row.state),
        attempts=row.attempts,
        due=datetime.fromisoformat(row.due),
        error=row.error,
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
