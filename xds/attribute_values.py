"""Every value of an attribute in a submission, with its place: what rules walk over."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from xds.attribute_tables import TABLES
from xds.attributes import Attribute, Sender, locate
from xds.ebrim_writing import KINDS
from xds.model import Author, MetadataObject, RegistryObject, Submission

Rows = Mapping[MetadataObject, tuple[Attribute, ...]]
ALL: Rows = {kind: table.attributes for kind, table in TABLES.items()}


def rows(submission: Submission, wanted: Rows = ALL) -> Iterator[tuple[RegistryObject, Attribute, Any]]:
    """Each object, each wanted row of its table and the value; None or () where it is absent."""
    for each in submission.objects:
        for attribute in wanted[KINDS[type(each)]]:
            yield each, attribute, getattr(each, attribute.field)


@cache
def rows_that_say(cell: str, sender: Sender) -> Rows:
    """The rows of the tables that say this to the sender, for example R."""
    return {kind: tuple(row for row in all if row.cell(sender) == cell) for kind, all in ALL.items()}


def values(submission: Submission, *names: str) -> Iterator[tuple[str, Any]]:
    """The values of attributes such as ``DocumentEntry.creationTime``, one by one, each with its location."""
    wanted = _rows_named(names)
    for each in submission.objects:
        kind = KINDS[type(each)]
        for attribute in wanted[kind]:
            value = getattr(each, attribute.field)
            if value is not None:
                for one in value if isinstance(value, tuple) else (value,):
                    yield locate(kind, each.entry_uuid, attribute.name), one


@cache
def _rows_named(names: tuple[str, ...]) -> Rows:
    return {kind: tuple(row for row in all if f"{kind.value}.{row.name}" in names) for kind, all in ALL.items()}


def authors(submission: Submission) -> Iterator[tuple[str, Author]]:
    """The authors of entries and of the SubmissionSet."""
    yield from values(submission, "DocumentEntry.author", "SubmissionSet.author")


def where(each: RegistryObject, attribute: str = "") -> str:
    """The location of an object, or of one of its attributes."""
    return locate(KINDS[type(each)], each.entry_uuid, attribute)
