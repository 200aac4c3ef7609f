"""ebRIM in: lcm:SubmitObjectsRequest or rim:RegistryObjectList to the model, with its faults (ITI TF-3: 4.2).

What a value must look like, and what must be there, is said by ``xds.rules``; here only what the model cannot hold is
refused. ``decode`` never raises: the rules see the same submission, so that a sender learns all of it in one answer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lxml.etree import _Element

from ihe.citations import tf3
from ihe.datatypes import CX
from ihe.errors import Breach, ErrorCode
from ihe.identifiers import EntryUUID
from xds.attribute_tables import ASSOCIATION, DOCUMENT_ENTRY, FOLDER, SUBMISSION_SET
from xds.attributes import ObjectTable, locate
from xds.ebrim_objects import RIMList, RIMObject, read_list
from xds.ebrim_reading import Reader
from xds.fragments import RIM
from xds.model import (
    Association,
    DocumentEntry,
    Folder,
    MetadataObject,
    RegistryObject,
    Submission,
    SubmissionSet,
)

Kind = TypeVar("Kind", bound=RegistryObject)
CLASSES: Mapping[MetadataObject, Callable[..., RegistryObject]] = {
    MetadataObject.SUBMISSION_SET: SubmissionSet,
    MetadataObject.DOCUMENT_ENTRY: DocumentEntry,
    MetadataObject.FOLDER: Folder,
    MetadataObject.ASSOCIATION: Association,
}
PARTS: Mapping[MetadataObject, Mapping[str, str]] = {
    MetadataObject.DOCUMENT_ENTRY: {"object_type": "objectType"},
    MetadataObject.ASSOCIATION: {
        "association_type": "associationType",
        "source_object": "sourceObject",
        "target_object": "targetObject",
    },
}
"""What makes an object what it is, whoever sends it: fields and XML attributes (ITI TF-3: 4.2.2, 4.2.3.2.30)."""
NO_PARTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A submission as far as it could be read, and what could not. None where there is no SubmissionSet at all."""

    submission: Submission | None
    breaches: tuple[Breach, ...]


def submitted_patients(decoded: Decoded) -> Iterator[CX]:
    """The patients of the objects that a submission brings."""
    for each in decoded.submission.identified if decoded.submission else ():
        if each.patient_id is not None:
            yield each.patient_id


def decode(request: _Element) -> Decoded:
    """Read a Submission Request from SubmitObjectsRequest, or from the RegistryObjectList itself (4.2.1.5)."""
    lists = list(request.iter(f"{{{RIM}}}RegistryObjectList"))
    if len(lists) != 1:
        return Decoded(None, (_structure(f"A Submission Request has one RegistryObjectList, not {len(lists)}", ""),))
    objects, breaches = decode_objects(lists[0])
    sets = _of(objects, SubmissionSet)
    if len(sets) != 1:
        breaches += (_structure(f"A Submission Request has one SubmissionSet, not {len(sets)}", "RegistryObjectList"),)
    return Decoded(_submission(objects, sets[0]) if sets else None, breaches)


def decode_objects(registry_object_list: _Element) -> tuple[tuple[RegistryObject, ...], tuple[Breach, ...]]:
    """Read every object of a list, for example of a query's answer, in the list's order."""
    content = read_list(registry_object_list)
    breaches = list(_list_breaches(content))
    objects = [read for each in content.objects if (read := _object(each, breaches)) is not None]
    return tuple(objects), tuple(breaches)


def _submission(objects: tuple[RegistryObject, ...], submission_set: SubmissionSet) -> Submission:
    return Submission(
        submission_set=submission_set,
        document_entries=_of(objects, DocumentEntry),
        folders=_of(objects, Folder),
        associations=_of(objects, Association),
    )


def _of(objects: tuple[RegistryObject, ...], kind: type[Kind]) -> tuple[Kind, ...]:
    return tuple([each for each in objects if isinstance(each, kind)])


def _list_breaches(content: RIMList) -> Iterator[Breach]:
    for tag in content.foreign:
        yield _structure("A RegistryObjectList holds no other objects than those of Document Sharing", tag)
    for classification in content.stray:
        yield _structure(
            "A Classification beside the objects classifies one of them", classification.classified_object or ""
        )


def _structure(text: str, location: str) -> Breach:
    return Breach(code=ErrorCode.REGISTRY_METADATA_ERROR, text=text, location=location, citation=tf3("4.2.1.5, 4.1.4"))


def _object(source: RIMObject, breaches: list[Breach]) -> RegistryObject | None:
    table = _table(source)
    if table is None:
        breaches.append(_structure("A RegistryPackage is labelled as a SubmissionSet or as a Folder", source.id))
        return None
    if not source.id:
        breaches.append(_structure("Every object has an id: a UUID or a symbolic id", table.kind.value))
        return None
    reader = Reader(table, source)
    values = reader.read()
    reader.finish()
    breaches.extend(reader.faults.breaches)
    return _build(table, {"entry_uuid": EntryUUID(source.id), "extra": reader.extra()} | values, breaches)


def _table(source: RIMObject) -> ObjectTable | None:
    if source.element != "RegistryPackage":
        return DOCUMENT_ENTRY if source.element == "ExtrinsicObject" else ASSOCIATION
    nodes = {each.node for each in source.classifications}
    labels = [table for table in (SUBMISSION_SET, FOLDER) if table.node in nodes]
    return labels[0] if len(labels) == 1 else None


def _build(table: ObjectTable, values: dict[str, Any], breaches: list[Breach]) -> RegistryObject | None:
    parts = PARTS.get(table.kind, NO_PARTS)
    if not parts.keys() <= values.keys():
        _tell_missing(table, values, breaches)
        if table.kind is MetadataObject.ASSOCIATION:
            return None
    return CLASSES[table.kind](**values)


def _tell_missing(table: ObjectTable, values: dict[str, Any], breaches: list[Breach]) -> None:
    told = {breach.location for breach in breaches}
    for field, name in PARTS[table.kind].items():
        where = locate(table.kind, values["entry_uuid"], name)
        if field not in values and where not in told:
            breaches.append(_structure(f"Every {table.kind.value} has the attribute {name}", where))
