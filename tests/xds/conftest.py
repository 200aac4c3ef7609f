"""The one good submission of these tests, from which every test changes one thing, and a registry to send it to."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select

from affinity.database import Database
from ihe.datatypes import CX, HD, Code
from ihe.domain import AffinityDomain
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from soap.xml import parse
from xds import store
from xds.adhoc_query import AdhocQuery, ReturnType, write
from xds.compact import unpack
from xds.ebrim import decode_objects
from xds.ebrim_writing import encode
from xds.iti18 import ITI_18
from xds.iti42 import ITI_42
from xds.model import (
    Association,
    AssociationType,
    Author,
    DocumentEntry,
    Folder,
    LocalizedString,
    MetadataObject,
    RegistryObject,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)
from xds.patients import Patient
from xds.query_parameters import Clause, QueryParameters
from xds.registry import DocumentRegistry
from xds.store import Registered
from xds.stored_query import StoredQuery
from xds.tables import TABLE_OF, metadata

AUTHORITY = HD("", "2.25.101", "ISO")
PATIENT = CX("1988031742", AUTHORITY)
OTHER = CX("1955123199", AUTHORITY)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LOINC = "2.16.840.1.113883.6.1"
CODES = {
    "classCode": Code("REPORTS", "2.25.200.1", "Reports"),
    "typeCode": Code("11502-2", LOINC, "Laboratory report"),
    "formatCode": Code("urn:ihe:lab:xd-lab:2008", "1.3.6.1.4.1.19376.1.2.3", "XD-LAB"),
    "confidentialityCode": Code("N", "2.16.840.1.113883.5.25", "Normal"),
    "healthcareFacilityTypeCode": Code("LAB", "2.25.200.2", "Laboratory"),
    "practiceSettingCode": Code("394596001", "2.16.840.1.113883.6.96", "Chemical pathology"),
    "eventCodeList": Code("HBA1C", "2.25.200.3", "HbA1c"),
    "contentTypeCode": Code("RESULT", "2.25.200.4", "Laboratory result"),
    "codeList": Code("DIABETES", "2.25.200.5", "Diabetes care"),
    "associationDocumentation": Code("CORRECTION", "2.25.200.6", "Corrected result"),
    "mimeType": Code("application/pdf", "", "PDF"),
}


@pytest.fixture
def codes() -> Mapping[str, Code]:
    """One allowed code for each coded attribute."""
    return CODES


@pytest.fixture
def domain() -> AffinityDomain:
    return AffinityDomain(
        name="test",
        home_community_id="urn:oid:2.25.100",
        repository_unique_id="2.25.300",
        assigning_authorities=(),
        codes={attribute: frozenset({code}) for attribute, code in CODES.items()},
    )


@pytest.fixture
def patient() -> CX:
    """The patient that the feed announced, and whose documents the good submission holds."""
    return PATIENT


@pytest.fixture
def other_patient() -> CX:
    """Another announced patient."""
    return OTHER


@pytest.fixture
def entry() -> DocumentEntry:
    return DocumentEntry(
        entry_uuid=EntryUUID("Document01"),
        mime_type="application/pdf",
        creation_time="20261120",
        hash="da39a3ee5e6b4b0d3255bfef95601890afd80709",
        size=4711,
        language_code="fr-LU",
        legal_authenticator="2.25.7.12^Weber^Marie^^^Dr",
        repository_unique_id="2.25.300",
        service_start_time="202611200815",
        service_stop_time="202611200820",
        source_patient_id=CX("P-77", HD("", "2.25.102", "ISO")),
        source_patient_info=("PID-3|P-77^^^&2.25.102&ISO", "PID-5|Muster^Lea^^^", "PID-7|19880317", "PID-8|F"),
        uri="report.pdf",
        reference_id_list=("4711^^^&2.25.103&ISO^urn:ihe:iti:xds:2013:order",),
        title=(LocalizedString("Rapport de laboratoire", "fr"), LocalizedString("Laboratory report", "en")),
        comments=(LocalizedString("checked & signed <twice>"),),
        author=(
            Author(
                author_person="2.25.7.12^Weber^Marie^^^Dr",
                author_institution=("Laboratoire Nord^^^^^^^^^2.25.8.1",),
                author_role=("Laboratory physician",),
                author_specialty=("Chemical pathology",),
                author_telecommunication=("^^Internet^marie.weber@example.org",),
            ),
        ),
        class_code=CODES["classCode"],
        confidentiality_code=(CODES["confidentialityCode"],),
        event_code_list=(CODES["eventCodeList"],),
        format_code=CODES["formatCode"],
        healthcare_facility_type_code=CODES["healthcareFacilityTypeCode"],
        practice_setting_code=CODES["practiceSettingCode"],
        type_code=CODES["typeCode"],
        patient_id=PATIENT,
        unique_id=UniqueId("2.25.400.1^1"),
    )


@pytest.fixture
def submission(entry: DocumentEntry) -> Submission:
    """A report in a folder: one entry, one folder, and the four kinds of HasMember."""
    return Submission(
        submission_set=SubmissionSet(
            entry_uuid=EntryUUID("SubmissionSet01"),
            intended_recipient=("Clinique Sud^^^^^^^^^2.25.8.2|^Muller^Jean^^^Dr|^^Internet^muller@example.org",),
            submission_time="20261123093000",
            title=(LocalizedString("Results"),),
            author=(Author(author_institution=("Laboratoire Nord^^^^^^^^^2.25.8.1",)),),
            content_type_code=CODES["contentTypeCode"],
            patient_id=PATIENT,
            source_id="2.25.9.1",
            unique_id=UniqueId("2.25.500.1"),
        ),
        document_entries=(entry,),
        folders=(
            Folder(
                entry_uuid=EntryUUID("Folder01"),
                title=(LocalizedString("Diabetes"),),
                code_list=(CODES["codeList"],),
                patient_id=PATIENT,
                unique_id=UniqueId("2.25.600.1"),
            ),
        ),
        associations=(
            member("set-document", "SubmissionSet01", "Document01", SubmissionSetStatus.ORIGINAL),
            member("set-folder", "SubmissionSet01", "Folder01"),
            member("folder-document", "Folder01", "Document01"),
            member("set-membership", "SubmissionSet01", "folder-document"),
        ),
    )


def member(uuid: str, source: str, target: str, status: SubmissionSetStatus | None = None) -> Association:
    return Association(
        entry_uuid=EntryUUID(uuid),
        association_type=AssociationType.HAS_MEMBER,
        source_object=EntryUUID(source),
        target_object=EntryUUID(target),
        submission_set_status=status,
    )


@pytest.fixture
def relate() -> Callable[..., Association]:
    """Makes an association: ``relate("source", AssociationType.RPLC, "target")``."""

    def make(source: str, kind: AssociationType, target: str, status: SubmissionSetStatus | None = None) -> Association:
        return replace(member(f"{kind.name} {source} {target}", source, target, status), association_type=kind)

    return make


@pytest.fixture
def another_report(submission: Submission) -> Callable[..., Submission]:
    """Makes a submission of one new report, number ``n``, with more associations and changes of the entry."""

    def make(n: int, *more: Association, **changes: object) -> Submission:
        new = {"entry_uuid": EntryUUID(f"Document{n}"), "unique_id": UniqueId(f"2.25.400.{n}")}
        entry = replace(submission.document_entries[0], **(new | changes))  # type: ignore[arg-type]
        submission_set = replace(
            submission.submission_set, unique_id=UniqueId(f"2.25.500.{n}"), patient_id=entry.patient_id
        )
        link = member("link", "SubmissionSet01", entry.entry_uuid, SubmissionSetStatus.ORIGINAL)
        return Submission(submission_set=submission_set, document_entries=(entry,), associations=(link, *more))

    return make


@dataclass
class FakePatients:
    """A patient index in memory; ``merge`` is what an A40 does."""

    keys: dict[CX, PatientKey] = field(default_factory=lambda: {PATIENT: PatientKey(1), OTHER: PatientKey(2)})
    survivors: dict[CX, CX] = field(default_factory=dict)

    def merge(self, subsumed: CX, surviving: CX) -> None:
        self.survivors[subsumed] = surviving

    def resolve(self, connection: Connection, patient_id: CX) -> Patient | None:
        if patient_id not in self.keys or patient_id in self.survivors:
            return None
        merged = [self.keys[old] for old, new in self.survivors.items() if new == patient_id]
        return Patient(key=self.keys[patient_id], keys=(self.keys[patient_id], *merged), id=patient_id)

    def current(self, connection: Connection, keys: Collection[PatientKey]) -> Mapping[PatientKey, CX]:
        return {key: self.survivors.get(id, id) for id, key in self.keys.items() if key in keys}


@pytest.fixture
def patients() -> FakePatients:
    return FakePatients()


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(correlation_id="test", received_at=NOW)


@pytest.fixture
def registry(domain: AffinityDomain, database: Database, patients: FakePatients) -> DocumentRegistry:
    """A registry on an empty database, once per engine."""
    return DocumentRegistry(domain=domain, database=database, patients=patients, clock=lambda: NOW)


@pytest.fixture
def merge(patients: FakePatients) -> Callable[[CX, CX], None]:
    """What an A40 does to the index: the first id is subsumed by the second."""
    return patients.merge


def _readable(value: object) -> object:
    return unpack(value) if isinstance(value, bytes) else value


@dataclass(frozen=True)
class Holdings:
    """What a registry holds, read behind its back, and its two oldest doors."""

    registry: DocumentRegistry
    exchange: Exchange
    database: Database

    def register(self, submission: Submission) -> None:
        """Register Document Set-b."""
        ITI_42.handle(ITI_42.decode(SOAPRequest(parse(encode(submission)))), self.registry, self.exchange)

    def of(self, kind: MetadataObject) -> list[Registered]:
        """All objects of a kind, in the order in which they came."""
        table = TABLE_OF[kind]
        query = select(*store.held(kind)).order_by(table.c.id)
        rows = self.database.read(lambda connection: connection.execute(query).all())
        return [Registered(kind=kind, **row._mapping) for row in rows]

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table of this profile, to compare a state with an earlier one."""
        return self.database.read(
            lambda connection: {
                table.name: sorted(str(tuple(map(_readable, row))) for row in connection.execute(select(table)))
                for table in metadata.sorted_tables
            }
        )

    def ask(self, query: StoredQuery, **values: Clause) -> list[RegistryObject]:
        """The objects that a stored query returns; names of parameters without the dollar sign."""
        parameters = QueryParameters({f"${name}": (clause,) for name, clause in values.items()})
        asked = AdhocQuery(query=query, parameters=parameters, return_type=ReturnType.LEAF_CLASS)
        wire = SOAPRequest(parse(b"".join(write(asked))))
        answer = ITI_18.handle(ITI_18.decode(wire), self.registry, self.exchange)
        listed = parse(b"".join(ITI_18.encode(wire, answer, self.exchange).body)).find("{*}RegistryObjectList")
        assert listed is not None
        objects, breaches = decode_objects(listed)
        assert breaches == ()
        return list(objects)


@pytest.fixture
def holdings(registry: DocumentRegistry, exchange: Exchange, database: Database) -> Holdings:
    """An empty registry and a look into it."""
    return Holdings(registry, exchange, database)
