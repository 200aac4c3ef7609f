"""The columns of each kind of object (``xds.tables``), as drivers take them: terms by name, lists as JSON."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from unicodedata import normalize

import orjson

from ihe.datatypes import Code, earliest
from ihe.identifiers import PatientKey
from ihe.vocabulary import Vocabulary
from xds.model import (
    Association,
    AssociationType,
    Author,
    AvailabilityStatus,
    DocumentAvailability,
    DocumentEntry,
    Folder,
    ObjectType,
    RegistryObject,
    SubmissionSet,
    SubmissionSetStatus,
)

Row = dict[str, Any]
VOCABULARIES = (AvailabilityStatus, ObjectType, DocumentAvailability, AssociationType, SubmissionSetStatus)
TERMS: dict[Vocabulary | None, str | None] = {term: term.name for vocabulary in VOCABULARIES for term in vocabulary}
_term = (TERMS | {None: None}).__getitem__


def row(each: RegistryObject, patient_key: PatientKey, id: int, fragment: bytes) -> Row:
    """The row of an object that the registry has accepted: with UUIDs, status, logicalID and version."""
    return {
        "patient_key": patient_key,
        "id": id,
        "entry_uuid": each.entry_uuid,
        "logical_id": each.logical_id,
        "version": each.version,
        "status": _term(each.availability_status),
        "home": _text(each.home_community_id),
        "fragment": fragment,
        **_columns(each),
    }


def _columns(each: RegistryObject) -> Row:
    match each:
        case DocumentEntry():
            return _document_entry(each) | _codes(each)
        case SubmissionSet():
            return {
                "unique_id": _text(each.unique_id),
                "source_id": _text(each.source_id),
                "submission_time": _time(each.submission_time),
                "content_type_code": _code(each.content_type_code),
                "author_person": _persons(each.author),
            }
        case Folder():
            return {
                "unique_id": _text(each.unique_id),
                "superseded": False,
                "last_update_time": each.last_update_time,
                "code_list": _listed_codes(each.code_list),
            }
        case Association():
            return {
                "association_type": _term(each.association_type),
                "source_object": each.source_object,
                "target_object": each.target_object,
                "submission_set_status": _term(each.submission_set_status),
            }


def _document_entry(entry: DocumentEntry) -> Row:
    return {
        "unique_id": _text(entry.unique_id),
        "object_type": _term(entry.object_type),
        "repository_unique_id": _text(entry.repository_unique_id),
        "hash": normal_hash(entry.hash),
        "size": entry.size,
        "superseded": False,
        "document_availability": _term(entry.document_availability or DocumentAvailability.ONLINE),
        "creation_time": _time(entry.creation_time),
        "service_start_time": _time(entry.service_start_time),
        "service_stop_time": _time(entry.service_stop_time),
        "author_person": _persons(entry.author),
        "reference_id_list": _listed(entry.reference_id_list),
    }


def _codes(entry: DocumentEntry) -> Row:
    return {
        "class_code": _code(entry.class_code),
        "type_code": _code(entry.type_code),
        "format_code": _code(entry.format_code),
        "healthcare_facility_type_code": _code(entry.healthcare_facility_type_code),
        "practice_setting_code": _code(entry.practice_setting_code),
        "event_code_list": _listed_codes(entry.event_code_list),
        "confidentiality_code": _listed_codes(entry.confidentiality_code),
    }


def normal_hash(hash: str | None) -> str | None:
    """Hashes are compared without regard to case (ITI TF-3: 4.2.3.2.10)."""
    return hash.lower() if hash is not None else None


def _text(text: str | None) -> str | None:
    """Text is compared in Unicode's normal form C (ITI TF-2: Appendix F); the fragment keeps it as sent."""
    return text if text is None or text.isascii() else normalize("NFC", text)


def _time(dtm: str | None) -> str | None:
    return earliest(dtm) if dtm is not None else None


def _code(code: Code | None) -> str | None:
    return _spelled(code.code, code.scheme) if code is not None else None


@lru_cache(maxsize=4096)
def _spelled(code: str, scheme: str) -> str:
    """A code that was accepted, and so is short; a domain has few."""
    return normalize("NFC", str(Code(code, scheme)))


def _listed_codes(codes: Iterable[Code]) -> str:
    return _listed([_spelled(each.code, each.scheme) for each in codes])


def _persons(authors: Iterable[Author]) -> str:
    return _listed([author.author_person for author in authors if author.author_person is not None])


def _listed(values: Iterable[str]) -> str:
    text = orjson.dumps(values).decode()
    return text if text.isascii() else orjson.dumps([normalize("NFC", each) for each in values]).decode()
