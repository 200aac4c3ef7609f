"""What linking looks at: the records around those that changed, and what was found and decided about them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_links, store_matches, store_nationals, store_records, store_tasks
from pix.comparing import seen_as
from pix.decisions import Decision, Match
from pix.persons import Member
from pix.state import linking_ids
from pix.tasks import Task
from statements.prepared import ask_ahead

Keys = Collection[PatientKey]
OF_EACH = (store_nationals.HELD, store_records.UNMERGED, store_links.PERSONS, store_tasks.ABOUT)
OF_SEVERAL = (*OF_EACH, store_links.DECISIONS, store_matches.AMONG)
"""What linking asks of the members that it finds, and of two or more of them."""


class Surroundings(Protocol):
    """What is known, and in which order: of each question the answer is the one that ``Stored`` gives."""

    def neighbours(self, keys: Keys) -> set[PatientKey]:
        """Every record that one of these may be linked with, or is."""

    def together(self, keys: Keys) -> set[PatientKey]:
        """These records and all that are linked with one of them."""

    def members(self, keys: Keys) -> Mapping[PatientKey, Member]:
        """Those of the records that were not merged into others, as linking sees them, in order."""

    def persons_of(self, keys: Keys) -> Mapping[PatientKey, PatientKey]:
        """The person that each record is linked to."""

    def decisions(self, keys: Keys) -> tuple[Decision, ...]:
        """All decisions about these records, oldest first."""

    def matches(self, keys: Keys) -> tuple[Match, ...]:
        """All verdicts on these records, the heaviest first."""

    def tasks(self, keys: Keys) -> tuple[Task, ...]:
        """The tasks about these records that are open, or that somebody chose to ignore, oldest first."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The tables, asked anew each time."""

    connection: Connection

    def neighbours(self, keys: Keys) -> set[PatientKey]:
        return store_links.neighbours(self.connection, keys)

    def together(self, keys: Keys) -> set[PatientKey]:
        return store_links.together(self.connection, keys)

    def members(self, keys: Keys) -> Mapping[PatientKey, Member]:
        about = {"keys": sorted(keys)}
        ask_ahead(self.connection, [(each, about) for each in (OF_SEVERAL if len(keys) > 1 else OF_EACH)])
        nationals = store_nationals.held(self.connection, keys)
        return {
            key: Member(key=key, announced=announced, subject=seen_as(text, linking_ids(nationals.get(key, ()))))
            for key, (announced, text) in store_records.unmerged(self.connection, keys).items()
        }

    def persons_of(self, keys: Keys) -> Mapping[PatientKey, PatientKey]:
        return store_links.persons_of(self.connection, keys)

    def decisions(self, keys: Keys) -> tuple[Decision, ...]:
        return store_links.decisions(self.connection, keys)

    def matches(self, keys: Keys) -> tuple[Match, ...]:
        return store_matches.matches(self.connection, keys)

    def tasks(self, keys: Keys) -> tuple[Task, ...]:
        return store_tasks.about(self.connection, keys)
