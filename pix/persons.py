"""Which records are one person: a pure function of what the records say and of what was decided between them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from ihe.identifiers import PatientKey
from pix.decisions import Pair, pair
from pix.matching.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A source record as linking sees it."""

    key: PatientKey
    announced: bool
    subject: Subject


Contradiction = Callable[[Member, Member], str | None]
"""Says in what two records contradict each other, so that no machine may join them; None: in nothing."""


class Reason(StrEnum):
    """What holds the records of a person together; the first that joined two of them."""

    ALONE = "alone"
    STEWARD = "steward"
    SOURCE = "source"
    NATIONAL_ID = "national id"
    MATCH = "match"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Records that are one person, the lowest key first; ``reason`` says what holds them together."""

    keys: tuple[PatientKey, ...]
    reason: Reason


class Partition:
    """Groups that grow pair by pair unless a decision or a contradiction keeps two of their records apart.

    ``contradictions`` tells which two contradict, although sources joined them, and in what; ``overlays`` the same of
    two that share a national id.
    """

    def __init__(self, members: Mapping[PatientKey, Member], apart: Set[Pair], contradiction: Contradiction) -> None:
        self.members = members
        self._apart = apart
        self._contradicts = contradiction
        self._group: dict[PatientKey, set[PatientKey]] = {key: {key} for key in members}
        self._reason: dict[PatientKey, Reason] = {}
        self.contradictions: dict[Pair, str] = {}
        self.overlays: dict[Pair, str] = {}

    def join_linked(self, linked: Iterable[Pair], reason: Reason) -> None:
        """Join what people or sources linked deliberately, unless another decision keeps parts of it apart."""
        for two in linked:
            if self.may_join(two):
                self.join(two, reason)

    def join_listed(self, listed: Iterable[Pair]) -> None:
        """Join records whose ids one message listed, unless they contradict each other."""
        for two in listed:
            if self.may_join(two):
                self._join_or_note(two, Reason.SOURCE, self.contradictions)

    def join_by_national_id(self) -> None:
        """Join records with a common national id, unless they contradict each other."""
        for two in combinations(sorted(self.members), 2):
            shared = self.members[two[0]].subject.nationals & self.members[two[1]].subject.nationals
            if shared and self.may_join(two):
                self._join_or_note(two, Reason.NATIONAL_ID, self.overlays)

    def persons(self) -> Iterator[Person]:
        """The groups of announced records; a record that was only named by a link belongs to nobody yet."""
        groups = [group for key, group in sorted(self._group.items()) if key == min(group)]
        for group in groups:
            announced = tuple(each for each in sorted(group) if self.members[each].announced)
            if announced:
                yield Person(keys=announced, reason=self._reason.get(min(group), Reason.ALONE))

    def group(self, key: PatientKey) -> Set[PatientKey]:
        """The records that are one person with this one."""
        return self._group[key]

    def may_join(self, two: Pair) -> bool:
        """Claim that both are known, not joined yet, and that no decision keeps any two of their groups apart."""
        one, other = two
        known = one in self.members and other in self.members
        return known and self._group[one] is not self._group[other] and not self.kept_apart(two)

    def kept_apart(self, two: Pair) -> bool:
        """Claim that a decision keeps two records of these groups apart."""
        return any(pair(each, another) in self._apart for each, another in self.across(two))

    def join(self, two: Pair, reason: Reason) -> None:
        """Make one group of two."""
        united = self._group[two[0]] | self._group[two[1]]
        for key in united:
            self._group[key] = united
            self._reason.setdefault(key, reason)

    def across(self, two: Pair) -> Iterator[Pair]:
        """Each record of the one group with each of the other."""
        for each in self._group[two[0]]:
            for another in self._group[two[1]]:
                yield each, another

    def _join_or_note(self, two: Pair, reason: Reason, notes: dict[Pair, str]) -> None:
        contradiction = self._contradiction(two)
        if contradiction is None:
            self.join(two, reason)
        else:
            notes[pair(*two)] = contradiction

    def _contradiction(self, two: Pair) -> str | None:
        """No record of one group may contradict any of the other: a vague record must not bridge two people."""
        for each, another in self.across(two):
            reason = self._contradicts(self.members[each], self.members[another])
            if reason:
                return reason
        return None
