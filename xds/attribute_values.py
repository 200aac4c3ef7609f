"""Every value of an attribute in a submission, with its place: what rules walk over."""

from collections.abc import Mapping
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import Any

from xds.attribute_tables import TABLES
from xds.attributes import Attribute, Sender, locate
from xds.ebrim_writing import KINDS
from xds.model import MetadataObject, RegistryObject, Submission

Rows = Mapping[MetadataObject, tuple[Attribute, ...]]
Placed = tuple[RegistryObject, Attribute, Any]
"""An object, a row of its table and a value; ``where`` names the place, once there is something to tell of it."""
ALL: Rows = {kind: table.attributes for kind, table in TABLES.items()}
_TOGETHER = {kind: attrgetter(*(row.field for row in all)) for kind, all in ALL.items()}


def rows(submission: Submission, wanted: Rows = ALL) -> list[Placed]:
    """Each object, each wanted row of its table and the value; None or () where it is absent."""
    return [
        (each, attribute, getattr(each, attribute.field))
        for each in submission.objects
        for attribute in wanted[KINDS[type(each)]]
    ]


def values_of(each: RegistryObject) -> tuple[Any, ...]:
    """The values of all rows of an object's table."""
    together: tuple[Any, ...] = _TOGETHER[KINDS[type(each)]](each)
    return together


@cache
def rows_that_say(cell: str, sender: Sender) -> Rows:
    """The rows of the tables that say this to the sender, for example R."""
    return {kind: tuple(row for row in all if row.cell(sender) == cell) for kind, all in ALL.items()}


def values(submission: Submission, *names: str) -> list[Placed]:
    """The values of attributes such as ``DocumentEntry.creationTime``, one by one."""
    wanted = _rows_named(names)
    found: list[Placed] = []
    for each in submission.objects:
        for attribute in wanted[KINDS[type(each)]]:
            value = getattr(each, attribute.field)
            if isinstance(value, tuple):
                found += zip(repeat(each), repeat(attribute), value, strict=False)
            elif value is not None:
                found.append((each, attribute, value))
    return found


@cache
def _rows_named(names: tuple[str, ...]) -> Rows:
    return {kind: tuple(row for row in all if f"{kind.value}.{row.name}" in names) for kind, all in ALL.items()}


def authors(submission: Submission) -> list[Placed]:
    """The authors of entries and of the SubmissionSet."""
    return values(submission, "DocumentEntry.author", "SubmissionSet.author")


def where(each: RegistryObject, attribute: str = "") -> str:
    """The location of an object, or of one of its attributes."""
    return locate(KINDS[type(each)], each.entry_uuid, attribute)
