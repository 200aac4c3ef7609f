"""What a steward reads before deciding: open tasks, one task with both records side by side, the story of a record."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import event_log, store_links, store_nationals, store_records, store_tasks, store_worklist
from pix.choices import Choice, fitting
from pix.decisions import pair
from pix.event_log import Line
from pix.events import Updated
from pix.explaining import Explanation, explain
from pix.golden import GoldenView
from pix.manager import PatientIndex
from pix.model import Demographics, Identifier
from pix.pages import golden_views
from pix.rulings import situation
from pix.state import NationalId
from pix.store_records import Record
from pix.store_worklist import TaskFilter, Waiting
from pix.tasks import Task

MOST_RELATED = 50
"""Most other records of a person that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A record with what belongs to it. ``others`` are further records of its person, ``subsumed`` merged into it."""

    record: Record
    nationals: tuple[NationalId, ...]
    person: PatientKey | None
    others: tuple[Record, ...]
    subsumed: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of tasks with their records. ``following`` continues after it; None at the end."""

    tasks: tuple[Waiting, ...]
    records: Mapping[PatientKey, Record]
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One task and all that helps to decide it.

    ``earlier`` is what a record said before the change that raised a task about it alone. ``choices`` are those that
    fit today; none once the task is closed.
    """

    task: Task
    opened: str
    shown: tuple[Shown, ...]
    earlier: Demographics | None
    explanation: Explanation | None
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A person as shown to those who ask, and the records that the description is taken from."""

    view: GoldenView
    records: Mapping[PatientKey, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """The patient index as those read it who look after identities."""

    index: PatientIndex

    def tasks(self, wanted: TaskFilter) -> Listed:
        """A page of open tasks, the oldest first."""

        def work(connection: Connection) -> Listed:
            found = store_worklist.waiting(connection, wanted)
            records = store_records.by_keys(connection, {key for each in found for key in each.task.pair})
            full = len(found) == max(1, min(wanted.limit, store_worklist.MOST))
            return Listed(tasks=found, records=records, following=found[-1].task.number if full else None)

        return self.index.database.read(work)

    def task(self, number: int) -> Dossier | None:
        """One task, open or closed; None: there is none."""

        def work(connection: Connection) -> Dossier | None:
            task = store_tasks.by_number(connection, number)
            return None if task is None else self._dossier(connection, task)

        return self.index.database.read(work)

    def explain(self, one: Identifier, other: Identifier) -> Explanation | None:
        """Why two ids are one person or two; None: one of them is unknown."""

        def work(connection: Connection) -> Explanation | None:
            found = store_records.by_identifiers(connection, (one, other))
            if one.key not in found or other.key not in found:
                return None
            two = pair(found[one.key].key, found[other.key].key)
            return explain(connection, two, self.index.matching)

        return self.index.database.read(work)

    def record(self, identifier: Identifier, before: int, most: int) -> tuple[Shown, tuple[Line, ...]] | None:
        """A record and what happened to it, newest first, before an event; None: nobody knows the id."""

        def work(connection: Connection) -> tuple[Shown, tuple[Line, ...]] | None:
            found = store_records.by_identifiers(connection, (identifier,)).get(identifier.key)
            if found is None:
                return None
            return _shown(connection, found), tuple(event_log.history(connection, found.key, before, most))

        return self.index.database.read(work)

    def person(self, identifier: Identifier) -> Described | None:
        """The golden view of the person with this id; None: nobody announced it, or it was merged away."""

        def work(connection: Connection) -> Described | None:
            key = store_records.current_key(connection, identifier)
            if key is None:
                return None
            (person,) = store_links.persons_of(connection, (key,)).values()
            members = store_links.members(connection, (person,))[person]
            view = golden_views(connection, (person,), self.index.survivorship)[person]
            return Described(view=view, records=store_records.by_keys(connection, members))

        return self.index.database.read(work)

    def key(self, identifier: Identifier) -> PatientKey | None:
        """The key of the record with this id."""

        def work(connection: Connection) -> PatientKey | None:
            found = store_records.by_identifiers(connection, (identifier,)).get(identifier.key)
            return None if found is None else found.key

        return self.index.database.read(work)

    def _dossier(self, connection: Connection, task: Task) -> Dossier:
        found = store_records.by_keys(connection, task.pair)
        two = task.pair[0] != task.pair[1] and len(found) == 2
        return Dossier(
            task=task,
            opened=store_worklist.opened_at(connection, task.number),
            shown=tuple(_shown(connection, each) for each in found.values()),
            earlier=None if two else _earlier(connection, task),
            explanation=explain(connection, task.pair, self.index.matching) if two else None,
            choices=fitting(task, situation(connection, task, found.values())) if task.waits else (),
        )


def _shown(connection: Connection, record: Record) -> Shown:
    person = store_links.persons_of(connection, (record.key,)).get(record.key)
    keys = [] if person is None else store_links.members(connection, (person,)).get(person, [])
    others = [each for each in keys if each != record.key][:MOST_RELATED]
    subsumed = store_records.subsumed_by(connection, record.key)[:MOST_RELATED]
    related = store_records.by_keys(connection, {*others, *subsumed})
    return Shown(
        record=record,
        nationals=store_nationals.held(connection, (record.key,)).get(record.key, ()),
        person=person,
        others=tuple(related[each] for each in others),
        subsumed=tuple(related[each] for each in subsumed),
    )


def _earlier(connection: Connection, task: Task) -> Demographics | None:
    for line in event_log.history(connection, task.pair[0], task.number):
        if isinstance(line.event, Updated) and line.event.before is not None:
            return line.event.before.demographics
    return None
