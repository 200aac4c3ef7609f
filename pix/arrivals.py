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
from pix.newcomers import Newcomers
from pix.rendering import Rendering, render, subject_of


class Arrival:
    """One message, received ``at``; ``is_registered`` while it is, along with others, in a transaction under way."""

    rendering: Rendering

    def __init__(self, feed: Feed, origin: Origin, at: datetime) -> None:
        self.origin = origin
        self.at = at
        self.is_registered = False
        self._feed = feed

    def prepare(self) -> None:
        """Work out all that the patient makes."""
        self.rendering = render(self._feed)

    @property
    def patient(self) -> tuple[str, str]:
        """The authority (OID) and the id of the record."""
        ((authority, id, _),) = self.rendering.own
        return authority, id

    @property
    def message(self) -> tuple[str, str]:
        """Who sent it, and under which id."""
        return self.origin.source, self.origin.message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How an index registers: ``begin`` makes the change of a message, and ``follow`` is told of all of them."""

    begin: Callable[[Connection, Origin, datetime, Write], Change]
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
    times = {id(each.origin): each.at for each in new}

    def begin(origin: Origin, write: Write) -> Change:
        return means.begin(connection, origin, times[id(origin)], write)

    newcomers = Newcomers(connection, means.configuration, begin)
    done = new[: newcomers.add([(each.origin, each.rendering) for each in new])]
    changes = newcomers.write()
    receipts.keep(connection, [(each.origin, each.timestamp) for each in changes])
    for told in (each.rendering for each in done):
        comparing.remember_seen(told.text, told.linking, subject_of(told.subject))
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
