"""A domain with a record for each patient: index, registry and repository as a node composes them."""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from affinity.consent_documents import ConsentDocuments
from affinity.database import Database
from affinity.record_file import Format, RecordFile
from affinity.record_life import RecordLife
from consent import store
from consent.facts import Facts
from hl7v2.er7 import parse as parse_er7
from ihe.datatypes import CX, HD, Code
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Rejected
from ihe.exchange import Exchange, SOAPRequest
from ihe.identifiers import EntryUUID, UniqueId
from ihe.patients import Patient
from pix.iti31 import ITI_31
from pix.manager import PatientIndex
from pix.model import Demographics, Feed, Identifier, Merge, Origin, PersonName
from pix.newcomers import Line
from pix.rendering import render
from soap.xml import parse
from xds.ebrim_writing import encode
from xds.file_store import FileStore
from xds.iti41 import ITI_41
from xds.model import (
    Association,
    AssociationType,
    Author,
    DocumentEntry,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)
from xds.registry import DocumentRegistry
from xds.repository import DocumentRepository

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FORMATS = "1.3.6.1.4.1.19376.1.2.3"
BPPC, APPC = "urn:ihe:iti:bppc:2007", "urn:ihe:iti:appc:2016:consent"
NORTH = "2.25.800"
NATIONAL = AssigningAuthority(namespace_id="NAT", oid="2.999.1", issues_xds_ids=True)
HOSPITAL = AssigningAuthority(namespace_id="HOSP", oid="1.3.6.1.4.1.21367.13.20.3000")
DOCTOR = "90000022^Kieffer^Nora^^^^^^&2.25.700&ISO"
DOMAIN = AffinityDomain(
    name="test",
    home_community_id="urn:oid:2.25.100",
    repository_unique_id="2.25.300",
    assigning_authorities=(NATIONAL, HOSPITAL),
)
RULES = RecordFile.model_validate(
    {
        "life": {"creation": "opt-out", "waiting_days": 30, "delete_after_days": 3650},
        "encounters": {"lets_in": ["organization", "attending"], "days_after": 10, "most_days": 100},
        "documents": {"formats": {BPPC: Format.BPPC, APPC: Format.APPC}, "professionals": "2.25.700"},
        "policy": [
            {"id": "share", "scheme": "2.25.46", "effect": "permit"},
            {"id": "object", "scheme": "2.25.46", "effect": "deny"},
            {"id": "urn:policy:no-access", "effect": "deny"},
        ],
    }
).rules()
BPPC_UNTIL_NEW_YEAR = (Path(__file__).parent / "bppc.xml").read_text()
BPPC_CONSENT = BPPC_UNTIL_NEW_YEAR.replace('<high value="20261231"/>', "")
APPC_CONSENT = (Path(__file__).parent / "appc.xml").read_text()
OPPOSITION = BPPC_CONSENT.replace('code="share"', 'code="object"')


@dataclass(kw_only=True)
class Stage:
    """Short ways to speak to it. ``now`` is what the clock says."""

    index: PatientIndex
    registry: DocumentRegistry
    repository: DocumentRepository
    now: datetime = NOW

    def feed(self, *ids: tuple[AssigningAuthority, str], family: str = "Weber", birth: str = "19800515") -> None:
        """Announce a patient."""
        self.index.register(Feed(identifiers=_identifiers(ids), demographics=_anna(family, birth)), _origin())

    def load(self, *lines: tuple[str, tuple[tuple[AssigningAuthority, str], ...]]) -> None:
        """Load a file of patients, each a family name and ids, in one transaction."""
        feeds = [Feed(identifiers=_identifiers(ids), demographics=_anna(family)) for family, ids in lines]
        origins = [
            Origin(source="HIS|H", message_id=f"F:{number}", digest="f", answer=b"", transaction="load")
            for number, _ in enumerate(feeds)
        ]
        self.index.load(list(map(Line, origins, map(render, feeds))), lambda _connection, _verdicts: None)

    def merge(self, subsumed: str, surviving: str) -> None:
        """Merge one national id into another (ADT^A40)."""
        self.index.merge((_two(surviving, subsumed),), _origin())

    def rename(self, old: str, new: str) -> None:
        """Give a patient another national id (ADT^A47)."""
        self.index.change((_two(new, old),), _origin())

    def visit(self, event: str, *, patient: str = "L-1", doctor: str = DOCTOR, at: datetime | None = None) -> None:
        """Send a message of ITI-31 about the one visit of a patient at the hospital."""
        stamp = (at or self.now).strftime("%Y%m%d%H%M%S+0000")
        pv1 = ["PV1", "", "I", *[""] * 4, doctor, *[""] * 11, f"V-{patient}^^^HOSP"]
        message = "\r".join(
            (
                f"MSH|^~\\&|HIS|HOSP-NORTH|AFFINITY|AFFINITY|{stamp}||ADT^{event}|{next(_NUMBERS)}|P|2.5",
                f"EVN||{stamp}",
                f"PID|||{patient}^^^HOSP||Weber^Anna||19800515|F",
                "|".join(pv1),
            )
        )
        exchange = Exchange(correlation_id="test", received_at=self.now)
        answer = ITI_31.handle(ITI_31.decode(parse_er7(f"{message}\r".encode())), self.index, exchange)
        assert b"|AA|" in answer, answer

    def patient(self, id: str = "78") -> Patient:
        """The patient of a national id."""
        found = self.index.database.read(lambda each: self.index.resolve(each, CX(id, HD("", NATIONAL.oid, "ISO"))))
        assert found is not None
        return found

    def facts(self, id: str = "78") -> Facts:
        """What holds of the patient's record."""
        keys = self.patient(id).keys
        return self.index.database.read(lambda each: store.facts(each, keys).of(keys))

    def submit(self, text: str, format: str, *, replaces: EntryUUID | None = None, id: str = "78") -> UniqueId:
        """Provide and register one document, or raise Rejected."""
        entry, sent = submission(format, replaces, id)
        data = base64.b64encode(text.encode()).decode()
        body = (
            '<ProvideAndRegisterDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">'
            f'{encode(sent).decode()}<Document id="{entry.entry_uuid}">{data}</Document>'
            "</ProvideAndRegisterDocumentSetRequest>"
        )
        wire = SOAPRequest(parse(body.encode()))
        ITI_41.handle(ITI_41.decode(wire), self.repository, Exchange(correlation_id="test", received_at=self.now))
        assert entry.unique_id
        return entry.unique_id

    def refusal(self, text: str, format: str, **more: str) -> Rejected:
        """Why a document is not taken."""
        try:
            self.submit(text, format, **more)  # type: ignore[arg-type]
        except Rejected as rejected:
            return rejected
        raise AssertionError("it was taken")


