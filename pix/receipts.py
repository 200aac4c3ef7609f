"""What was answered to each message, so that a message sent again is answered again and not applied twice."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from pix.journal import Change
from pix.model import Origin
from pix.tables import receipt
from statements.among import Among
from statements.prepared import Prepared, Question

STORED = Prepared(
    select(receipt.c.digest, receipt.c.answer).where(
        receipt.c.source == bindparam("of"), receipt.c.message_id == bindparam("named")
    )
)
CLAIM = {
    "sqlite": Prepared(sqlite.insert(receipt).on_conflict_do_nothing(), receipt.columns),
    "postgresql": Prepared(postgresql.insert(receipt).on_conflict_do_nothing(), receipt.columns),
}
"""A message is new where its row is: hardly any is sent again, so to look first would be to look in vain."""
KEEP = Prepared(insert(receipt), receipt.columns)
ANSWERED = Prepared(
    select(receipt.c.message_id)
    .where(receipt.c.source == bindparam("of"), Among(receipt.c.message_id, "named"))
    .order_by(receipt.c.message_id)
)
PURGED = 1000
"""Most receipts that one transaction deletes, so that no feed waits for long."""
EXPIRED = Prepared(
    select(receipt.c.source, receipt.c.message_id)
    .where(receipt.c.at < bindparam("until"))
    .order_by(receipt.c.at)
    .limit(PURGED)
)
DELETE = Prepared(
    delete(receipt).where(receipt.c.source == bindparam("of"), receipt.c.message_id == bindparam("named"))
)


def answered_before(change: Change) -> bytes | None:
    """The answer given before; None for a new message, whose answer is remembered in the transaction that it confirms.

    Rejected if the id was used for other content.
    """
    origin = change.origin
    while not CLAIM[change.connection.dialect.name].adds(change.connection, _claim(change)):
        stored = STORED.first(change.connection, {"of": origin.source, "named": origin.message_id})
        if stored is None:
            continue  # purged at this moment
        digest, answer = stored
        if digest != origin.digest:
            raise Rejected(_used_before(origin.message_id))
        return bytes(answer)
    return None


def asking_answered_before(change: Change) -> Question:
    """What ``answered_before`` asks."""
    return CLAIM[change.connection.dialect.name], _claim(change)


def answered(connection: Connection, messages: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the messages, each by its source and its id, that were answered before."""
    by_source: defaultdict[str, list[str]] = defaultdict(list)
    for source, message_id in messages:
        by_source[source].append(message_id)
    return {
        (source, message_id)
        for source, some in by_source.items()
        for (message_id,) in ANSWERED.rows(connection, {"of": source, "named": some})
    }


def keep(connection: Connection, given: Collection[tuple[Origin, str]]) -> None:
    """Remember the answers to messages that are new, and when they were applied."""
    rows = [(each.source, each.message_id, each.digest, each.answer, at) for each, at in given]
    KEEP.insert(connection, sorted(rows))


def purge(connection: Connection, before: datetime) -> int:
    """Forget what was answered earlier, the oldest first and at most ``PURGED``; how many receipts that were."""
    rows = EXPIRED.rows(connection, {"until": before.astimezone(UTC).isoformat()})
    DELETE.run_all(connection, [{"of": source, "named": message_id} for source, message_id in rows])
    return len(rows)


def _claim(change: Change) -> dict[str, object]:
    origin = change.origin
    row = {"source": origin.source, "message_id": origin.message_id, "digest": origin.digest}
    return {**row, "answer": origin.answer, "at": change.timestamp}


def _used_before(message_id: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="This sender used the same message id before for a message with other content",
        location="MSH^1^10",
        observed=message_id,
        citation=tf2("3.30.5.1"),
        remedy="Give each message its own id; only a message sent again unchanged keeps its id",
    )
