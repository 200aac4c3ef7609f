"""A change tried out: everything happens as it would, in a transaction that is taken back.

On SQLite nobody else writes meanwhile. On PostgreSQL others do, and must not wait: the tables that the trial writes
are copies of its own, of the same names, which stand before the real ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, text

from ihe.exchange import Transactor
from pix.tables import blocking, event, link, match, task

Result = TypeVar("Result")
COPIED = (blocking, link, match, task)
"""Tables that a rematch changes, besides the log, which begins empty."""


class _TakenBack(Exception, Generic[Result]):
    def __init__(self, result: Result) -> None:
        super().__init__("a trial leaves nothing behind")
        self.result = result


@dataclass(frozen=True, slots=True)
class Inside:
    """A database inside one transaction."""

    connection: Connection

    def read(self, work: Callable[[Connection], Any]) -> Any:
        """See what the trial did so far."""
        return work(self.connection)

    def write(self, work: Callable[[Connection], Any]) -> Any:
        """Do more."""
        return work(self.connection)


def try_out(database: Transactor[Connection], work: Callable[[Transactor[Connection]], Result]) -> Result:
    """Run ``work`` on a database that forgets everything afterwards."""

    def transaction(connection: Connection) -> Result:
        if connection.dialect.name == "postgresql":
            _stand_before(connection)
        raise _TakenBack(work(Inside(connection)))

    try:
        return database.write(transaction)
    except _TakenBack as end:
        result: Result = end.result
        return result


def _stand_before(connection: Connection) -> None:
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    first = connection.execute(text("SELECT nextval(pg_get_serial_sequence('pix_event', 'number'))")).scalar_one()
    for table in (*COPIED, event):
        made = f"CREATE TEMPORARY TABLE trial_{table.name} (LIKE {table.name} INCLUDING DEFAULTS INCLUDING INDEXES)"
        connection.execute(text(f"{made} ON COMMIT DROP"))
        if table is not event:
            connection.execute(text(f"INSERT INTO trial_{table.name} SELECT * FROM {table.name}"))
    for table in (*COPIED, event):
        connection.execute(text(f"ALTER TABLE trial_{table.name} RENAME TO {table.name}"))
        connection.execute(text(f"ANALYZE {table.name}"))
    numbers = f"CREATE TEMPORARY SEQUENCE trial_numbers START WITH {first} OWNED BY {event.name}.number"
    connection.execute(text(numbers))
    # Statements that this connection prepared before know the real tables.
    connection.execute(text("DISCARD PLANS"))
