"""Which records are one person: a pure function of what the records say and of what was decided between them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from ihe.identifiers import PatientKey
from pix.agreement import disagreement
from pix.model import Demographics

Pair = tuple[PatientKey, PatientKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A source record as linking sees it. ``nationals`` are (authority, id) whose check digits are right."""

    key: PatientKey
    announced: bool
    demographics: Demographics
    nationals: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Records that are one person, the lowest key first; ``reason`` says what holds them together."""

    keys: tuple[PatientKey, ...]
    reason: str


def pair(one: PatientKey, other: PatientKey) -> Pair:
    """Two keys in order, the form in which decisions are kept."""
    return (one, other) if one < other else (other, one)


class Partition:
    """Groups that grow pair by pair unless a decision or a contradiction keeps two of their records apart.

    ``vetoes`` tells which two contradict, although an id joins them, and in what.
    """

    def __init__(self, members: Mapping[PatientKey, Member], apart: frozenset[Pair]) -> None:
        self._members = members
        self._apart = apart
        self._group: dict[PatientKey, set[PatientKey]] = {key: {key} for key in members}
        self._reason: dict[PatientKey, str] = {}
        self.vetoes: dict[Pair, str] = {}

    def join_linked(self, linked: Iterable[Pair]) -> None:
        """Join what sources linked deliberately, unless another decision keeps parts of it apart."""
        for one, other in linked:
            if self._may_join(one, other):
                self._join(one, other, "source")

    def join_listed(self, listed: Iterable[Pair]) -> None:
        """Join records whose ids one message listed; contradicting birth dates or names make a veto instead."""
        for one, other in listed:
            if self._may_join(one, other):
                self._join_or_veto(one, other, "source")

    def join_by_national_id(self) -> None:
        """Join records with a common national id; contradicting birth dates or names make a veto instead."""
        for one, other in combinations(sorted(self._members), 2):
            shared = self._members[one].nationals & self._members[other].nationals
            if shared and self._may_join(one, other):
                self._join_or_veto(one, other, "national id")

    def persons(self) -> Iterator[Person]:
        """The groups of announced records; a record that was only named by a link belongs to nobody yet."""
        groups = [group for key, group in sorted(self._group.items()) if key == min(group)]
        for group in groups:
            announced = tuple(each for each in sorted(group) if self._members[each].announced)
            if announced:
                yield Person(keys=announced, reason=self._reason.get(min(group), "alone"))

    def _may_join(self, one: PatientKey, other: PatientKey) -> bool:
        known = one in self._members and other in self._members
        return known and self._group[one] is not self._group[other] and not self._kept_apart(one, other)

    def _join_or_veto(self, one: PatientKey, other: PatientKey, reason: str) -> None:
        contradiction = self._contradiction(one, other)
        if contradiction is None:
            self._join(one, other, reason)
        else:
            self.vetoes[pair(one, other)] = contradiction

    def _join(self, one: PatientKey, other: PatientKey, reason: str) -> None:
        united = self._group[one] | self._group[other]
        for key in united:
            self._group[key] = united
            self._reason.setdefault(key, reason)

    def _kept_apart(self, one: PatientKey, other: PatientKey) -> bool:
        return any(pair(each, another) in self._apart for each, another in self._across(one, other))

    def _contradiction(self, one: PatientKey, other: PatientKey) -> str | None:
        """No record of one group may contradict any of the other: a vague record must not bridge two people."""
        for each, another in self._across(one, other):
            reason = disagreement(self._members[each].demographics, self._members[another].demographics)
            if reason:
                return reason
        return None

    def _across(self, one: PatientKey, other: PatientKey) -> Iterator[Pair]:
        for each in self._group[one]:
            for another in self._group[other]:
                yield each, another
