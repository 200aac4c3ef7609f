"""Records that nobody knew, many at once: compared, linked and written as feeds one by one would do it.

What they may have to do with is read together; each is then decided in its turn, with those before it in mind; and
their rows are written together at the end, in the order of the indexes. ``pix.registration`` does the same for one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import comparing
from pix.decisions import Match, pair
from pix.events import Event, Linked, Matched, Remarked, TaskOpened, TasksClosed
from pix.gathering import Gathered
from pix.journal import Change, Write, event_row, headline
from pix.linking import LARGEST, reevaluate
from pix.matching.configuration import Configuration
from pix.matching.subject import Subject
from pix.meeting import Comer, Meeting, Met
from pix.model import Origin
from pix.numbering import Numbers
from pix.persons import Member
from pix.recent import Recent
from pix.rendering import Rendering, subject_of
from pix.scouting import Scout, Sighting
from pix.store_newcomers import Rows
from pix.tasks import Opened

Begin = Callable[[Origin, Write], Change]
"""Begins the change of one line, whose events are written this way."""


class Line(NamedTuple):
    """A patient who is new, where it came from, and what a scout saw of the index, if one looked."""

    origin: Origin
    rendering: Rendering
    sighting: Sighting | None = None


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A line, the key that its record will have, what the matcher sees of it, and whom it met."""

    key: PatientKey
    origin: Origin
    rendering: Rendering
    subject: Subject
    met: Met


