"""The tables of the patient index made anew from its log, or compared with it: ``affinity db rebuild``."""

from sqlalchemy import Connection, text

from affinity.database import Database
from pix import event_log, replay
from pix.locks import wait_until_alone
from pix.replay import Progress, Rebuilt

# What locks no record writes to the log before it writes anywhere else, so this keeps it waiting.
ALONE = "LOCK TABLE pix_event IN EXCLUSIVE MODE"


class _TakenBack(Exception):
    """Ends the transaction of a check."""

    def __init__(self, found: Rebuilt) -> None:
        super().__init__("a check leaves nothing behind")
        self.found = found


def length(database: Database) -> int:
    """How many events a rebuild replays."""
    return database.read(event_log.length)


def rebuild(database: Database, progress: Progress) -> Rebuilt:
    """Replay the log in one transaction. UnreadableLog: nothing was changed."""
    return database.write(lambda connection: _alone(connection, progress))


def check(database: Database, progress: Progress) -> Rebuilt:
    """Replay the log and take everything back. UnreadableLog: it cannot be replayed."""

    def work(connection: Connection) -> Rebuilt:
        raise _TakenBack(_alone(connection, progress))

    try:
        return database.write(work)
    except _TakenBack as end:
        return end.found


def _alone(connection: Connection, progress: Progress) -> Rebuilt:
    wait_until_alone(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(text(ALONE))
    return replay.rebuild(connection, progress)
