"""Many feeds in one transaction: a refused one leaves nothing behind, and keeps none of the others back."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from ihe.errors import Rejected
from pix.model import Feed, Origin

Entry = tuple[Feed, Origin]
Register = Callable[[Connection, Feed, Origin], None]
Verdicts = tuple[Rejected | None, ...]
"""Of each feed: why it was refused, None if it is stored."""

Way = Callable[[Connection, Sequence[Entry], Register], Verdicts]


class Refused(Exception):
    """One of the feeds was refused; what was written of the batch is to be rolled back."""


def all_of(connection: Connection, entries: Sequence[Entry], register: Register) -> Verdicts:
    """Register feeds of which none is refused; Refused otherwise. It does without a savepoint for each feed."""
    for feed, origin in entries:
        try:
            register(connection, feed, origin)
        except Rejected as rejected:
            raise Refused from rejected
    return (None,) * len(entries)


def each_of(connection: Connection, entries: Sequence[Entry], register: Register) -> Verdicts:
    """Register each feed on its own, in a savepoint."""
    return tuple(_verdict(connection, feed, origin, register) for feed, origin in entries)


def _verdict(connection: Connection, feed: Feed, origin: Origin, register: Register) -> Rejected | None:
    try:
        with connection.begin_nested():
            register(connection, feed, origin)
    except Rejected as rejected:
        return rejected
    return None
