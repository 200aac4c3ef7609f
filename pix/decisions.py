"""What people, sources and the matcher said of two records, as values: one person, or two."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ihe.identifiers import PatientKey

Pair = tuple[PatientKey, PatientKey]


def pair(one: PatientKey, other: PatientKey) -> Pair:
    """Two keys in order, the form in which decisions are kept."""
    return (one, other) if one < other else (other, one)


class Basis(StrEnum):
    """Who said it, the weightiest last: ids listed in one message, ADT^A24 or A37, a person who looked into it."""

    LISTED = "listed"
    SOURCE = "source"
    STEWARD = "steward"

    @property
    def rank(self) -> int:
        """How much it weighs; a lighter one never replaces a weightier one."""
        return tuple(Basis).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Two records are one person, or are not; ``event`` said so."""

    pair: Pair
    same: bool
    basis: Basis
    event: int

    @property
    def weight(self) -> tuple[int, bool]:
        """What weighs more counts; to keep apart weighs more than to join."""
        return (self.basis.rank, not self.same)

    @property
    def plain(self) -> Mapping[str, Any]:
        """The decision as an event keeps it."""
        return {"pair": list(self.pair), "same": self.same, "basis": self.basis.value, "event": self.event}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Decision":
        """What ``plain`` gave."""
        low, high = plain["pair"]
        return cls(pair=(low, high), same=plain["same"], basis=Basis(plain["basis"]), event=plain["event"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The matcher's verdict on two records: ``outcome`` link or review, ``weight`` in bits.

    ``reason`` is what speaks against a link, "" if nothing but the weight does; ``event`` explains the verdict.
    """

    pair: Pair
    outcome: str
    weight: float
    reason: str
    event: int
