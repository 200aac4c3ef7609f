"""Access rights at the registry, on both engines: hidden and unknown, emergencies, what succeeds hidden documents."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from affinity.access import RecordAccess
from affinity.auditing import this_node
from affinity.database import Database
from affinity.hidden_successors import HiddenSuccessors
from atna.tables import audit_event
from atna.trail import AuditTrail
from consent import recording, store
from consent.model import Act, RelationshipKind, professional
from consent.policy import EmergencyRules
from ihe.access import OPEN
from ihe.datatypes import Code
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Principal
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from ihe.patients import Patient
from tests.consent import shelf
from tests.consent.cases import CLASSES, NOW, TYPES, anna
from tests.consent.test_decision import POLICY
from tests.consent.test_indistinguishable import Node, replacement
from tests.consent.test_predicate import code
from tests.xds.queries.conftest import make_association, make_entry, make_folder
from xds import iti43, iti86, repository_store
from xds import stored_queries as q
from xds.document_requests import DocumentRequest
from xds.documents import Content
from xds.file_store import FileStore
from xds.model import AssociationType, AvailabilityStatus, DocumentEntry, ObjectType
from xds.on_demand import Made, OnDemandDocumentSource
from xds.removal import remove
from xds.repository import DocumentRepository
from xds.repository_store import Document

KEY = PatientKey(1)
A = shelf.patient_id("A")
LEA = Patient(key=KEY, keys=(KEY,), id=A)
ACT = Act(actor="Léa", reason="my wish", at=NOW)
BOTH = tuple(AvailabilityStatus)
POLICY_HERE = replace(
    POLICY,
    professions=tuple(replace(each, writes=frozenset({"*"})) for each in POLICY.professions),
    emergency=EmergencyRules(
        professions=frozenset({"doctor"}), purposes=frozenset({"ETREAT^^1.6"}), level="N", hours=8
    ),
    purposes=replace(POLICY.purposes, care=frozenset({"TREAT^^1.6"})),
)
DOCTOR = replace(anna, purpose_of_use=(Code("TREAT", "1.6"),))


def report(number: int, **changes: Any) -> DocumentEntry:
    made = make_entry(A, class_code=code(CLASSES[0]), type_code=code(TYPES[0]), **changes)
    uuid = EntryUUID(f"urn:uuid:00000000-0000-4000-8000-{number:012}")
    same = {"confidentiality_code": (code("N^^1.3"),)} | changes
    return replace(made, entry_uuid=uuid, unique_id=UniqueId(f"1.2.{number}"), **same)


@pytest.fixture
def index() -> shelf.Index:
    return shelf.Index({A: (KEY,)})


@pytest.fixture
def node(database: Database, index: shelf.Index) -> Node:
    """A patient with an open record, whom the doctor with number 11 treats; two reports, the second restricted."""
    secret = report(2, confidentiality_code=(code("V^^1.3"),))
    shelf.put(database, [(1, KEY, report(1), False), (2, KEY, secret, False)])

    def said(connection: Connection) -> None:
        recording.open_record(connection, LEA, ACT)
        recording.relate(connection, LEA, professional("11"), RelationshipKind.TREATING_DOCTOR, ACT)

    database.write(said)
    return Node(database=database, registry=shelf.registry(database, POLICY_HERE, index))


def documents(node: Node, principal: Principal | None, patient: Any = A) -> Any:
    return node.ask(q.FIND_DOCUMENTS, principal, XDSDocumentEntryPatientId=(patient,), XDSDocumentEntryStatus=BOTH)


def shows(answer: Any, number: int) -> bool:
    return isinstance(answer, bytes) and f"-{number:012}".encode() in answer


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_a_treating_doctor_sees_what_is_for_doctors(node: Node) -> None:
    answer = documents(node, DOCTOR)
    assert shows(answer, 1) and not shows(answer, 2)


def test_to_a_stranger_the_patient_is_one_whom_nobody_announced(node: Node) -> None:
    stranger = replace(DOCTOR, npi="110")
    nobody = shelf.patient_id("NOBODY")
    [known], [unknown] = documents(node, stranger), documents(node, stranger, nobody)
    assert known == replace(unknown, observed=str(A))
    assert known.code is ErrorCode.UNKNOWN_PATIENT_ID


def test_hidden_and_unknown_take_the_same_statements(node: Node) -> None:
    def work(uuid: str) -> list[str]:
        with counted(node.database) as statements:
            node.ask(q.GET_DOCUMENTS, DOCTOR, XDSDocumentEntryEntryUUID=(uuid,))
        return [each.partition(" ")[0] for each in statements]

    hidden, unknown = report(2).entry_uuid, "urn:uuid:00000000-0000-4000-9000-000000000000"
    work(hidden), work(unknown)
    assert abs(len(work(hidden)) - len(work(unknown))) <= 1
    assert node.retrieves(DOCTOR, [UniqueId("1.2.1"), UniqueId("1.2.2"), UniqueId("1.2.9")]) == {"1.2.1"}


def test_what_one_patient_hides_is_not_hidden_of_another_who_has_the_same_document(
    database: Database, index: shelf.Index, node: Node
) -> None:
    other = Patient(key=PatientKey(2), keys=(PatientKey(2),), id=shelf.patient_id("B"))
    index.patients[other.id] = other.keys
    same = replace(report(3), patient_id=other.id, unique_id=report(1).unique_id)
    shelf.put(database, [(3, other.key, same, False)])

    def said(connection: Connection) -> None:
        recording.mask(connection, LEA, (UniqueId("1.2.1"),), ACT)
        recording.open_record(connection, other, ACT)
        recording.relate(connection, other, professional("11"), RelationshipKind.TREATING_DOCTOR, ACT)

    database.write(said)
    both = tuple(report(number).entry_uuid for number in (1, 3))
    answer = node.ask(q.GET_DOCUMENTS, DOCTOR, XDSDocumentEntryEntryUUID=both)
    assert shows(answer, 3) and not shows(answer, 1)


def test_a_hidden_document_cannot_be_replaced_as_an_unknown_one_cannot(node: Node) -> None:
    nowhere = EntryUUID("urn:uuid:00000000-0000-4000-9000-000000000000")
    hidden = node.replaces(DOCTOR, replacement(1, "A", report(2).entry_uuid, AssociationType.RPLC))
    unknown = node.replaces(DOCTOR, replacement(1, "A", nowhere, AssociationType.RPLC))
    assert isinstance(hidden, set) and isinstance(unknown, set)
    [one], [other] = hidden, unknown
    assert one == replace(other, observed=one.observed)
    assert one.code is ErrorCode.UNRESOLVED_REFERENCE


def test_what_may_be_added_depends_on_the_profession_and_on_nothing_of_the_patient(node: Node) -> None:
    nurse = replace(DOCTOR, roles=(Code("nurse", "1.5"),))
    policy = replace(
        POLICY_HERE,
        professions=(POLICY_HERE.professions[0], replace(POLICY_HERE.professions[1], writes=frozenset({"other"}))),
    )
    index = shelf.Index({A: (KEY,)})
    there = Node(database=node.database, registry=shelf.registry(node.database, policy, index))
    refused = there.replaces(nurse, replacement(7, "A", report(1).entry_uuid, AssociationType.APND))
    assert codes(refused) == {ErrorCode.REGISTRY_ERROR}
    assert node.replaces(DOCTOR, replacement(8, "A", report(1).entry_uuid, AssociationType.APND)) == "stored"


def test_a_folder_tells_no_time_of_what_is_hidden_in_it(database: Database, node: Node) -> None:
    folder = replace(make_folder(A), entry_uuid=EntryUUID("urn:uuid:00000000-0000-4000-8000-000000000050"))
    hour = 3_600_000
    links = [
        replace(
            make_association(AssociationType.HAS_MEMBER, folder, report(number)),
            entry_uuid=EntryUUID(f"urn:uuid:00000000-0000-4000-8000-00000000005{number}"),
        )
        for number in (1, 2)
    ]
    shelf.put(database, [(3, KEY, folder, False), (hour, KEY, links[0], False), (5 * hour, KEY, links[1], False)])
    asked: dict[str, Any] = {"XDSFolderPatientId": (A,), "XDSFolderStatus": BOTH}
    answer = node.ask(q.FIND_FOLDERS, DOCTOR, **asked)
    assert isinstance(answer, bytes) and b"19700101010000" in answer
    late = node.ask(q.FIND_FOLDERS, DOCTOR, **asked, XDSFolderLastUpdateTimeFrom=("19700101020000",))
    assert isinstance(late, bytes) and folder.entry_uuid.encode() not in late


@pytest.fixture
def emergency(database: Database, index: shelf.Index) -> Callable[[Principal], None]:
    """What a query does that says that it is an emergency."""
    trail = AuditTrail(database=database, node=this_node("test", "urn:oid:1.2"))
    access = RecordAccess(policy=POLICY_HERE, database=database, index=index, trail=trail)  # type: ignore[arg-type]
    return lambda principal: access.enter(shelf.exchange(principal), [A])


def test_an_emergency_with_a_reason_opens_the_record_and_is_audited(
    node: Node, emergency: Callable[[Principal], None]
) -> None:
    urgent = replace(DOCTOR, npi="110", name_id="jean", purpose_of_use=(Code("ETREAT", "1.6", "unconscious"),))
    emergency(replace(urgent, purpose_of_use=(Code("ETREAT", "1.6"),)))
    assert not shows(documents(node, urgent), 1)
    emergency(urgent)
    emergency(urgent)
    answer = documents(node, urgent)
    assert shows(answer, 1) and not shows(answer, 2)
    assert not shows(documents(node, replace(urgent, purpose_of_use=DOCTOR.purpose_of_use)), 1)
    [waiting] = node.database.read(store.unreviewed_emergencies)
    assert (waiting.party, waiting.reason) == ("npi:110", "unconscious")
    assert len(node.database.read(lambda connection: connection.execute(select(audit_event)).all())) == 1


def test_an_emergency_opens_nothing_to_whom_the_patient_excluded(
    node: Node, emergency: Callable[[Principal], None]
) -> None:
    node.database.write(lambda connection: recording.exclude(connection, LEA, professional("110"), ACT))
    urgent = replace(DOCTOR, npi="110", purpose_of_use=(Code("ETREAT", "1.6", "unconscious"),))
    emergency(urgent)
    assert node.database.read(store.unreviewed_emergencies) == ()
    assert not shows(documents(node, urgent), 1)


def test_what_replaces_a_hidden_document_is_hidden(database: Database, index: shelf.Index, node: Node) -> None:
    database.write(lambda connection: recording.mask(connection, LEA, [UniqueId("1.2.1")], ACT, "doctor"))
    witness = HiddenSuccessors(index=index, clock=lambda: NOW)  # type: ignore[arg-type]
    open_to_all = replace(node.registry, access=OPEN, witness=witness)
    Node(database=database, registry=open_to_all).replaces(
        None, replacement(5, "A", report(1).entry_uuid, AssociationType.RPLC)
    )
    masks = database.read(lambda connection: store.facts(connection, [KEY]).masks)
    assert sorted((each.unique_id, each.profession) for each in masks) == [("1.2.1", "doctor"), ("1.88.5", "doctor")]


def test_what_moves_to_another_patient_stays_hidden(database: Database, index: shelf.Index, node: Node) -> None:
    other = PatientKey(9)
    index.patients[shelf.patient_id("B")] = (other,)
    moved = replace(report(3), unique_id=UniqueId("1.2.1"), patient_id=shelf.patient_id("B"))
    database.write(lambda connection: recording.mask(connection, LEA, [UniqueId("1.2.1")], ACT))
    shelf.put(database, [(9, other, moved, False)])
    witness = HiddenSuccessors(index=index, clock=lambda: NOW)  # type: ignore[arg-type]
    for _ in range(2):
        database.write(lambda connection: witness.changed(connection, {KEY, other}))
    masks = database.read(lambda connection: store.facts(connection, [other]).masks)
    assert [(each.unique_id, each.profession) for each in masks] == [("1.2.1", "*")]


def test_whoever_may_not_add_is_told_that_the_patient_is_unknown(node: Node) -> None:
    stranger = replace(DOCTOR, npi="110")
    refused = node.replaces(stranger, replacement(6, "A", report(1).entry_uuid, AssociationType.APND))
    assert ErrorCode.UNKNOWN_PATIENT_ID in codes(refused)


def codes(refused: object) -> set[object]:
    assert isinstance(refused, set)
    return {each.code for each in refused}


def test_the_audit_names_whose_document_is_seen_of_several_who_have_it(
    database: Database, index: shelf.Index, node: Node
) -> None:
    other = Patient(key=PatientKey(2), keys=(PatientKey(2),), id=shelf.patient_id("B"))
    index.patients[other.id] = other.keys
    same = replace(report(3), patient_id=other.id, unique_id=report(1).unique_id)
    shelf.put(database, [(3, other.key, same, False)])
    viewer = node.registry.access.viewer(shelf.exchange(DOCTOR))
    stranger = node.registry.access.viewer(shelf.exchange(replace(DOCTOR, npi="110")))

    def owners(eyes: Any) -> list[Any]:
        named = [UniqueId("1.2.1")]
        return list(database.read(lambda connection: node.registry.owners(connection, named, eyes))["1.2.1"])

    assert owners(viewer) == [A]
    assert owners(stranger) == owners(None) == [A, other.id]


@dataclass(frozen=True)
class Naming:
    """A content provider whose documents say of which entry they are."""

    def provide(self, entry: DocumentEntry) -> Made | None:
        return Made(mime_type="text/plain", chunks=(entry.entry_uuid.encode(),))


def test_what_is_made_on_demand_is_that_of_an_entry_that_is_seen(
    database: Database, index: shelf.Index, node: Node, tmp_path: Path
) -> None:
    """Sources may give entries of two patients one uniqueId, as their documents are made only when they are asked."""
    other = Patient(key=PatientKey(2), keys=(PatientKey(2),), id=shelf.patient_id("B"))
    index.patients[other.id] = other.keys
    mine, theirs = (
        replace(report(number), unique_id=UniqueId("1.2.77"), object_type=ObjectType.ON_DEMAND, hash=None, size=None)
        for number in (7, 8)
    )
    shelf.put(database, [(7, KEY, mine, False), (8, other.key, replace(theirs, patient_id=other.id), False)])
    repository = DocumentRepository(
        unique_id="2.25.5",
        home_community_id="urn:oid:2.25.9",
        database=database,
        store=FileStore(tmp_path, None),
        registry=node.registry,
        on_demand=OnDemandDocumentSource(provider=Naming(), patients=index),
        access=node.registry.access,
    )

    def made(principal: Principal | None) -> str | None:
        viewer = repository.access.viewer(shelf.exchange(principal))
        delivery = repository.deliver_on_demand(UniqueId("1.2.77"), NOW, viewer)
        return b"".join(delivery.chunks()).decode() if delivery else None

    assert made(DOCTOR) == mine.entry_uuid
    assert made(replace(DOCTOR, npi="110")) is None


def test_a_hidden_document_is_retrieved_and_removed_as_little_as_an_unknown_one(
    database: Database, node: Node, tmp_path: Path
) -> None:
    names = [UniqueId("1.2.1"), UniqueId("1.2.2"), UniqueId("1.2.9")]
    repository = DocumentRepository(
        unique_id="2.25.5",
        home_community_id="urn:oid:2.25.9",
        database=database,
        store=FileStore(tmp_path, None),
        registry=node.registry,
        access=node.registry.access,
    )
    contents = (Content(sha256=f"{n:064}", size=0) for n in range(2))
    stored = [
        Document(repository_unique_id="2.25.5", unique_id=name, content=content, sha1="0" * 40, mime_type="text/xml")
        for name, content in zip(names, contents, strict=False)
    ]
    database.write(lambda connection: repository_store.record(connection, stored, NOW))
    viewer = node.registry.access.viewer(shelf.exchange(DOCTOR))
    assert set(repository.documents(names, viewer)) == {"1.2.1"}
    asked = tuple(DocumentRequest(document_unique_id=each, repository_unique_id="2.25.5") for each in names[1:])
    hidden, unknown = iti43.handle(asked, repository, shelf.exchange(DOCTOR)).breaches
    assert hidden == replace(unknown, location="1.2.2", text=unknown.text.replace("1.2.9", "1.2.2"))
    hidden, unknown = iti86.handle(asked, repository, shelf.exchange(DOCTOR)).breaches
    assert hidden == replace(unknown, location="1.2.2", text=unknown.text.replace("1.2.9", "1.2.2"))
    assert set(repository.documents(names)) == {"1.2.1", "1.2.2"}


def test_hidden_metadata_is_not_removed_and_unknown_metadata_neither(database: Database, node: Node) -> None:
    viewer = node.registry.access.viewer(shelf.exchange(DOCTOR))

    def refusal(uuid: str) -> Breach:
        with pytest.raises(Rejected) as caught:
            remove(database, node.registry.patients, [EntryUUID(uuid)], viewer=viewer)
        [breach] = caught.value.breaches
        return breach

    nowhere = "urn:uuid:00000000-0000-4000-9000-000000000000"
    hidden, unknown = refusal(report(2).entry_uuid), refusal(nowhere)
    assert hidden == replace(unknown, location=hidden.location, observed=hidden.observed)
    assert hidden.code is ErrorCode.UNRESOLVED_REFERENCE


def test_what_became_confidential_is_not_read_in_the_version_that_it_had(database: Database, node: Node) -> None:
    first = report(3, availability_status=AvailabilityStatus.DEPRECATED)
    latest = replace(
        report(4, confidentiality_code=(code("V^^1.3"),)),
        logical_id=first.entry_uuid,
        version=2,
        unique_id=first.unique_id,
    )
    asked: dict[str, Any] = {"XDSDocumentEntryLogicalID": (first.entry_uuid,), "MetadataLevel": (2,)}
    shelf.put(database, [(20, KEY, first, True), (21, KEY, latest, False)])
    answer = node.ask(q.GET_DOCUMENTS, DOCTOR, **asked)
    assert not shows(answer, 3) and not shows(answer, 4)
    assert node.retrieves(DOCTOR, [UniqueId(first.unique_id or "")]) == set()


def test_a_previous_version_is_read_where_the_latest_is(database: Database, node: Node) -> None:
    first = report(3, availability_status=AvailabilityStatus.DEPRECATED)
    latest = replace(report(4), logical_id=first.entry_uuid, version=2, unique_id=first.unique_id)
    shelf.put(database, [(20, KEY, first, True), (21, KEY, latest, False)])
    asked: dict[str, Any] = {"XDSDocumentEntryLogicalID": (first.entry_uuid,), "MetadataLevel": (2,)}
    answer = node.ask(q.GET_DOCUMENTS, DOCTOR, **asked)
    assert shows(answer, 3) and shows(answer, 4)
