"""What may befall a transaction and is not its fault: the database is away, busy, slow, full, or others were faster."""

import sqlite3
import threading
import time
from collections.abc import Callable
from enum import Enum

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

PAUSE = 0.1
"""Seconds between two attempts to reach a database that is away."""


class Trouble(Enum):
    """Why nothing was stored; the value is a sentence that the sender may read."""

    AWAY = "the database does not answer"
    BUSY = "every connection to the database is in use"
    SLOW = "the database took too long"
    FULL = "the database has no room"
    MOVED = "the node is being moved to another database, which takes over in a moment"
    DISK = "the disk of the database refuses"
    DAMAGED = "the database is damaged"
    RACE = "others changed the same data at the same time"


class Unavailable(SQLAlchemyError):
    """Nothing was stored and nothing was read; the same request may go well later."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class InDoubt(SQLAlchemyError):
    """The connection was lost during COMMIT, and no database could say what became of it: it may be stored or not."""

    def __init__(self) -> None:
        super().__init__("the connection to the database was lost while it stored the change")


SQLSTATES = {
    "40001": Trouble.RACE,  # serialization_failure: running the work again is right
    "40P01": Trouble.RACE,  # deadlock_detected
    "53300": Trouble.BUSY,  # too_many_connections
    "57014": Trouble.SLOW,  # query_canceled: statement_timeout, or an administrator
    "55P03": Trouble.SLOW,  # lock_not_available
    "25006": Trouble.AWAY,  # read_only_sql_transaction: what was the primary is a standby now
    "XX001": Trouble.DAMAGED,  # data_corrupted
    "XX002": Trouble.DAMAGED,  # index_corrupted
}
CLASSES = {"08": Trouble.AWAY, "57": Trouble.AWAY, "53": Trouble.FULL}
"""Connection exceptions, operator intervention (shutdown, crash, start-up), insufficient resources."""

SQLITE = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_BUSY: Trouble.SLOW,
    sqlite3.SQLITE_IOERR: Trouble.DISK,
    sqlite3.SQLITE_READONLY: Trouble.DISK,
    sqlite3.SQLITE_CANTOPEN: Trouble.DISK,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
}
"""Primary result codes; all others are defects."""
PRIMARY = 0xFF
RESTORE = "restore it from a backup, together with the documents"
"""Who does so loses what came after the backup, so it is said of what is damaged, and of nothing else."""
REMEDIES = {
    Trouble.DAMAGED: RESTORE,
    Trouble.FULL: "make room on its disk and start again: nothing is lost",
    Trouble.SLOW: "another program holds it: end that, and start again",
    Trouble.DISK: "let this user write the file and its directory, or mend the disk: nothing says that it is damaged",
}
UNFORESEEN = "nothing says that it is damaged: report it, with the trace that --debug shows"


def trouble(error: Exception) -> Trouble | None:
    """Judge an error by its SQLSTATE or SQLite's code; None: it is a defect, of the work or of the database."""
    if isinstance(error, PoolTimeout):
        return Trouble.BUSY
    if isinstance(error, IntegrityError):
        return Trouble.RACE
    if (code := _sqlite_code(error)) is not None:
        return SQLITE.get(code & PRIMARY)
    if not isinstance(error, DBAPIError):
        return None
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return SQLSTATES.get(state) or CLASSES.get(state[:2])
    # Without a word of the server: it was not reached, or the connection broke.
    return Trouble.AWAY if error.connection_invalidated or isinstance(error, OperationalError) else None


def remedy(error: Exception) -> str:
    """What an operator does about a file of SQLite that cannot be opened."""
    found = trouble(error)
    return REMEDIES.get(found, UNFORESEEN) if found else UNFORESEEN


def told_by_sqlite(error: Exception) -> Exception:
    """What the caller of a work is told whose error this is: Unavailable, InDoubt, or the error itself.

    Where the log could not be made durable, its last frames may be there all the same, and a crash before the next
    commit would bring them back.
    """
    if _sqlite_code(error) == sqlite3.SQLITE_IOERR_FSYNC:
        told: Exception = InDoubt()
    elif isinstance(error, IntegrityError) or (found := trouble(error)) is None:
        return error
    else:
        told = Unavailable(found)
    told.__cause__ = error
    return told


def _sqlite_code(error: Exception) -> int | None:
    """The extended result code, None for the error of anything else."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlite_errorcode", None) if isinstance(origin, sqlite3.Error) else None


class Outage:
    """Since when the database is away, for all threads: none waits longer than ``patience`` seconds from then on."""

    def __init__(
        self, patience: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._since: float | None = None
        self._guard = threading.Lock()

    @property
    def seconds(self) -> float:
        """How long it lasts, 0 for none."""
        since = self._since
        return 0.0 if since is None else self._clock() - since

    def wait(self) -> bool:
        """Wait a moment before another attempt; False: it has lasted longer than a request may wait."""
        with self._guard:
            begins = self._since is None
            if self._since is None:
                self._since = self._clock()
        left = self._patience - self.seconds
        if left <= 0:
            return False
        if not begins:  # a connection that a restart has cut is replaced at once
            self._sleep(min(PAUSE, left))
        return True

    def over(self) -> None:
        """The database has answered."""
        self._since = None
