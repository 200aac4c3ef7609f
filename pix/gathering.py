"""What linking looks at, for many new records at once: read together, and kept up to date while they are linked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_encounters, store_links, store_matches, store_tasks
from pix.decisions import Decision, Match, Pair
from pix.persons import Member
from pix.store_newcomers import near
from pix.surroundings import Keys, Stored
from pix.tasks import Kind, Opened, Task

MOST = 5000
"""Records that are gathered at once; who is connected with still more of them is looked at alone."""


class Gathered:
    """Surroundings (``pix.surroundings``) of records that nobody knew before. Nothing here is in the tables yet."""

    def __init__(self, connection: Connection) -> None:
        self._stored = Stored(connection)
        self._connection = connection
        self._known: set[PatientKey] = set()
        self._near: defaultdict[PatientKey, set[PatientKey]] = defaultdict(set)
        self._members: dict[PatientKey, Member] = {}
        self._persons: dict[PatientKey, PatientKey] = {}
        self._homes: defaultdict[PatientKey, set[PatientKey]] = defaultdict(set)
        self._matches: defaultdict[PatientKey, dict[Pair, Match]] = defaultdict(dict)
        self._decisions: defaultdict[PatientKey, dict[Pair, Decision]] = defaultdict(dict)
        self._tasks: dict[int, Task] = {}
        self._closed: set[int] = set()
        self._tasks_of: defaultdict[PatientKey, set[int]] = defaultdict(set)
        self.followed: set[PatientKey] = set()
        """Records with encounters: who is linked with them is looked at alone, for others depend on that."""

    def gather(self, keys: Iterable[PatientKey]) -> None:
        """Read all that these records of the index are connected with, step by step."""
        frontier, found = set(keys) - self._known, 0
        while frontier and found < MOST:
            found += len(frontier)
            further = self._read_connections(frontier)
            self._read(frontier)
            self._known |= frontier
            frontier = further - self._known

    def is_whole(self, keys: Iterable[PatientKey]) -> bool:
        """Claim that all that can be connected with these records was gathered, and that no encounter depends on it."""
        return self._known.issuperset(keys) and self.followed.isdisjoint(keys)

    def welcome(self, member: Member, near: Collection[PatientKey]) -> None:
        """A new record, and those with which a national id connects it."""
        key = member.key
        self._known.add(key)
        self._members[key] = member
        for other in near:
            self._connect(key, other)

    def match(self, match: Match) -> None:
        """A verdict on two records that had none."""
        self._connect(*match.pair)
        for key in match.pair:
            self._matches[key][match.pair] = match

    def link(self, key: PatientKey, person: PatientKey) -> None:
        """The record is of this person now."""
        if key in self._persons:
            self._homes[self._persons[key]].discard(key)
        self._persons[key] = person
        self._homes[person].add(key)

    def open_task(self, opened: Opened) -> None:
        """Two records wait for a person."""
        self._keep_task(
            Task(
                number=opened.number,
                kind=Kind(opened.kind),
                pair=opened.pair,
                reason=opened.reason,
                closed_by=None,
                decision=None,
                owner=None,
                version=opened.number,
            )
        )

    def close_tasks(self, numbers: Iterable[int]) -> None:
        """Tasks that need nobody any more are about nobody any more."""
        for number in numbers:
            self._closed.add(number)
            for key in self._tasks.pop(number).pair:
                self._tasks_of[key].discard(number)

    def neighbours(self, keys: Keys) -> set[PatientKey]:
        found = self.together(keys)
        return found.union(*(self._near[key] for key in keys if key in self._near))

    def together(self, keys: Keys) -> set[PatientKey]:
        return set(keys).union(*(self._homes[self._persons[key]] for key in keys if key in self._persons))

    def members(self, keys: Keys) -> Mapping[PatientKey, Member]:
        return {key: self._members[key] for key in sorted(keys) if key in self._members}

    def persons_of(self, keys: Keys) -> Mapping[PatientKey, PatientKey]:
        return {key: self._persons[key] for key in keys if key in self._persons}

    def decisions(self, keys: Keys) -> tuple[Decision, ...]:
        found: dict[Pair, Decision] = {}
        for key in keys:
            found |= self._decisions.get(key, {})
        return tuple(sorted(found.values(), key=lambda each: each.event))

    def matches(self, keys: Keys) -> tuple[Match, ...]:
        found: dict[Pair, Match] = {}
        for key in keys:
            found |= self._matches.get(key, {})
        return tuple(sorted(found.values(), key=lambda each: (-each.weight, each.pair)))

    def tasks(self, keys: Keys) -> tuple[Task, ...]:
        numbers = set[int]().union(*(self._tasks_of[key] for key in keys if key in self._tasks_of))
        return tuple(self._tasks[number] for number in sorted(numbers))

    def _read_connections(self, keys: set[PatientKey]) -> set[PatientKey]:
        """What connects these records with others; the others."""
        pairs = near(self._connection, keys)
        for key, other in pairs:
            self._connect(key, other)
        persons = store_links.persons_of(self._connection, keys)
        for person, linked in store_links.members(self._connection, set(persons.values())).items():
            for key in linked:
                self.link(key, person)
        return {other for _, other in pairs}.union(*(self._homes[each] for each in persons.values()))

    def _read(self, keys: set[PatientKey]) -> None:
        self._members |= self._stored.members(keys)
        self.followed |= store_encounters.records_with_any(self._connection, keys)
        for match in store_matches.matches(self._connection, keys):
            self.match(match)
        for decision in store_links.decisions(self._connection, keys):
            for key in decision.pair:
                self._decisions[key][decision.pair] = decision
        for task in store_tasks.about(self._connection, keys):
            if task.number not in self._closed:
                self._keep_task(task)

    def _keep_task(self, task: Task) -> None:
        self._tasks[task.number] = task
        for key in task.pair:
            self._tasks_of[key].add(task.number)

    def _connect(self, one: PatientKey, other: PatientKey) -> None:
        self._near[one].add(other)
        self._near[other].add(one)
