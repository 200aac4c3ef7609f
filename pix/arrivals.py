"""Messages that share a commit and announce patients whom nobody knew: registered together, as a load does it.

What becomes of each is what ``pix.registration`` would make of it in its turn. A message whose id is known, or that was
sent before, or that linking must look at alone, is left to it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pix import comparing, receipts, store_newcomers
from pix.journal import Change, Write
from pix.matching.configuration import Configuration
from pix.model import Feed, Origin
from pix.newcomers import Line, Newcomers
from pix.numbering import Numbers
from pix.rendering import Rendering, render
from pix.store_blocking import seen_with


class Arrival:
    """One message, received ``at``; ``is_registered`` while it is, along with others, in a transaction under way."""

    rendering: Rendering
    patient: tuple[str, str]
    """The authority (OID) and the id of the record."""

    def __init__(self, feed: Feed, origin: Origin, at: datetime) -> None:
        self.origin = origin
        self.message = (origin.source, origin.message_id)
        self.at = at
        self.is_registered = False
        self._feed = feed

    def prepare(self) -> None:
        """Work out all that the patient makes."""
        self.rendering = render(self._feed)
        ((authority, id, _),) = self.rendering.own
        self.patient = (authority, id)

    def remember(self) -> None:
        """The record will soon be compared with its family: how it is seen is known already."""
        linking = self.rendering.linking
        comparing.remember_seen(self.rendering.text, linking, seen_with(self._feed.demographics, linking))


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How an index registers: ``begin`` makes the change of a message, and ``follow`` is told of all of them.

    ``numbers`` gives keys and numbers of events in a transaction.
    """

    begin: Callable[[Connection, Origin, datetime, Write], Change]
    numbers: Callable[[Connection], Numbers]
    follow: Callable[[Sequence[Change]], None]
    configuration: Configuration


@contextmanager
def registered(means: Means, connection: Connection, arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """Those that are registered, receipts included, as long as the context lasts: then they are committed, or gone."""
    done = _register(means, connection, arrivals)
    for each in done:
        each.is_registered = True
    try:
        yield done
    finally:
        for each in done:
            each.is_registered = False


def _register(means: Means, connection: Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    new = _new(connection, arrivals)
    times = {each.message: each.at for each in new}

    def begin(origin: Origin, write: Write) -> Change:
        return means.begin(connection, origin, times[origin.source, origin.message_id], write)

    newcomers = Newcomers(connection, means.configuration, begin, means.numbers(connection))
    done = new[: newcomers.add([Line(each.origin, each.rendering) for each in new])]
    changes = newcomers.write()
    receipts.keep(connection, [(each.origin, each.timestamp) for each in changes])
    for each in done:
        each.remember()
    means.follow(changes)
    return done


def _new(connection: Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those whose patient and whose message nobody knows; of several about one patient the first."""
    known = store_newcomers.known(connection, {each.patient for each in arrivals})
    answered = receipts.answered(connection, {each.message for each in arrivals})
    found = []
    for each in arrivals:
        if each.patient not in known and each.message not in answered:
            known.add(each.patient)
            answered.add(each.message)
            found.append(each)
    return found
