"""Who asks for whose documents, and what follows: what the rules of access (``consent.decision``) are about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consent.facts import Facts
from consent.model import EVERYBODY, OWN, Emergency, Party, RecordState, RelationshipKind, parties
from consent.policy import Policy, Profession
from ihe.access import Categories, Rights
from ihe.exchange import Principal
from ihe.identifiers import PatientKey, UniqueId


class Effect(StrEnum):
    """What a rule says."""

    ALLOWS = "allows"
    DENIES = "denies"
    NOTES = "notes"
    """It changes nothing, but is worth knowing."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule, what it says here, and in which words."""

    rule: str
    effect: Effect
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Rights for the patient's documents, but for hidden ones."""

    rights: Rights
    hidden: frozenset[UniqueId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody is to a patient: the grants that follow, and why these and no others.

    ``author``: XCN.1 by which the person's own documents are known, None if the exception is not for them.
    ``adds``: the kinds of documents that they may add, by capacity.
    """

    grants: tuple[Grant, ...] = ()
    author: str | None = None
    hidden_from_author: frozenset[UniqueId] = frozenset()
    adds: tuple[tuple[str, Categories], ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A document as far as access depends on it: codes as ``code^^scheme``, authors as XCN."""

    key: PatientKey
    unique_id: UniqueId
    class_code: str | None
    type_code: str | None
    confidentiality: tuple[str, ...]
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Who asks, about whom, when. ``facts`` are those that hold for the patient (``Facts.of``)."""

    policy: Policy
    principal: Principal | None
    facts: Facts
    now: datetime

    @property
    def parties(self) -> frozenset[Party]:
        """As whom the person is known."""
        return parties(self.principal) if self.principal else frozenset()

    @property
    def is_open(self) -> bool:
        """Claim that the record's state lets professionals in."""
        state = self.facts.state(self.now)
        return self.policy.without_record if state is None else state is RecordState.OPEN

    @property
    def takes_documents(self) -> bool:
        """Claim that documents may be added: also while the patient may still object."""
        return self.is_open or self.facts.state(self.now) is RecordState.WAITING

    @property
    def professions(self) -> tuple[Profession, ...]:
        """The lines of the matrix that count."""
        roles = self.principal.roles if self.principal else ()
        return self.policy.professions_of(frozenset(map(str, roles)))

    def kinds(self) -> frozenset[RelationshipKind]:
        """What the person, or their organisation, is to the patient now."""
        related = (each for each in self.facts.relationships if each.party in self.parties and each.holds_at(self.now))
        return frozenset(each.kind for each in related)

    def cares(self) -> frozenset[RelationshipKind]:
        """What a professional is to the patient, by the ids that have a record: a merge must not add up halves."""
        related = (each for each in self.facts.relationships if each.party in self.parties and each.holds_at(self.now))
        return frozenset(each.kind for each in related if each.kind not in OWN and self._counts(each.key))

    def _counts(self, key: PatientKey) -> bool:
        """Claim that what was said of an id counts for professionals."""
        return self.policy.without_record or any(each.key == key for each in self.facts.records)

    def opened(self) -> Iterator[Emergency]:
        """The glass that this very person broke, and that is open."""
        known = personal(self.principal)
        held = (each for each in self.facts.emergencies if each.party in known and each.holds_at(self.now))
        return (each for each in held if self._counts(each.key))

    def is_excluded(self) -> bool:
        """Claim that the patient shut the person or their organisation out."""
        return any(each.party in self.parties for each in self.facts.exclusions)

    def has_purpose(self, purposes: frozenset[str]) -> bool:
        """Claim that the request is for one of these purposes, or that the policy asks for none."""
        stated = self.principal.purpose_of_use if self.principal else ()
        return not purposes or bool(purposes.intersection(map(str, stated)))

    def hidden_from(self, profession: str) -> frozenset[UniqueId]:
        """The documents that the patient hid from a profession."""
        return frozenset(each.unique_id for each in self.facts.masks if each.profession in (EVERYBODY, profession))


def personal(principal: Principal | None) -> frozenset[Party]:
    """The parties that are the person alone: an emergency opens nothing for colleagues."""
    found = parties(principal) if principal else frozenset()
    return frozenset(each for each in found if not each.startswith("organization:"))
