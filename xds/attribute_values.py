"""Every value of an attribute in a submission, with its place: what rules walk over."""

from collections.abc import Iterator
from typing import Any

from xds.attribute_tables import TABLES
from xds.attributes import Attribute, locate
from xds.ebrim_writing import KINDS
from xds.model import Author, RegistryObject, Submission


def rows(submission: Submission) -> Iterator[tuple[RegistryObject, Attribute, Any]]:
    """Each object, each row of its table and the value; None or () where it is absent."""
    for each in submission.objects:
        for attribute in TABLES[KINDS[type(each)]].attributes:
            yield each, attribute, getattr(each, attribute.field)


def values(submission: Submission, *names: str) -> Iterator[tuple[str, Any]]:
    """The values of attributes such as ``DocumentEntry.creationTime``, one by one, each with its location."""
    for each, attribute, value in rows(submission):
        kind = KINDS[type(each)]
        if f"{kind.value}.{attribute.name}" in names and value is not None:
            for one in value if isinstance(value, tuple) else (value,):
                yield locate(kind, each.entry_uuid, attribute.name), one


def authors(submission: Submission) -> Iterator[tuple[str, Author]]:
    """The authors of entries and of the SubmissionSet."""
    yield from values(submission, "DocumentEntry.author", "SubmissionSet.author")


def where(each: RegistryObject, attribute: str = "") -> str:
    """The location of an object, or of one of its attributes."""
    return locate(KINDS[type(each)], each.entry_uuid, attribute)
