"""A fault plan as a TOML file: a ``[[fault]]`` for each, with what ``simulators.faults.Fault`` has."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance.simulators.faults import ANY, Fault, UnusablePlan, planned


class FaultTable(BaseModel):
    """One ``[[fault]]`` as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: str
    transaction: str = ANY
    request: Annotated[int, Field(ge=1)] | str = "each"
    detail: str | int | float = ""


class PlanFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: tuple[FaultTable, ...] = ()


def read_plan(file: Path) -> tuple[Fault, ...]:
    """The faults of a file, in their order. UnusablePlan names the place; OSError: it cannot be read."""
    try:
        written = PlanFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusablePlan(f"{file}: {error}") from error
    except ValidationError as error:
        raise UnusablePlan(f"{file}: {'; '.join(_told(error))}") from error
    return tuple(planned(each.transaction, each.request, each.fault, str(each.detail)) for each in written.fault)


def _told(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False)]