_NUMBERS = count(1)


def _two(surviving: str, subsumed: str) -> Merge:
    one, other = (Identifier(authority=NATIONAL, id=each) for each in (surviving, subsumed))
    return Merge(surviving=one, subsumed=other)


def _origin() -> Origin:
    number = next(_NUMBERS)
    return Origin(source="HIS|H", message_id=f"M{number}", digest=f"{number}", answer=b"AA", transaction="ITI-30")


def _anna(family: str, birth: str = "19800515") -> Demographics:
    return Demographics(names=(PersonName(family=family, given="Anna"),), birth_time=birth, sex="F")


def _identifiers(ids: tuple[tuple[AssigningAuthority, str], ...]) -> tuple[Identifier, ...]:
    return tuple(Identifier(authority=authority, id=id) for authority, id in ids)


def make_stage(database: Database, directory: Path) -> Stage:
    """Compose it as ``affinity.node`` does."""
    stage: Stage
    clock = lambda: stage.now  # noqa: E731
    life = RecordLife(rules=RULES, facilities={"HOSP-NORTH": NORTH})
    index = PatientIndex(domain=DOMAIN, database=database, clock=clock, follow=life.follow)
    documents = FileStore(directory / "documents", None)
    witness = ConsentDocuments(
        rules=RULES, patients=index, documents=documents, repository_unique_id="2.25.300", clock=clock
    )
    registry = DocumentRegistry(domain=DOMAIN, database=database, patients=index, clock=clock, witness=witness)
    repository = DocumentRepository(
        unique_id="2.25.300",
        home_community_id=DOMAIN.home_community_id,
        database=database,
        store=documents,
        registry=registry,
    )
    stage = Stage(index=index, registry=registry, repository=repository)
    return stage


def submission(format: str, replaces: EntryUUID | None, id: str) -> tuple[DocumentEntry, Submission]:
    """One entry in a SubmissionSet, with new uniqueIds each time."""
    number = next(_NUMBERS)
    patient = CX(id, HD("", NATIONAL.oid, "ISO"))
    code = Code("57016-8", "2.16.840.1.113883.6.1", "Privacy policy acknowledgement")
    entry = DocumentEntry(
        entry_uuid=EntryUUID("Document01"),
        unique_id=UniqueId(f"2.25.400.{number}"),
        patient_id=patient,
        source_patient_id=patient,
        mime_type="text/xml",
        creation_time="20261126",
        language_code="fr-LU",
        class_code=code,
        type_code=code,
        format_code=Code(format, FORMATS, format),
        confidentiality_code=(Code("N", "2.16.840.1.113883.5.25", "Normal"),),
        healthcare_facility_type_code=Code("HOSP", "2.25.200.2", "Hospital"),
        practice_setting_code=Code("GEN", "2.25.200.3", "General"),
        author=(Author(author_person="^Weber^Anna"),),
    )
    submission_set = SubmissionSet(
        entry_uuid=EntryUUID("SubmissionSet01"),
        unique_id=UniqueId(f"2.25.500.{number}"),
        source_id="2.25.9.1",
        patient_id=patient,
        submission_time="20261126120000",
        content_type_code=code,
        author=entry.author,
    )
    member = Association(
        entry_uuid=EntryUUID("member"),
        association_type=AssociationType.HAS_MEMBER,
        source_object=submission_set.entry_uuid,
        target_object=entry.entry_uuid,
        submission_set_status=SubmissionSetStatus.ORIGINAL,
    )
    replacing = replace(
        member,
        entry_uuid=EntryUUID("replacement"),
        association_type=AssociationType.RPLC,
        source_object=entry.entry_uuid,
        target_object=replaces or entry.entry_uuid,
        submission_set_status=None,
    )
    associations = (member, replacing) if replaces else (member,)
    return entry, Submission(
        submission_set=submission_set, document_entries=(entry,), folders=(), associations=associations
    )
