"""Many feeds in one transaction: a refused one leaves nothing behind, and keeps none of the others back."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from ihe.errors import Rejected
from ihe.exchange import Transactor
from pix.model import Feed, Origin
from pix.rendering import Rendering
from pix.store_tokens import inserted_together

Entry = tuple[Feed, Origin, Rendering | None]
"""A feed, who sent it, and what a second process worked out of it."""
Register = Callable[[Connection, Entry], None]
Verdicts = tuple[Rejected | None, ...]
"""Of each feed: why it was refused, None if it is stored."""

Way = Callable[[Connection, Sequence[Entry], Register], Verdicts]
"""How one transaction registers the feeds: ``all_of`` or ``each_of``."""
Keep = Callable[[Connection, Verdicts], None]
"""Writes, in the transaction of the feeds, what tells that they are done."""


class Refused(Exception):
    """One of the feeds was refused; what was written of the batch is to be rolled back."""


def load(database: Transactor[Connection], entries: Sequence[Entry], register: Register, keep: Keep) -> Verdicts:
    """Register feeds in order, in one transaction; again and one by one if any of them is refused."""

    def transaction(connection: Connection, how: Way) -> Verdicts:
        verdicts = how(connection, entries, register)
        keep(connection, verdicts)
        return verdicts

    try:
        return database.write(lambda connection: transaction(connection, all_of))
    except Refused:
        return database.write(lambda connection: transaction(connection, each_of))


def all_of(connection: Connection, entries: Sequence[Entry], register: Register) -> Verdicts:
    """Register feeds of which none is refused; Refused otherwise. It does without a savepoint for each feed."""
    with inserted_together(connection):
        for each in entries:
            try:
                register(connection, each)
            except Rejected as rejected:
                raise Refused from rejected
    return (None,) * len(entries)


def each_of(connection: Connection, entries: Sequence[Entry], register: Register) -> Verdicts:
    """Register each feed on its own, in a savepoint."""
    return tuple(_verdict(connection, each, register) for each in entries)


def _verdict(connection: Connection, entry: Entry, register: Register) -> Rejected | None:
    try:
        with connection.begin_nested():
            register(connection, entry)
    except Rejected as rejected:
        return rejected
    return None
