"""``access.toml`` of a domain's directory: who may see and add what (``consent.policy``); without it, everybody."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from affinity.domain_files import Name, Table
from consent.policy import (
    ALL,
    LEVELS,
    OTHER,
    Category,
    Covers,
    EmergencyRules,
    Mode,
    Policy,
    Profession,
    Purposes,
    WithoutAssertion,
)

Coded = Annotated[str, StringConstraints(pattern=r"^[^\s^]+\^\^[^\s^]+$")]
"""``code^^scheme``."""
Codes = frozenset[Coded]
Names = frozenset[Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9_.-]+)$")]]
Level = Literal["N", "R", "V"]
Days = Annotated[int, Field(ge=0, le=36500)]


class CategoryTable(Table):
    """Which codes make a document one of this category."""

    class_code: Codes = frozenset()
    type_code: Codes = frozenset()


class ProfessionTable(Table):
    """One line of the matrix."""

    roles: Codes = frozenset()
    reads: Names = frozenset()
    writes: Names = frozenset()
    levels: frozenset[Level] = frozenset({"N"})
    adds_for_anybody: bool = False


class OwnTable(Table):
    """What the patient, or who represents them, reads and adds."""

    reads: Names = frozenset({ALL})
    writes: Names = frozenset()
    levels: frozenset[Level] = frozenset(LEVELS)  # type: ignore[arg-type]


class EmergencyTable(Table):
    """Break-glass."""

    professions: frozenset[Name] = frozenset()
    purposes: Codes = frozenset()
    hours: Annotated[int, Field(ge=1, le=168)] = 8
    level: Level = "N"
    reads: Names = frozenset({ALL})
    shows_masked: bool = False


class WithoutAssertionTable(Table):
    """A system that names no person."""

    reads: bool = False
    writes: bool = False


class PurposesTable(Table):
    """Purposes of use for which professionals, and patients, are let in."""

    care: Codes = frozenset()
    own: Codes = frozenset()


class AccessFile(Table):
    """access.toml."""

    mode: Mode = Mode.OPEN
    author: Covers = Covers.NOBODY
    confidentiality: dict[Level, Codes] = Field(default_factory=dict)
    categories: dict[Name, CategoryTable] = Field(default_factory=dict)
    professions: dict[Name, ProfessionTable] = Field(default_factory=dict)
    patient: OwnTable = OwnTable()
    representative: OwnTable = OwnTable()
    emergency: EmergencyTable = EmergencyTable()
    without_assertion: WithoutAssertionTable = WithoutAssertionTable()
    without_record: bool = False
    declared_days: Days = 365
    purposes: PurposesTable = PurposesTable()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known = {ALL, OTHER, *self.categories}
        for name, line in self.professions.items():
            if unknown := (line.reads | line.writes) - known:
                raise ValueError(f"professions.{name}: {', '.join(sorted(unknown))} is no category of this file")
        if unknown := self.emergency.professions - self.professions.keys():
            raise ValueError(f"emergency.professions: {', '.join(sorted(unknown))} is no profession of this file")
        if self.mode is Mode.DSP and not self.confidentiality:
            raise ValueError("confidentiality: say which codes are N, R and V, or nobody sees anything")
        return self

    def policy(self) -> Policy:
        """The policy as it decides."""
        return Policy(
            mode=self.mode,
            author=self.author,
            confidentiality={level: codes for level, codes in self.confidentiality.items()},
            categories=tuple(
                Category(name=name, class_codes=each.class_code, type_codes=each.type_code)
                for name, each in self.categories.items()
            ),
            professions=tuple(_line(name, each) for name, each in self.professions.items()),
            patient=_line("patient", self.patient),
            representative=_line("representative", self.representative),
            emergency=EmergencyRules(**self.emergency.model_dump()),
            without_assertion=WithoutAssertion(**self.without_assertion.model_dump()),
            without_record=self.without_record,
            declared_days=self.declared_days,
            purposes=Purposes(**self.purposes.model_dump()),
        )


def _line(name: str, table: ProfessionTable | OwnTable) -> Profession:
    return Profession(name=name, **table.model_dump())
