"""``record.toml`` of a domain: the life of a shared care record, and the consent documents that change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from affinity.domain_files import OID, Display, Table, Text
from consent.statements import Definitions, Effect, PolicyId, Statement

IHE_FORMATS = "1.3.6.1.4.1.19376.1.2.3"
Days = Annotated[int, Field(ge=0, le=36_500)]


class Creation(StrEnum):
    """How a record begins."""

    OPT_OUT = "opt-out"
    """With the patient's arrival; it opens when the waiting period ends, unless the patient objects."""
    OPT_IN = "opt-in"
    """When the patient asks for it, by a consent document or at the counter."""


class Format(StrEnum):
    """How a consent document is written."""

    BPPC = "bppc"
    APPC = "appc"


class LifeTable(Table):
    """From the first day of a record to its deletion."""

    creation: Creation = Creation.OPT_IN
    waiting_days: Days = 30
    delete_after_days: Days | None = None


class EncountersTable(Table):
    """Whom an encounter lets in, and for how long after its end."""

    lets_in: tuple[Literal["organization", "attending"], ...] = ()
    days_after: Days = 30
    most_days: Annotated[int, Field(ge=1, le=3650)] = 365


class DocumentsTable(Table):
    """Which documents are consents, by formatCode, and whose numbers professionals have."""

    formats: dict[Text, Format] = Field(default_factory=dict)
    scheme: OID = IHE_FORMATS
    professionals: OID | Literal[""] = ""


class PolicyTable(Table):
    """A policy that a document may acknowledge or reference: its id, in a scheme unless it is a URI."""

    id: Text
    scheme: OID | Literal[""] = ""
    effect: Effect
    display: Display = Field(default_factory=dict)


class RecordFile(Table):
    """The file; one that is absent gives records no life."""

    life: LifeTable = LifeTable()
    encounters: EncountersTable = EncountersTable()
    documents: DocumentsTable = DocumentsTable()
    policy: tuple[PolicyTable, ...] = ()

    def rules(self) -> "RecordRules":
        """What it says, as values."""
        policies = tuple((PolicyId(each.id, each.scheme), (Statement(rule=each.effect),)) for each in self.policy)
        formats = {f"{code}^^{self.documents.scheme}": format for code, format in self.documents.formats.items()}
        delete_after = self.life.delete_after_days
        return RecordRules(
            creation=self.life.creation,
            waiting=timedelta(days=self.life.waiting_days),
            delete_after=None if delete_after is None else timedelta(days=delete_after),
            lets_in=frozenset(self.encounters.lets_in),
            after_encounter=timedelta(days=self.encounters.days_after),
            longest_encounter=timedelta(days=self.encounters.most_days),
            formats=MappingProxyType(formats),
            definitions=Definitions(policies, self.documents.professionals),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRules:
    """The life of a record in one domain. ``formats`` are formatCodes (``code^^scheme``) of consent documents."""

    creation: Creation = Creation.OPT_IN
    waiting: timedelta = timedelta(days=30)
    delete_after: timedelta | None = None
    lets_in: frozenset[str] = frozenset()
    after_encounter: timedelta = timedelta(days=30)
    longest_encounter: timedelta = timedelta(days=365)
    formats: Mapping[str, Format] = field(default_factory=lambda: MappingProxyType({}))
    definitions: Definitions = field(default_factory=Definitions)
