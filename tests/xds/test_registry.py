"""The Document Registry against its database: atomic, strict about what exists, right under races."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Table, select

from affinity.database import Database
from ihe.datatypes import CX
from ihe.errors import ErrorCode, HL7ErrorCode, Rejected
from ihe.identifiers import EntryUUID, UniqueId, is_uuid_urn
from soap.xml import parse, schema
from xds.attributes import Sender
from xds.ebrim import Decoded, decode_objects
from xds.fragments import RIM_DECLARATION, spelled, splice
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    ObjectType,
    Submission,
    SubmissionSetStatus,
)
from xds.registry import DocumentRegistry
from xds.responses import ResponseStatus
from xds.tables import TABLE_OF, association, document_entry, folder, object_locator, submission_set, uid_ledger

REPOSITORY = Sender.XDS_DOCUMENT_REPOSITORY
APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
HAS_MEMBER, RPLC, SNAPSHOT = AssociationType.HAS_MEMBER, AssociationType.RPLC, AssociationType.IS_SNAPSHOT_OF
REFERENCE = SubmissionSetStatus.REFERENCE
Reports = Callable[..., Submission]
Relate = Callable[..., Association]


def register(registry: DocumentRegistry, submission: Submission) -> None:
    assert registry.register(Decoded(submission, ()), REPOSITORY) == ()


def refused(registry: DocumentRegistry, submission: Submission) -> Rejected:
    with pytest.raises(Rejected) as caught:
        registry.register(Decoded(submission, ()), REPOSITORY)
    return caught.value


def uuid_of(database: Database, n: int) -> EntryUUID:
    query = select(document_entry.c.entry_uuid).where(document_entry.c.unique_id == f"2.25.400.{n}")
    return EntryUUID(database.read(lambda connection: connection.execute(query).scalar_one()))


def status_of(database: Database, n: int) -> AvailabilityStatus:
    query = select(document_entry.c.status).where(document_entry.c.unique_id == f"2.25.400.{n}")
    status: AvailabilityStatus = database.read(lambda connection: connection.execute(query).scalar_one())
    return status


def stored(database: Database) -> dict[str, int]:
    tables = (submission_set, document_entry, folder, association, object_locator, uid_ledger)
    return database.read(
        lambda connection: {table.name: len(connection.execute(select(table)).all()) for table in tables}
    )


def test_a_submission_is_stored_whole(registry: DocumentRegistry, database: Database, submission: Submission) -> None:
    register(registry, submission)
    assert stored(database) == {
        "submission_set": 1,
        "document_entry": 1,
        "folder": 1,
        "association": 4,
        "object_locator": 7,
        "uid_ledger": 3,
    }


def test_symbolic_ids_become_uuids_everywhere(
    registry: DocumentRegistry, database: Database, submission: Submission
) -> None:
    register(registry, submission)
    rows = database.read(lambda connection: connection.execute(select(association)).all())
    ids = {row.entry_uuid for row in rows} | {row.source_object for row in rows} | {row.target_object for row in rows}
    assert all(is_uuid_urn(id) for id in ids)
    assert {row.source_object for row in rows} < {
        row.entry_uuid for row in database.read(lambda connection: connection.execute(select(object_locator)).all())
    }


def test_an_unknown_patient_is_refused_with_what_to_do(
    registry: DocumentRegistry, database: Database, another_report: Reports, patient: CX
) -> None:
    rejected = refused(registry, another_report(1, patient_id=replace(patient, id="nobody")))
    assert rejected.codes == {ErrorCode.UNKNOWN_PATIENT_ID}
    assert "ITI-8" in rejected.breaches[0].code_context
    assert "nobody" in rejected.breaches[0].code_context
    assert not any(stored(database).values())


def test_a_replaced_entry_is_deprecated(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    register(registry, another_report(2, relate("Document2", RPLC, uuid_of(database, 1))))
    assert [status_of(database, n) for n in (1, 2)] == [DEPRECATED, APPROVED]


@pytest.mark.parametrize("kind", [AssociationType.RPLC, AssociationType.XFRM_RPLC])
def test_addenda_and_transformations_go_with_what_is_replaced(
    kind: AssociationType, registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    original = uuid_of(database, 1)
    register(registry, another_report(2, relate("Document2", AssociationType.APND, original)))
    register(registry, another_report(3, relate("Document3", AssociationType.XFRM, original)))
    register(registry, another_report(4, relate("Document4", AssociationType.XFRM, uuid_of(database, 2))))
    register(registry, another_report(5, relate("Document5", AssociationType.SIGNS, original)))
    register(registry, another_report(6, relate("Document6", kind, original)))
    assert [status_of(database, n) for n in (1, 2, 3, 4)] == [DEPRECATED] * 4
    assert [status_of(database, n) for n in (5, 6)] == [APPROVED] * 2


def test_the_replacement_joins_the_folders_of_the_original(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    register(registry, submission)
    original, folder_uuid = uuids(database, document_entry)[0], uuids(database, folder)[0]
    later = replace(registry, clock=lambda: datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    register(later, another_report(2, relate("Document2", RPLC, original)))
    replacement = uuid_of(database, 2)
    membership = links(database, folder_uuid, replacement)
    assert len(membership) == 1
    assert len(links(database, last(database, submission_set), membership[0])) == 1
    assert value(database, folder.c.last_update_time) == "20270102030405"


def test_a_sender_may_put_the_replacement_into_the_folder_itself(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    register(registry, submission)
    original, folder_uuid = uuids(database, document_entry)[0], uuids(database, folder)[0]
    member = relate(folder_uuid, HAS_MEMBER, "Document2")
    listed = relate("SubmissionSet01", HAS_MEMBER, member.entry_uuid)
    register(registry, another_report(2, relate("Document2", RPLC, original), member, listed))
    assert len(links(database, folder_uuid, uuid_of(database, 2))) == 1


def test_an_entry_added_to_a_folder_changes_its_time(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    register(registry, submission)
    member = relate(uuids(database, folder)[0], HAS_MEMBER, "Document2")
    later = replace(registry, clock=lambda: datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    register(later, another_report(2, member, relate("SubmissionSet01", HAS_MEMBER, member.entry_uuid)))
    assert value(database, folder.c.last_update_time) == "20270102030405"


def test_a_folder_has_the_time_at_which_it_was_filled_however_long_the_submission_waited(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    """Else the time goes back where another submission went first, and who asks what is new misses a document."""
    register(registry, submission)
    member = relate(uuids(database, folder)[0], HAS_MEMBER, "Document2")
    waiting = another_report(2, member, relate("SubmissionSet01", HAS_MEMBER, member.entry_uuid))
    prepared = registry.prepare(Decoded(waiting, ()), Sender.XDS_DOCUMENT_REPOSITORY)
    later = replace(registry, clock=lambda: datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    database.write(lambda connection: later.register_in(connection, prepared))
    assert value(database, folder.c.last_update_time) == "20270102030405"


def test_a_document_may_be_included_by_reference(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate, other_patient: CX
) -> None:
    register(registry, another_report(1, patient_id=other_patient))
    register(registry, another_report(2, relate("SubmissionSet01", HAS_MEMBER, uuid_of(database, 1), REFERENCE)))
    assert len(links(database, last(database, submission_set), uuid_of(database, 1))) == 1


def test_nothing_is_associated_with_a_deprecated_entry(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    original = uuid_of(database, 1)
    register(registry, another_report(2, relate("Document2", RPLC, original)))
    before = stored(database)
    for link in (
        relate("Document3", RPLC, original),
        relate("Document3", AssociationType.APND, original),
        relate("SubmissionSet01", HAS_MEMBER, original, REFERENCE),
    ):
        rejected = refused(registry, another_report(3, link))
        assert rejected.codes == {ErrorCode.REGISTRY_DEPRECATED_DOCUMENT}
        assert link.entry_uuid in rejected.breaches[0].location
    assert stored(database) == before


def test_what_is_referred_to_exists(registry: DocumentRegistry, another_report: Reports, relate: Relate) -> None:
    nowhere = "urn:uuid:0d2d8e26-5f3c-4f62-9f3b-3e5a6c1b7d10"
    rejected = refused(registry, another_report(1, relate("Document1", RPLC, nowhere)))
    assert rejected.codes == {ErrorCode.UNRESOLVED_REFERENCE}
    assert nowhere in rejected.breaches[0].code_context


def test_a_relationship_ends_at_an_entry(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    register(registry, submission)
    rejected = refused(registry, another_report(2, relate("Document2", RPLC, uuids(database, folder)[0])))
    assert rejected.codes == {ErrorCode.UNRESOLVED_REFERENCE}


def test_a_snapshot_is_of_an_on_demand_entry(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    content = {"object_type": ObjectType.ON_DEMAND, "creation_time": None, "hash": None, "size": None}
    registry.register(Decoded(another_report(1, **content), ()), Sender.XDS_ON_DEMAND_SOURCE)
    register(registry, another_report(2, relate("Document2", SNAPSHOT, uuid_of(database, 1))))
    rejected = refused(registry, another_report(3, relate("Document3", SNAPSHOT, uuid_of(database, 2))))
    assert rejected.codes == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_a_transformation_is_not_appended(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    register(registry, another_report(2, relate("Document2", AssociationType.XFRM, uuid_of(database, 1))))
    rejected = refused(registry, another_report(3, relate("Document3", AssociationType.APND, uuid_of(database, 2))))
    assert rejected.codes == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_what_is_no_transformation_any_more_is_appended(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    register(registry, another_report(2, relate("Document2", AssociationType.XFRM, uuid_of(database, 1))))
    withdrawn = association.c.association_type == AssociationType.XFRM
    database.write(lambda connection: connection.execute(association.update().where(withdrawn), {"status": DEPRECATED}))
    register(registry, another_report(3, relate("Document3", AssociationType.APND, uuid_of(database, 2))))


def test_an_entry_is_replaced_once_in_a_submission(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    twice = relate("Document2", RPLC, uuid_of(database, 1))
    again = replace(twice, entry_uuid=EntryUUID("again"))
    rejected = refused(registry, another_report(2, twice, again))
    assert rejected.codes == {ErrorCode.REGISTRY_DEPRECATED_DOCUMENT}


@pytest.mark.parametrize("kind", [AssociationType.APND, AssociationType.XFRM])
def test_what_goes_with_the_replaced_entry_is_not_added_beside_the_replacement(
    kind: AssociationType, registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    original = uuid_of(database, 1)
    derived = relate("Document2", kind, original)
    rejected = refused(registry, another_report(2, derived, relate("Document2", RPLC, original)))
    assert {(breach.code, breach.location) for breach in rejected.breaches} == {
        (ErrorCode.REGISTRY_DEPRECATED_DOCUMENT, f"Association({derived.entry_uuid})")
    }


def test_one_replacement_of_two_entries_joins_their_folder_once(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, relate: Relate
) -> None:
    register(registry, submission)
    first, folder_uuid = uuids(database, document_entry)[0], uuids(database, folder)[0]
    member = relate(folder_uuid, HAS_MEMBER, "Document2")
    register(registry, another_report(2, member, relate("SubmissionSet01", HAS_MEMBER, member.entry_uuid)))
    replaces = (relate("Document3", RPLC, first), relate("Document3", RPLC, uuid_of(database, 2)))
    register(registry, another_report(3, *replaces))
    assert len(links(database, folder_uuid, uuid_of(database, 3))) == 1


def test_another_patients_document_is_not_replaced(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate, other_patient: CX
) -> None:
    register(registry, another_report(1, patient_id=other_patient))
    for label in (None, REFERENCE):  # the label of an inclusion makes no inclusion of a replacement
        rejected = refused(registry, another_report(2, relate("Document2", RPLC, uuid_of(database, 1), label)))
        assert rejected.codes == {ErrorCode.PATIENT_ID_DOES_NOT_MATCH}
    assert status_of(database, 1) is APPROVED


def test_after_a_merge_it_is_the_same_patient(
    registry: DocumentRegistry,
    database: Database,
    another_report: Reports,
    relate: Relate,
    patient: CX,
    other_patient: CX,
    merge: Callable[[CX, CX], None],
) -> None:
    register(registry, another_report(1, patient_id=other_patient))
    merge(other_patient, patient)
    register(registry, another_report(2, relate("Document2", RPLC, uuid_of(database, 1))))
    assert status_of(database, 1) is DEPRECATED
    rejected = refused(registry, another_report(3, patient_id=other_patient))
    assert rejected.codes == {ErrorCode.UNKNOWN_PATIENT_ID}


def test_a_document_may_be_registered_again(
    registry: DocumentRegistry, database: Database, another_report: Reports
) -> None:
    register(registry, another_report(1))
    again = another_report(2, unique_id=UniqueId("2.25.400.1"), hash="DA39A3EE5E6B4B0D3255BFEF95601890AFD80709")
    register(registry, again)
    assert stored(database)["document_entry"] == 2


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"hash": "0" * 40}, {ErrorCode.NON_IDENTICAL_HASH}),
        ({"size": 1}, {ErrorCode.NON_IDENTICAL_SIZE}),
        ({"hash": "0" * 40, "size": 1}, {ErrorCode.NON_IDENTICAL_HASH, ErrorCode.NON_IDENTICAL_SIZE}),
    ],
)
def test_other_bytes_need_another_unique_id(
    registry: DocumentRegistry, another_report: Reports, changes: dict[str, object], codes: set[ErrorCode]
) -> None:
    register(registry, another_report(1))
    rejected = refused(registry, another_report(2, unique_id=UniqueId("2.25.400.1"), **changes))
    assert rejected.codes == codes
    assert all("2.25.400.1" in breach.code_context for breach in rejected.breaches)


def test_a_submission_set_and_a_folder_are_submitted_once(registry: DocumentRegistry, submission: Submission) -> None:
    register(registry, submission)
    rejected = refused(registry, submission)
    assert rejected.codes == {ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY}
    assert {breach.location for breach in rejected.breaches} == {
        "SubmissionSet(SubmissionSet01).uniqueId",
        "Folder(Folder01).uniqueId",
    }


def test_a_document_does_not_take_the_id_of_a_folder(
    registry: DocumentRegistry, submission: Submission, another_report: Reports
) -> None:
    register(registry, submission)
    rejected = refused(registry, another_report(2, unique_id=UniqueId("2.25.600.1")))
    assert rejected.codes == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_an_entry_uuid_is_given_once(registry: DocumentRegistry, database: Database, another_report: Reports) -> None:
    uuid = EntryUUID("urn:uuid:0d2d8e26-5f3c-4f62-9f3b-3e5a6c1b7d10")
    register(registry, with_uuid(another_report(1), uuid))
    assert uuid_of(database, 1) == uuid
    rejected = refused(registry, with_uuid(another_report(2, size=1, unique_id=UniqueId("2.25.400.1")), uuid))
    assert {(breach.code, breach.location) for breach in rejected.breaches} == {
        (ErrorCode.REGISTRY_METADATA_ERROR, f"DocumentEntry({uuid})"),
        (ErrorCode.NON_IDENTICAL_SIZE, f"DocumentEntry({uuid}).size"),
    }


def test_of_many_who_bring_the_same_uuid_one_does(registry: DocumentRegistry, another_report: Reports) -> None:
    uuid = EntryUUID("urn:uuid:0d2d8e26-5f3c-4f62-9f3b-3e5a6c1b7d10")

    def submit(n: int) -> bool:
        try:
            register(registry, with_uuid(another_report(n), uuid))
        except Rejected as rejected:
            assert rejected.codes == {ErrorCode.REGISTRY_METADATA_ERROR}
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(submit, range(1, 7))) == 1


def test_everything_that_is_wrong_with_the_registry_is_told_at_once(
    registry: DocumentRegistry, submission: Submission, another_report: Reports, relate: Relate, patient: CX
) -> None:
    register(registry, submission)
    wrong = another_report(
        2,
        relate("Document2", RPLC, "urn:uuid:0d2d8e26-5f3c-4f62-9f3b-3e5a6c1b7d10"),
        patient_id=replace(patient, id="nobody"),
        unique_id=UniqueId("2.25.400.1^1"),
        size=1,
    )
    assert refused(registry, wrong).codes == {
        ErrorCode.UNKNOWN_PATIENT_ID,
        ErrorCode.UNRESOLVED_REFERENCE,
        ErrorCode.NON_IDENTICAL_SIZE,
    }


def test_what_is_wrong_by_itself_and_with_the_registry_is_told_at_once(
    registry: DocumentRegistry, database: Database, submission: Submission, another_report: Reports, patient: CX
) -> None:
    register(registry, submission)
    before = stored(database)
    wrong = another_report(
        2, patient_id=replace(patient, id="nobody"), unique_id=UniqueId("2.25.400.1^1"), size=1, creation_time="now"
    )
    assert refused(registry, wrong).codes == {
        ErrorCode.REGISTRY_METADATA_ERROR,
        ErrorCode.UNKNOWN_PATIENT_ID,
        ErrorCode.NON_IDENTICAL_SIZE,
    }
    assert stored(database) == before


def test_a_refused_submission_leaves_its_unique_ids_free(registry: DocumentRegistry, another_report: Reports) -> None:
    assert refused(registry, another_report(1, creation_time="now")).codes == {ErrorCode.REGISTRY_METADATA_ERROR}
    register(registry, another_report(1, size=12))


def test_a_missing_hash_is_not_also_another_one(registry: DocumentRegistry, another_report: Reports) -> None:
    register(registry, another_report(1))
    rejected = refused(registry, another_report(2, unique_id=UniqueId("2.25.400.1"), hash=None))
    assert [breach.location for breach in rejected.breaches] == ["DocumentEntry(Document2).hash"]


def test_a_missing_patient_is_not_also_an_unknown_one(registry: DocumentRegistry, another_report: Reports) -> None:
    assert refused(registry, another_report(1, patient_id=None)).codes == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_of_many_who_replace_a_document_at_once_one_does(
    registry: DocumentRegistry, database: Database, another_report: Reports, relate: Relate
) -> None:
    register(registry, another_report(1))
    original = uuid_of(database, 1)

    def replace_it(n: int) -> set[ErrorCode | HL7ErrorCode]:
        try:
            register(registry, another_report(n, relate(f"Document{n}", RPLC, original)))
        except Rejected as rejected:
            return rejected.codes
        return set()

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(replace_it, range(2, 8)))
    assert outcomes.count(set()) == 1
    assert outcomes.count({ErrorCode.REGISTRY_DEPRECATED_DOCUMENT}) == 5
    assert stored(database)["document_entry"] == 2


def test_of_many_who_take_a_unique_id_with_different_bytes_one_does(
    registry: DocumentRegistry, database: Database, another_report: Reports
) -> None:
    def submit(n: int) -> bool:
        try:
            register(registry, another_report(n, unique_id=UniqueId("2.25.400.1"), size=n))
        except Rejected as rejected:
            assert rejected.codes == {ErrorCode.NON_IDENTICAL_SIZE}
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(submit, range(1, 7))) == 1
    assert stored(database)["document_entry"] == 1


def test_the_stored_fragment_becomes_a_valid_answer(
    registry: DocumentRegistry, database: Database, submission: Submission, patient: CX, shared: Path
) -> None:
    register(registry, submission)
    listed = b"".join(answers(database, patient))
    answer = (
        b'<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" %s status="%s">'
        b"<rim:RegistryObjectList>%s</rim:RegistryObjectList></query:AdhocQueryResponse>"
    ) % (RIM_DECLARATION, ResponseStatus.SUCCESS.value.encode(), listed)
    schema(shared / "schemas/ebRS/query.xsd").assertValid(parse(answer))


def test_what_is_answered_is_what_was_sent(
    registry: DocumentRegistry, database: Database, submission: Submission, patient: CX
) -> None:
    register(registry, submission)
    listed = b"<rim:RegistryObjectList %s>%s</rim:RegistryObjectList>" % (
        RIM_DECLARATION,
        b"".join(answers(database, patient)),
    )
    objects, breaches = decode_objects(parse(listed))
    sent = submission.document_entries[0]
    answered = next(each for each in objects if isinstance(each, DocumentEntry))
    kept = replace(answered, entry_uuid=sent.entry_uuid, logical_id=None, version=None, availability_status=None)
    assert (kept, breaches) == (sent, ())
    assert (answered.version, answered.logical_id, answered.availability_status) == (1, answered.entry_uuid, APPROVED)


def with_uuid(submission: Submission, uuid: EntryUUID) -> Submission:
    return replace(
        submission,
        document_entries=(replace(submission.document_entries[0], entry_uuid=uuid),),
        associations=(replace(submission.associations[0], target_object=uuid),),
    )


def answers(database: Database, patient: CX) -> list[bytes]:
    """Every stored object as a query answers it."""

    def work(connection: Connection) -> list[bytes]:
        return [
            splice(
                row.fragment,
                status=row.status,
                home=row.home,
                version=row.version,
                patient_id=None if table is association else spelled(patient),
                last_update_time=row.last_update_time if table is folder else None,
            )
            for table in TABLE_OF.values()
            for row in connection.execute(select(table).order_by(table.c.id))
        ]

    return database.read(work)


def uuids(database: Database, table: Table) -> list[EntryUUID]:
    query = select(table.c.entry_uuid).order_by(table.c.id)
    return database.read(lambda connection: [EntryUUID(uuid) for uuid in connection.execute(query).scalars()])


def last(database: Database, table: Table) -> EntryUUID:
    return uuids(database, table)[-1]


def links(database: Database, source: EntryUUID, target: EntryUUID) -> list[EntryUUID]:
    """The HasMember associations between two objects."""
    query = select(association.c.entry_uuid).where(
        association.c.source_object == source,
        association.c.target_object == target,
        association.c.association_type == HAS_MEMBER,
    )
    return database.read(lambda connection: [EntryUUID(uuid) for uuid in connection.execute(query).scalars()])


def value(database: Database, column: Column[str]) -> str:
    return database.read(lambda connection: connection.execute(select(column)).scalar_one())
