"""The assertion catalogue: what the standard demands of an actor, one testable claim each (``assertions/*.toml``).

The ids are for ever: reports, tests and refusals name them. ``conformance.catalogue_lint`` says what the data obeys.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ihe.citations import Citation, supplement
from ihe.transactions import Actor

ASSERTIONS = Path(__file__).resolve().parent / "assertions"


class Level(StrEnum):
    """How strongly the text asks (RFC 2119; ITI TF-2: 2)."""

    SHALL = "SHALL"
    SHALL_NOT = "SHALL NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"
    MAY = "MAY"


class Role(StrEnum):
    """Who must obey where it is not one of the actors that Affinity plays or speaks to."""

    INITIATOR = "Initiating actor"
    """Of any transaction on HL7 or web services: whoever sends the request (ITI TF-2: Appendices C, O, V)."""
    RESPONDER = "Responding actor"
    """Whoever answers."""
    ANY = "Any actor"
    DOCUMENT_RECIPIENT = "Document Recipient"
    INTEGRATED_SOURCE_REPOSITORY = "Integrated Document Source/Repository"
    INITIATING_GATEWAY = "Initiating Gateway"
    X_SERVICE_PROVIDER = "X-Service Provider"
    AUDIT_RECORD_REPOSITORY = "Audit Record Repository"
    AUDIT_RECORD_FORWARDER = "Audit Record Forwarder"
    SECURE_NODE = "Secure Node"
    SECURE_APPLICATION = "Secure Application"
    PATIENT_IDENTITY_CONSUMER = "Patient Identity Consumer"


class Shown(StrEnum):
    """Where a test from outside sees whether an assertion holds."""

    WIRE = "wire"
    """In the messages."""
    STATE = "state"
    """By asking afterwards."""
    CONFIGURATION = "configuration"
    """By setting the system up."""
    REVIEW = "review"
    """Nowhere: a person has to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One testable claim in our own words, and where the standard makes it."""

    id: str
    level: Level
    actor: Actor | Role
    citation: Citation
    revision: str
    text: str
    test: Shown
    transaction: str | None = None
    """None: it belongs to a chapter."""
    option: str | None = None
    why: str | None = None
    """Why no test from outside can show it."""
    ambiguous: str | None = None
    """What the text leaves open, and what we hold it to mean."""
    rule: str | None = None
    """The ``ihe.rules.Rule`` of this server or of the validators that checks it."""
    messages: tuple[str, ...] = ()
    """What is meant of all that the rule is about: root elements of messages, with ``*``, or attributes of metadata."""
    content: tuple[str, ...] = ()
    """Where a deviation from the content model breaks it: paths with ``*``, from the root element."""

    @property
    def group(self) -> str:
        """The file's name for itself, as the id begins: ``ITI-18``, ``ITI-18-MU`` (a supplement to it), ``TF3-4.2``."""
        return self.id.rpartition("-")[0]


class CatalogueFault(ValueError):
    """A file of the catalogue cannot be read; the text says which and where."""


def _actor(name: object) -> Actor | Role:
    for kind in (Actor, Role):
        if name in set(kind):
            return kind(str(name))
    raise ValueError(f"{name!r} is no actor that ihe.transactions.Actor or Role spells so")


Text = Annotated[str, StringConstraints(min_length=3, strip_whitespace=True)]


class AssertionTable(BaseModel):
    """One ``[[assertion]]`` as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Za-z0-9.-]*-\d{3}$")]
    level: Level
    actor: Annotated[Actor | Role, BeforeValidator(_actor)]
    section: Text
    text: Annotated[str, StringConstraints(min_length=20, strip_whitespace=True)]
    test: Shown
    option: Text | None = None
    why: Text | None = None
    ambiguous: Text | None = None
    rule: Text | None = None
    messages: tuple[Text, ...] = ()
    content: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _review_has_a_reason(self) -> Self:
        if (self.test is Shown.REVIEW) != (self.why is not None):
            raise ValueError(f'{self.id}: why stands with test = "review", and only there')
        return self


class AssertionFile(BaseModel):
    """A file: what its assertions have in common, and they."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    volume: Text
    revision: Text
    transaction: Annotated[str, StringConstraints(pattern=r"^ITI-\d+$")] | None = None
    assertion: Annotated[tuple[AssertionTable, ...], Field(min_length=1)]


@cache
def catalogue(folder: Path = ASSERTIONS) -> tuple[Assertion, ...]:
    """Every assertion, file by file in the order of their names' numbers, in the order of the text."""
    return tuple(each for file in sorted(folder.glob("*.toml"), key=_order) for each in read(file))


def read(file: Path) -> Iterator[Assertion]:
    """The assertions of one file, or a ``CatalogueFault``."""
    try:
        written = AssertionFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueFault(f"{file.name}: {error}") from error
    except ValidationError as error:
        raise CatalogueFault("\n".join(f"{file.name}: {each}" for each in _faults(error))) from error
    for table in written.assertion:
        fields = table.model_dump(exclude={"section"})
        yield Assertion(
            **fields,
            citation=_citation(written.volume, table.section),
            revision=written.revision,
            transaction=written.transaction,
        )


def _faults(error: ValidationError) -> Iterator[str]:
    """``assertion[41].level: Input should be ...``; assertions are counted as their ids are, from 1."""
    for each in error.errors(include_url=False):
        steps = (f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in each["loc"])
        yield f"{''.join(steps).lstrip('.')}: {each['msg']}"


def _citation(volume: str, section: str) -> Citation:
    return Citation(volume, section) if volume.startswith("ITI TF-") else supplement(volume, section)


def _order(file: Path) -> tuple[str, int, str]:
    prefix, _, rest = file.stem.partition("-")
    number = re.match(r"\d*", rest)
    return prefix, int(number[0] or 0) if number else 0, rest
