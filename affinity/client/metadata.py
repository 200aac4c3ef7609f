"""Metadata objects as plain values under the standard's names, and as one line each."""

from dataclasses import asdict
from enum import Enum
from typing import Any

from ihe.datatypes import CX, Code
from xds.attribute_tables import AUTHOR, TABLES
from xds.model import (
    Association,
    Author,
    DocumentEntry,
    ExtraSlot,
    Folder,
    LocalizedString,
    MetadataObject,
    RegistryObject,
    SubmissionSet,
)

KINDS: dict[type[RegistryObject], MetadataObject] = {
    SubmissionSet: MetadataObject.SUBMISSION_SET,
    DocumentEntry: MetadataObject.DOCUMENT_ENTRY,
    Folder: MetadataObject.FOLDER,
    Association: MetadataObject.ASSOCIATION,
}


def plain(thing: RegistryObject) -> dict[str, Any]:
    """Every attribute that has a value, by the standard's name; codes as code, scheme and display."""
    kind = KINDS[type(thing)]
    values = {row.name: getattr(thing, row.field) for row in TABLES[kind].attributes}
    said = {name: _value(value) for name, value in values.items() if value not in (None, (), False)}
    return {"object": kind.value, "entryUUID": thing.entry_uuid, **said, **_extra(thing.extra)}


def row(thing: RegistryObject) -> tuple[str, ...]:
    """Object, title, type, date, uniqueId, status."""
    kind, status = KINDS[type(thing)].value, thing.availability_status
    shown = status.name.capitalize() if status else ""
    if isinstance(thing, Association):
        meaning = thing.association_type.value.rpartition(":")[2]
        return (kind, f"{thing.source_object} -> {thing.target_object}", meaning, "", thing.entry_uuid, shown)
    title = thing.title[0].value if thing.title else ""
    return (kind, title, _type(thing), _time(thing), str(thing.unique_id or ""), shown)


def _type(thing: DocumentEntry | SubmissionSet | Folder) -> str:
    if isinstance(thing, Folder):
        codes = thing.code_list
    else:
        single = thing.type_code if isinstance(thing, DocumentEntry) else thing.content_type_code
        codes = (single,) if single else ()
    return ", ".join(code.display or code.code for code in codes)


def _time(thing: DocumentEntry | SubmissionSet | Folder) -> str:
    if isinstance(thing, DocumentEntry):
        return _readable(thing.creation_time)
    return _readable(thing.submission_time if isinstance(thing, SubmissionSet) else thing.last_update_time)


def _readable(dtm: str | None) -> str:
    """``2026-11-23 10:15`` of a DTM, which is in UTC."""
    text = dtm or ""
    day = "-".join(filter(None, (text[:4], text[4:6], text[6:8])))
    return f"{day} {text[8:10]}:{text[10:12]}" if len(text) >= 12 else day


def _value(value: Any) -> Any:
    match value:
        case CX():
            return str(value)
        case Code():
            return asdict(value)
        case Enum():
            return value.value
        case Author():
            return {name: _value(each) for name, field in AUTHOR.items() if (each := getattr(value, field))}
        case (LocalizedString(), *_):
            return value[0].value
        case tuple():
            return [_value(each) for each in value]
    return value


def _extra(slots: tuple[ExtraSlot, ...]) -> dict[str, list[str]]:
    return {slot.name: list(slot.values) for slot in slots}
