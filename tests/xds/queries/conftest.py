"""A registry with content of our choice, for the tests of queries."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from lxml.etree import _Element
from sqlalchemy import Connection

from affinity.database import Database
from ihe.access import OPEN
from ihe.datatypes import CX, HD, Code
from ihe.domain import AffinityDomain
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import EntryUUID, PatientKey, UniqueId, new_entry_uuid, new_oid
from ihe.transactions import Transaction
from soap.xml import escape, parse
from xds import store
from xds.ebrim_writing import KINDS, fragment
from xds.model import (
    Association,
    AssociationType,
    Author,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    RegistryObject,
    SubmissionSet,
    SubmissionSetStatus,
)
from xds.patients import Patient
from xds.rows import row
from xds.visibility import Access

OID = "2.25.7001"


def patient_id(extension: str) -> CX:
    return CX(extension, HD("", OID, "ISO"))


@dataclass
class ShelfOfPatients:
    """Patients by id, as the feed would have announced and merged them."""

    keys: dict[CX, tuple[PatientKey, ...]] = field(default_factory=dict)

    def resolve(self, _connection: Connection, patient_id: CX) -> Patient | None:
        keys = self.keys.get(patient_id)
        return Patient(key=keys[0], keys=keys, id=patient_id) if keys else None

    def current(self, _connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        return {key: each for each, known in self.keys.items() for key in known if key in keys}


@dataclass
class Shelves:
    """A registry port whose objects are put there one by one, without the rules of a submission."""

    database: Database
    patients: ShelfOfPatients = field(default_factory=ShelfOfPatients)
    domain: AffinityDomain = field(
        default_factory=lambda: AffinityDomain(
            name="test", home_community_id="urn:oid:2.25.9", repository_unique_id="2.25.5", assigning_authorities=()
        )
    )
    ids: Iterator[int] = field(default_factory=lambda: count(1))
    access: Access = OPEN

    def patient(self, extension: str, *keys: int) -> CX:
        """Announce a patient whose own key comes first; the others were merged into it."""
        self.patients.keys[patient_id(extension)] = tuple(PatientKey(key) for key in keys)
        return patient_id(extension)

    def put(self, key: int, *objects: RegistryObject, superseded: bool = False) -> None:
        """Store objects of one patient."""

        def work(connection: Connection) -> None:
            for each in objects:
                self._put(connection, key, each, superseded)

        self.database.write(work)

    def _put(self, connection: Connection, key: int, each: RegistryObject, superseded: bool) -> None:
        kind = KINDS[type(each)]
        accepted = replace(
            each,
            logical_id=each.logical_id or each.entry_uuid,
            version=each.version or 1,
            availability_status=each.availability_status or AvailabilityStatus.APPROVED,
        )
        stored = row(accepted, PatientKey(key), next(self.ids), fragment(accepted))
        if isinstance(each, DocumentEntry | Folder):
            stored["superseded"] = superseded
        store.locate(connection, {kind: [stored]})
        store.add(connection, {kind: [stored]})

    def request(self, query_id: str, *slots: tuple[str, ...], returns: str = "LeafClass") -> bytes:
        """Spell an AdhocQueryRequest; a slot is a name and its rim:Value texts, as they go over the wire."""
        spelled = "".join(
            f'<rim:Slot name="{name}"><rim:ValueList>'
            + "".join(f"<rim:Value>{escape(value).decode()}</rim:Value>" for value in values)
            + "</rim:ValueList></rim:Slot>"
            for name, *values in slots
        )
        return (
            '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
            'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
            f'<query:ResponseOption returnComposedObjects="true" returnType="{returns}"/>'
            f'<rim:AdhocQuery id="{query_id}">{spelled}</rim:AdhocQuery></query:AdhocQueryRequest>'
        ).encode()

    def ask(self, transaction: Transaction[Any, Any, Any, Any, Any], request: bytes) -> _Element:
        """Send one request through decode, handle and encode; Rejected passes."""
        wire = SOAPRequest(parse(request))
        exchange = Exchange(correlation_id="test", received_at=datetime(2026, 1, 1, tzinfo=UTC))
        answer = transaction.handle(transaction.decode(wire), self, exchange)
        return parse(b"".join(transaction.encode(wire, answer, exchange).body))


@pytest.fixture
def shelves(database: Database) -> Shelves:
    """An empty registry, on SQLite and on PostgreSQL."""
    return Shelves(database)


def make_entry(patient: CX, **changes: Any) -> DocumentEntry:
    """A stable entry that every filter of the tests can tell apart; ``changes`` are attributes."""
    attributes: dict[str, Any] = {
        "entry_uuid": new_entry_uuid(),
        "mime_type": "text/xml",
        "creation_time": "20260110120000",
        "hash": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "size": 0,
        "language_code": "fr-LU",
        "repository_unique_id": "2.25.5",
        "source_patient_id": patient,
        "class_code": Code("REPORT", "2.25.1", "Report"),
        "type_code": Code("11502-2", "2.16.840.1.113883.6.1", "Laboratory report"),
        "format_code": Code("XD-LAB", "2.25.1", "XD-LAB"),
        "healthcare_facility_type_code": Code("LAB", "2.25.1", "Laboratory"),
        "practice_setting_code": Code("MED", "2.25.1", "Medicine"),
        "confidentiality_code": (Code("N", "2.16.840.1.113883.5.25", "normal"),),
        "author": (Author(author_person="^Weber^Anna^^^Dr"),),
        "patient_id": patient,
        "unique_id": UniqueId(new_oid()),
    }
    return DocumentEntry(**(attributes | changes))


def make_submission_set(patient: CX, **changes: Any) -> SubmissionSet:
    attributes: dict[str, Any] = {
        "entry_uuid": new_entry_uuid(),
        "submission_time": "20260110120500",
        "author": (Author(author_person="^Weber^Anna^^^Dr"),),
        "content_type_code": Code("RESULTS", "2.25.1", "Results"),
        "patient_id": patient,
        "source_id": "2.25.8",
        "unique_id": UniqueId(new_oid()),
    }
    return SubmissionSet(**(attributes | changes))


def make_folder(patient: CX, **changes: Any) -> Folder:
    attributes: dict[str, Any] = {
        "entry_uuid": new_entry_uuid(),
        "last_update_time": "20260110120500",
        "code_list": (Code("PREGNANCY", "2.25.1", "Pregnancy"),),
        "patient_id": patient,
        "unique_id": UniqueId(new_oid()),
    }
    return Folder(**(attributes | changes))


def make_association(
    kind: AssociationType, source: RegistryObject, target: RegistryObject, **changes: Any
) -> Association:
    original = isinstance(source, SubmissionSet) and isinstance(target, DocumentEntry)
    attributes: dict[str, Any] = {
        "entry_uuid": EntryUUID(new_entry_uuid()),
        "association_type": kind,
        "source_object": source.entry_uuid,
        "target_object": target.entry_uuid,
        "submission_set_status": SubmissionSetStatus.ORIGINAL if original else None,
    }
    return Association(**(attributes | changes))


class Makers:
    """Invented objects: one good object, one change."""

    entry = staticmethod(make_entry)
    submission_set = staticmethod(make_submission_set)
    folder = staticmethod(make_folder)
    association = staticmethod(make_association)

    @staticmethod
    def member(source: RegistryObject, target: RegistryObject, **changes: Any) -> Association:
        return make_association(AssociationType.HAS_MEMBER, source, target, **changes)


@pytest.fixture
def make() -> Makers:
    """Makers of invented objects."""
    return Makers()