class Newcomers:
    """New records of one transaction; ``write`` puts them into the tables, where nothing of them is before.

    ``recent`` are records that scouts did not see, of transactions before; without it no scout has looked.
    """

    def __init__(
        self,
        connection: Connection,
        configuration: Configuration,
        begin: Begin,
        numbers: Numbers,
        recent: Recent | None = None,
    ) -> None:
        self._connection = connection
        self._begin = begin
        self._numbers = numbers
        self._recent = recent or Recent()
        self._scout = Scout(connection, configuration)
        self._meeting = Meeting(self._recent, configuration)
        self._gathered = Gathered(connection)
        self._rows = Rows()
        self._changes: list[Change] = []

    def add(self, lines: Sequence[Line]) -> int:
        """Add records in order; how many, fewer than there are lines if the next one must be looked at alone.

        After that nothing more can be added.
        """
        some = [
            self._met(key, each.origin, comer)
            for key, each, comer in zip(self._numbers.keys(len(lines)), lines, self._comers(lines), strict=True)
        ]
        self._gathered.gather(key for each in some for key in each.met.connected if not self._numbers.is_new(key))
        for count, each in enumerate(some):
            if not self._is_within_reach(each):
                self._recent.drop(left.key for left in some[count:])
                return count
            self._register(each)
        return len(lines)

    def write(self) -> list[Change]:
        """Write what was added; what each line changed."""
        # Each change knows how its events are written, so this object: kept here as well, they would wait for Python
        # to look for garbage, with all that a batch was made of.
        changes, self._changes = self._changes, []
        if changes:
            self._rows.insert(self._connection)
            self._numbers.end()
        return changes

    def _comers(self, lines: Sequence[Line]) -> list[Comer]:
        """Each line with what a scout saw of others; where none did, or what it saw is not enough, one looks now."""
        seen = self._seen(lines)
        blind = [at for at in range(len(lines)) if at not in seen]
        looked = self._scout.look([lines[at].rendering for at in blind]) if blind else ()
        seen |= {at: self._recent.rest(each) for at, each in zip(blind, looked, strict=True)}
        return [Comer(each.rendering, subject_of(each.rendering.subject), seen[at]) for at, each in enumerate(lines)]

    def _seen(self, lines: Sequence[Line]) -> dict[int, Sighting]:
        """What scouts saw of others than the recent ones, by place, where that is enough."""
        told = {at: each.sighting for at, each in enumerate(lines) if each.sighting}
        if not told:
            return {}
        before = min(each.before for each in told.values())
        self._recent.forget(before)
        enough = {at: each for at, each in told.items() if not self._recent.belies(each)}
        for each in enough.values():
            each.remember()
        return {at: each if each.before == before else self._recent.rest(each) for at, each in enough.items()}

    def _met(self, key: PatientKey, origin: Origin, comer: Comer) -> _Newcomer:
        return _Newcomer(key, origin, comer.rendering, comer.subject, self._meeting.meet(key, comer))

    def _is_within_reach(self, each: _Newcomer) -> bool:
        """Claim that linking will look at few records, and nothing but linking at what it does to them."""
        reached: set[PatientKey] = set()
        frontier = each.met.connected
        while frontier and len(reached) < LARGEST:
            if not self._gathered.is_whole(frontier):
                return False
            reached |= frontier
            frontier = self._gathered.neighbours(frontier) - reached
        return len(reached) < LARGEST

    def _register(self, each: _Newcomer) -> None:
        change = self._begin(each.origin, self._note)
        self._announce(change, each)
        member = Member(key=each.key, announced=True, subject=each.subject)
        self._gathered.welcome(member, each.met.carrying_rightly)
        comparing.note(change, each.key, each.met.verdicts)
        for remark, authority, id in each.rendering.remarks:
            change.note(Remarked(record=each.key, remark=remark, detail={"authority": authority, "id": id}))
        if not each.met.is_nobody:
            reevaluate(change, {each.key}, self._gathered)
        self._changes.append(change)

    def _announce(self, change: Change, each: _Newcomer) -> None:
        """What ``Announced`` writes to the log and does to the tables (``pix.projection``)."""
        key, told, rows = each.key, each.rendering, self._rows
        number = self._numbers.event()
        self._numbers.use(key)
        change.locks.adopt(key)
        ((oid, id, code),) = told.own
        state = f'{{"demographics":{told.text},"national":{told.national}}}'
        alone = "true" if each.met.is_nobody else "false"
        after = f'{told.announced},"alone":{alone},"state":{state}}}'
        rows.events.append((number, *headline(change, "announced"), key, None, None, after))
        source, at = change.origin.source, change.timestamp
        rows.records.append((key, oid, id, code, None, True, source, at, told.text, *told.columns))
        rows.nationals += [(key, *national) for national in told.nationals]
        rows.tokens += [(kind, value, key, beside, birth) for kind, value, beside, birth in told.tokens]
        if told.words:
            rows.words.append((key, told.words))
        rows.blocking += [(blocking, key) for blocking in told.stored]
        change.announced.append((key, oid, id))
        if each.met.is_nobody:
            rows.begin_link(key, key, "alone", number)
            self._gathered.link(key, key)

    def _note(self, change: Change, event: Event) -> int:
        """Keep an event for the log, and what it does to the tables (``pix.projection``)."""
        number = self._numbers.event()
        self._rows.events.append((number, *event_row(change, event)))
        match event:
            case Linked():
                self._link(number, event)
            case Matched():
                self._match(number, event)
            case TaskOpened():
                self._open(number, event)
            case TasksClosed(tasks=tasks):
                self._gathered.close_tasks(tasks)
                for each in tasks:
                    self._rows.close_task(each, number)
            case _:
                assert isinstance(event, Remarked)
        return number

    def _link(self, number: int, event: Linked) -> None:
        if event.before is not None:
            self._rows.end_link(event.record, number)
        self._rows.begin_link(event.record, event.person, event.reason, number)
        self._gathered.link(event.record, event.person)

    def _match(self, number: int, event: Matched) -> None:
        low, high = two = pair(event.record, event.other)
        self._rows.matches.append((low, high, event.outcome, event.weight, event.reason, number))
        self._gathered.match(
            Match(pair=two, outcome=event.outcome, weight=event.weight, reason=event.reason, event=number)
        )

    def _open(self, number: int, event: TaskOpened) -> None:
        low, high = two = (event.record, event.other)
        opened = (number, None, None, None, number)
        self._rows.tasks[number] = (number, event.kind, low, high, event.reason, *opened)
        self._gathered.open_task(Opened(number=number, kind=event.kind, pair=two, reason=event.reason))
