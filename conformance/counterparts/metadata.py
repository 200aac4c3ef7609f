"""Metadata that the harness submits: complete by ITI TF-3: Table 4.3.1-3, with the codes that the system declares."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from conformance.system import System
from ihe.datatypes import CX
from ihe.identifiers import EntryUUID, UniqueId, new_entry_uuid, new_oid
from xds.model import (
    Association,
    AssociationType,
    Author,
    DocumentEntry,
    Folder,
    LocalizedString,
    RegistryObject,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)

WORDS = ("blood count", "culture", "creatinine", "discharge letter", "radiograph", "vaccination", "prescription")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An entry and the bytes that it describes."""

    entry: DocumentEntry
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventor:
    """Invents documents and their metadata; ``dice`` decides what nobody cares about, so a seed repeats a run."""

    system: System
    dice: random.Random

    def document(self, patient: CX, **changes: Any) -> Document:
        """A small text, described in full. ``changes`` are attributes by their field names."""
        title = f"{self.dice.choice(WORDS)} {self.dice.randrange(10**6)}"
        content = f"{title}, invented for a conformance test\n".encode()
        return Document(entry=self._entry(patient, title, content, changes), content=content)

    def entry(self, patient: CX, **changes: Any) -> DocumentEntry:
        """As a Document Repository registers it: with hash, size and repositoryUniqueId."""
        document = self.document(patient)
        stored = {
            "hash": sha1(document.content, usedforsecurity=False).hexdigest(),
            "size": len(document.content),
            "repository_unique_id": self.repository,
        }
        return self._entry(patient, document.entry.title[0].value, document.content, {**stored, **changes})

    @property
    def repository(self) -> str:
        """The repositoryUniqueId of the system's repository; of an invented one where it has none."""
        declared = (each.unique_id for each in self.system.actors.values())
        return next((each for each in declared if each), f"{self.system.source_id}.1")

    def submission_set(self, patient: CX, **changes: Any) -> SubmissionSet:
        """A packing slip of now."""
        values: dict[str, Any] = {
            "entry_uuid": new_entry_uuid(),
            "submission_time": now(),
            "title": (LocalizedString("Conformance test"),),
            "author": (self._author(),),
            "content_type_code": self.system.code("contentTypeCode"),
            "patient_id": patient,
            "source_id": self.system.source_id,
            "unique_id": UniqueId(new_oid()),
        }
        return SubmissionSet(**{**values, **changes})

    def folder(self, patient: CX, **changes: Any) -> Folder:
        """An empty folder."""
        values: dict[str, Any] = {
            "entry_uuid": new_entry_uuid(),
            "title": (LocalizedString("Conformance test"),),
            "code_list": self.system.all_codes("codeList")[:1],
            "patient_id": patient,
            "unique_id": UniqueId(new_oid()),
        }
        return Folder(**{**values, **changes})

    def _author(self) -> Author:
        return Author(author_person="^Tester^Conformance", author_institution=("Conformance laboratory",))

    def _entry(self, patient: CX, title: str, content: bytes, changes: dict[str, Any]) -> DocumentEntry:
        code = self.system.code
        values: dict[str, Any] = {
            "entry_uuid": new_entry_uuid(),
            "mime_type": "text/plain",
            "creation_time": now(),
            "language_code": self.system.codes.get("languageCode", ("en",))[0],
            "source_patient_id": patient,
            "title": (LocalizedString(title),),
            "author": (self._author(),),
            "class_code": code("classCode"),
            "confidentiality_code": (code("confidentialityCode"),),
            "format_code": code("formatCode"),
            "healthcare_facility_type_code": code("healthcareFacilityTypeCode"),
            "practice_setting_code": code("practiceSettingCode"),
            "type_code": code("typeCode"),
            "patient_id": patient,
            "unique_id": UniqueId(new_oid()),
        }
        return DocumentEntry(**{**values, **changes})


def submission(packing_slip: SubmissionSet, *things: RegistryObject) -> Submission:
    """Put objects under their packing slip; entries and folders become its members, Associations stand as they are."""
    members = [each for each in things if isinstance(each, DocumentEntry | Folder)]
    links = [member(packing_slip.entry_uuid, each) for each in members]
    return Submission(
        submission_set=packing_slip,
        document_entries=tuple(each for each in things if isinstance(each, DocumentEntry)),
        folders=tuple(each for each in things if isinstance(each, Folder)),
        associations=(*links, *(each for each in things if isinstance(each, Association))),
    )


def member(packing_slip: EntryUUID, thing: DocumentEntry | Folder) -> Association:
    """SS-DE HasMember or SS-FD HasMember (ITI TF-3: 4.2.2.1)."""
    status = SubmissionSetStatus.ORIGINAL if isinstance(thing, DocumentEntry) else None
    return link(AssociationType.HAS_MEMBER, packing_slip, thing.entry_uuid, submission_set_status=status)


def membership(packing_slip: SubmissionSet, folder: Folder, entry: DocumentEntry) -> tuple[Association, Association]:
    """FD-DE HasMember, and the SS-HM HasMember that makes it a member of the set (ITI TF-3: 4.2.2.1.3-4)."""
    inside = link(AssociationType.HAS_MEMBER, folder.entry_uuid, entry.entry_uuid)
    return inside, link(AssociationType.HAS_MEMBER, packing_slip.entry_uuid, inside.entry_uuid)


def link(kind: AssociationType, source: EntryUUID, target: EntryUUID, **changes: Any) -> Association:
    """An Association of any type."""
    return Association(
        entry_uuid=new_entry_uuid(), association_type=kind, source_object=source, target_object=target, **changes
    )


def now() -> str:
    """A DTM in UTC."""
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S")


def ids(things: Iterable[RegistryObject]) -> set[str]:
    """Their entryUUIDs."""
    return {each.entry_uuid for each in things}
