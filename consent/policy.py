"""The access policy of a domain as values: what ``access.toml`` says, with every default stated there and here.

Nothing here allows anything by being left out: a profession that is not named sees nothing, and neither does one whose
matrix does not name a category.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from ihe.access import Categories, Rights

ALL = "*"
"""Every category, those that the policy does not name included."""
LEVELS = ("N", "R", "V")
"""Normal, restricted, very restricted: HL7 Confidentiality, from what most see to what fewest see."""
OTHER = "other"
"""The category of a document whose codes are in none."""


class Mode(StrEnum):
    """Who decides."""

    OPEN = "open"
    """Nobody: every caller sees everything, with an assertion or without."""
    DSP = "dsp"
    """The shared care record's rules."""


class Covers(StrEnum):
    """For whom the author's exception is: who wrote a document sees it without a relationship."""

    PERSON = "person"
    """The author by the number in XCN.1, as the assertion's subject:npi has it."""
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of document: any of these classCodes or typeCodes (``code^^scheme``)."""

    name: str
    class_codes: frozenset[str] = frozenset()
    type_codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profession:
    """One line of the matrix: the roles (``code^^scheme``) that count for it, and what it reads and adds.

    ``levels`` are the confidentialities that it reads. ``adds_for_anybody``: without a relationship, as a laboratory
    answers a request.
    """

    name: str
    roles: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset({"N"})
    adds_for_anybody: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRules:
    """Break-glass: for which professions and purposes, for how long, up to which confidentiality."""

    professions: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    hours: int = 8
    level: str = "N"
    reads: frozenset[str] = frozenset({ALL})
    shows_masked: bool = False

    @property
    def levels(self) -> frozenset[str]:
        """The levels up to the highest one."""
        return levels_up_to(self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutAssertion:
    """A system that names no person: it is known by its certificate alone."""

    reads: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Purposes:
    """Purposes of use (``code^^scheme``) for which professionals, and patients, are let in; none named: none asked."""

    care: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All of ``access.toml``.

    ``without_record``: may documents be seen and added of patients for whom there is no record? ``declared_days``: how
    long a declared relationship lasts that does not say.
    """

    mode: Mode = Mode.OPEN
    categories: tuple[Category, ...] = ()
    confidentiality: Mapping[str, frozenset[str]] = field(default_factory=dict)
    professions: tuple[Profession, ...] = ()
    patient: Profession = Profession(name="patient", reads=frozenset({ALL}), levels=frozenset(LEVELS))
    representative: Profession = Profession(name="representative", reads=frozenset({ALL}), levels=frozenset(LEVELS))
    author: Covers = Covers.NOBODY
    emergency: EmergencyRules = EmergencyRules()
    without_assertion: WithoutAssertion = WithoutAssertion()
    without_record: bool = False
    declared_days: int = 365
    purposes: Purposes = Purposes()

    def professions_of(self, roles: frozenset[str]) -> tuple[Profession, ...]:
        """The lines of the matrix that count for somebody with these roles."""
        return tuple(each for each in self.professions if each.roles & roles)

    def rights(self, profession: Profession) -> Rights:
        """What a profession reads."""
        return self._rights(profession.name, profession.reads, profession.levels)

    def emergency_rights(self, level: str) -> Rights:
        """What is read in an emergency, up to the level that was asked for and the one that the policy has."""
        levels = self.emergency.levels & levels_up_to(level)
        return self._rights(f"emergency up to {max(levels, key=LEVELS.index)}", self.emergency.reads, levels)

    def _rights(self, name: str, reads: frozenset[str], levels: frozenset[str]) -> Rights:
        codes = frozenset(code for level in levels for code in self.confidentiality.get(level, ()))
        return Rights(name=name, categories=self.kinds(reads), confidentiality=codes)

    def kinds(self, names: frozenset[str]) -> Categories:
        """The kinds of documents of the named categories; a document of two categories needs both."""
        everything = ALL in names
        inside = [each for each in self.categories if everything or each.name in names]
        outside = [each for each in self.categories if each not in inside]
        return Categories(
            allowed_classes=_together(each.class_codes for each in inside),
            allowed_types=_together(each.type_codes for each in inside),
            forbidden_classes=_together(each.class_codes for each in outside),
            forbidden_types=_together(each.type_codes for each in outside),
            others=everything or OTHER in names,
        )

    def declared(self) -> timedelta:
        """How long a declared relationship lasts that does not say."""
        return timedelta(days=self.declared_days)


def levels_up_to(highest: str) -> frozenset[str]:
    """The confidentialities up to one of them; of an unknown word the lowest alone."""
    return frozenset(LEVELS[: LEVELS.index(highest) + 1] if highest in LEVELS else LEVELS[:1])


def _together(sets: Iterator[frozenset[str]]) -> frozenset[str]:
    return frozenset(code for each in sets for code in each)
