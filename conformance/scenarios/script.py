"""A scenario as it is written: its name, what it covers, and steps that name what they make."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from conformance.covering import Covering, Suite
from ihe.errors import ErrorCode
from ihe.transactions import Actor

SUFFIXES = (".yaml", ".yml")
Name = Annotated[str, Field(min_length=1, max_length=60)]
Attributes = Mapping[str, str | int | list[Any]]


class ScenarioFault(ValueError):
    """A scenario cannot be read; the text says where, and what is wrong."""


class Part(BaseModel):
    """A part of the file: nothing unknown stands in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Announce(Part):
    """Tell the system of a new patient, and call the patient by this name."""

    announce: Name


class Merge(Part):
    """A40: the patient ``merge`` goes into the patient ``into``."""

    merge: Name
    into: Name


class Submit(Part):
    """What registering and providing have in common: for whom, with which attributes, related to which document."""

    patient: Name = Field(alias="for")
    attributes: Attributes = Field(default={}, alias="with")
    replaces: Name | None = None
    appends: Name | None = None
    refused: ErrorCode | None = None
    """The code with which the system refuses it; without it the step succeeds."""


class Register(Submit):
    """ITI-42: register a document, and call it by this name."""

    register_: Name = Field(alias="register")


class Provide(Submit):
    """ITI-41: provide a document with its bytes, and call it by this name."""

    provide: Name
    content: str = "An invented document\n"


class Find(Part):
    """ITI-18 FindDocuments: the documents of a patient are just those of these names."""

    find: Name
    status: Literal["Approved", "Deprecated"] = "Approved"
    where: Mapping[str, str] = {}
    """Further parameters by their names, values as the query spells them."""
    expect: tuple[Name, ...]


class Retrieve(Part):
    """ITI-43: the bytes of a provided document come back, or it is refused."""

    retrieve: Name
    refused: ErrorCode | None = None


VERBS = ("announce", "merge", "register", "provide", "find", "retrieve")


def _verb(step: object) -> str | None:
    """Which kind of step it is: the verb that it has."""
    return next((each for each in VERBS if isinstance(step, Mapping) and each in step), None)


Step = Announce | Merge | Register | Provide | Find | Retrieve
WrittenStep = Annotated[
    Annotated[Announce, Tag("announce")]
    | Annotated[Merge, Tag("merge")]
    | Annotated[Register, Tag("register")]
    | Annotated[Provide, Tag("provide")]
    | Annotated[Find, Tag("find")]
    | Annotated[Retrieve, Tag("retrieve")],
    Discriminator(
        _verb, custom_error_type="verb", custom_error_message=f"a step has one of the verbs {', '.join(VERBS)}"
    ),
]


class Scenario(Part):
    """The whole file."""

    name: Annotated[str, Field(min_length=3, max_length=120)]
    actor: Actor
    option: str | None = None
    profile: str = "scenario"
    covers: tuple[str, ...] = ()
    steps: Annotated[tuple[WrittenStep, ...], Field(min_length=1)]

    @property
    def suite(self) -> Suite:
        """Where reports put it."""
        return Suite(actor=self.actor, profile=self.profile, option=self.option)

    @property
    def covering(self) -> Covering:
        """The assertions that it shows."""
        return Covering(self.covers)


def read(file: Path) -> Scenario:
    """Read one scenario. ScenarioFault says where it is wrong; OSError: it cannot be read."""
    try:
        return Scenario.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioFault(f"{file} is not YAML: {error}") from error
    except ValidationError as error:
        raise ScenarioFault(f"{file}: {'; '.join(_faults(error))}") from error


def files(places: Iterable[Path]) -> tuple[Path, ...]:
    """The scenarios of files and folders. ScenarioFault: a folder has none, or one cannot be read."""
    found: list[Path] = []
    for place in places:
        inside = sorted(each for each in place.iterdir() if each.suffix in SUFFIXES) if place.is_dir() else [place]
        if not inside:
            raise ScenarioFault(f"{place} has no file that ends in {' or '.join(SUFFIXES)}")
        found += inside
    for each in found:
        read(each)
    return tuple(found)


def _faults(error: ValidationError) -> Iterator[str]:
    """Where, counted from one as people count, and what is wrong there."""
    for each in error.errors():
        place = [part for part in each["loc"] if part not in VERBS]
        yield f"{'.'.join(str(part + 1) if isinstance(part, int) else part for part in place)}: {each['msg']}"
