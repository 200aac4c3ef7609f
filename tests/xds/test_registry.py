"""The Document Registry against its database: atomic, strict about what exists, right under races."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from affinity.database import Database
from ihe.datatypes import CX
from ihe.errors import ErrorCode, Rejected
from ihe.identifiers import EntryUUID, UniqueId, is_uuid_urn
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.model import Association, AssociationType, AvailabilityStatus, Submission, SubmissionSetStatus
from xds.registry import DocumentRegistry
from xds.tables import association, document_entry, folder, object_locator, submission_set, uid_ledger

REPOSITORY = Sender.XDS_DOCUMENT_REPOSITORY
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
    register(registry, another_report(2, relate("Document2", AssociationType.RPLC, uuid_of(database, 1))))
    assert (status_of(database, 1), status_of(database, 2)) == (
        AvailabilityStatus.DEPRECATED,
        AvailabilityStatus.APPROVED,
    )
