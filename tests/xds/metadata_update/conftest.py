"""A registry with one report in a folder, and updates of it: one canonical state, one change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeVar

import pytest
from lxml.etree import _Element

from ihe.datatypes import CX
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import EntryUUID, UniqueId
from soap.xml import parse
from xds.ebrim_writing import encode
from xds.iti57 import ITI_57
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    MetadataObject,
    RegistryObject,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)
from xds.store import Registered

APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
SET = EntryUUID("Update01")
Versioned = TypeVar("Versioned", DocumentEntry, Folder)


def association(id: str, kind: AssociationType, source: str, target: str, **annotations: Any) -> Association:
    made = Association(
        entry_uuid=EntryUUID(id),
        association_type=kind,
        source_object=EntryUUID(source),
        target_object=EntryUUID(target),
    )
    return replace(made, **annotations)


@dataclass
class Updater:
    """Sends updates; the SubmissionSet is that of the good submission, with a new uniqueId each time."""

    holdings: Any
    submission_set: SubmissionSet
    numbers: Any = field(default_factory=lambda: count(9001))

    def stored(self, kind: MetadataObject) -> list[Registered]:
        """All objects of a kind as they are in the registry, in the order in which they came."""
        found: list[Registered] = self.holdings.of(kind)
        return found

    def latest(self, kind: MetadataObject) -> Registered:
        """The newest object of a kind."""
        return self.stored(kind)[-1]

    def version(self, each: Versioned, of: Registered, **changes: Any) -> Versioned:
        """The object as a new version of what is registered."""
        id = EntryUUID(f"{type(each).__name__}.{next(self.numbers)}")
        same: dict[str, Any] = {"entry_uuid": id, "logical_id": of.logical_id, "unique_id": of.unique_id}
        return replace(each, **(same | changes))

    def link(self, target: str, previous: int | None, **annotations: Any) -> Association:
        """The SubmissionSet's HasMember that makes an object a new version."""
        as_original = {"previous_version": previous, "submission_set_status": SubmissionSetStatus.ORIGINAL}
        return association(f"link {target}", AssociationType.HAS_MEMBER, SET, target, **(as_original | annotations))

    def change(self, target: str, original: Any = APPROVED, new: Any = DEPRECATED, **more: Any) -> Association:
        """A change of status."""
        kind = AssociationType.UPDATE_AVAILABILITY_STATUS
        return association(f"change {target}", kind, SET, target, original_status=original, new_status=new, **more)

    def submit(self, each: Association) -> tuple[Association, Association]:
        """A submitted association with its trigger."""
        id = f"submit {each.entry_uuid}"
        return each, association(id, AssociationType.SUBMIT_ASSOCIATION, SET, each.entry_uuid)

    def pack(self, *objects: RegistryObject, patient: CX | None = None) -> Submission:
        """An update of these objects; versions come with their links."""
        submission_set = replace(
            self.submission_set,
            entry_uuid=SET,
            unique_id=UniqueId(f"2.25.700.{next(self.numbers)}"),
            patient_id=patient or self.submission_set.patient_id,
        )
        return Submission(
            submission_set=submission_set,
            document_entries=tuple(each for each in objects if isinstance(each, DocumentEntry)),
            folders=tuple(each for each in objects if isinstance(each, Folder)),
            associations=tuple(each for each in objects if isinstance(each, Association)),
        )

    def send(self, submission: Submission) -> _Element:
        """Send an update through decode, handle and encode; Rejected passes."""
        wire = SOAPRequest(parse(encode(submission)))
        warnings = ITI_57.handle(ITI_57.decode(wire), self.holdings.registry, self.holdings.exchange)
        return parse(b"".join(ITI_57.encode(wire, warnings, self.holdings.exchange).body))

    def update(self, *objects: RegistryObject, patient: CX | None = None) -> None:
        answer = self.send(self.pack(*objects, patient=patient))
        assert str(answer.get("status")).endswith(":Success")

    def refused(self, *objects: RegistryObject, patient: CX | None = None) -> Mapping[str, str]:
        """The codes of a refused update by location; nothing has changed."""
        before = self.holdings.rows()
        with pytest.raises(Rejected) as caught:
            self.update(*objects, patient=patient)
        assert self.holdings.rows() == before
        return {breach.location: str(breach.code) for breach in caught.value.breaches}


@pytest.fixture
def updater(holdings: Any, submission: Submission) -> Updater:
    """The registry after the good submission: one report in one folder."""
    holdings.register(submission)
    return Updater(holdings, submission.submission_set)
