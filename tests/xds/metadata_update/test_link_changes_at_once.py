"""A local id that moves while others write about its documents: as if one had come after the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from ihe.datatypes import CX
from ihe.identifiers import EntryUUID, UniqueId
from ihe.patients import LinkChange
from xds import removal
from xds.attributes import Sender
from xds.ebrim import Decoded
from xds.model import Association, AssociationType, AvailabilityStatus, DocumentEntry, MetadataObject, Submission

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""SQLite has one writer at a time."""
_, ENTRY, FOLDER, ASSOCIATION = MetadataObject
APPROVED = AvailabilityStatus.APPROVED
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def moves(updater: Any, patient: CX, other_patient: CX, entry: DocumentEntry) -> Callable[[], None]:
    """The id P-77 of the report goes from its patient to the other one."""
    registry = updater.holdings.registry

    def work(connection: Connection) -> None:
        previous, new = (registry.patients.resolve(connection, each) for each in (patient, other_patient))
        assert entry.source_patient_id
        registry.follow(connection, LinkChange(local=entry.source_patient_id, previous=previous, new=new))

    return lambda: registry.database.write(work)


@contextmanager
def waited_for(updater: Any, second: Callable[[], None]) -> Iterator[Callable[[Connection], None]]:
    """What the first transaction calls last: it lets the second begin, and commits once that waits for it."""
    begun: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool, updater.holdings.registry.database.engine.connect() as watching:
        watching.execution_options(isolation_level="AUTOCOMMIT")

        def let_in(_connection: Connection) -> None:
            begun.append(pool.submit(second))
            while not watching.scalar(WAITING):
                assert not begun[0].done(), "it did not wait"

        yield let_in
        begun[0].result()


def entries(updater: Any) -> set[tuple[UniqueId, int, int, bool]]:
    """Each by its uniqueId, with its patient and version, and whether it is approved."""
    found = updater.stored(ENTRY)
    return {(each.unique_id, each.patient_key, each.version, each.status is APPROVED) for each in found}


def register(updater: Any, submission: Submission, last: Callable[[Connection], None]) -> None:
    registry = updater.holdings.registry
    prepared = registry.prepare(Decoded(submission, ()), Sender.XDS_DOCUMENT_REPOSITORY)

    def work(connection: Connection) -> None:
        registry.register_in(connection, prepared)
        last(connection)

    registry.database.write(work)


def test_a_document_that_is_replaced_at_that_moment_does_not_come_back(
    updater: Any,
    moves: Callable[[], None],
    another_report: Callable[..., Submission],
    relate: Callable[..., Association],
) -> None:
    first = updater.latest(ENTRY)
    replacing = another_report(2, relate("Document2", AssociationType.RPLC, first.entry_uuid))
    with waited_for(updater, moves) as last:
        register(updater, replacing, last)
    assert entries(updater) == {
        (first.unique_id, 1, 1, False),
        ("2.25.400.2", 1, 1, False),
        ("2.25.400.2", 2, 2, True),
    }


def test_an_addendum_that_comes_at_that_moment_moves_with_its_document(
    updater: Any,
    moves: Callable[[], None],
    another_report: Callable[..., Submission],
    relate: Callable[..., Association],
) -> None:
    first = updater.latest(ENTRY)
    with waited_for(updater, moves) as last:
        register(updater, another_report(2, relate("Document2", AssociationType.APND, first.entry_uuid)), last)
    new = {each.entry_uuid: each.unique_id for each in updater.stored(ENTRY) if each.patient_key == 2}
    (appended,) = (
        each
        for each in updater.stored(ASSOCIATION)
        if each.association_type is AssociationType.APND and each.target_object in new
    )
    assert (new[appended.source_object], new[appended.target_object]) == ("2.25.400.2", first.unique_id)


def test_a_folder_that_gets_another_document_at_that_moment_stays(
    updater: Any, moves: Callable[[], None], another_report: Callable[..., Submission], patient: CX
) -> None:
    into = Association(
        entry_uuid=EntryUUID("into"),
        association_type=AssociationType.HAS_MEMBER,
        source_object=updater.latest(FOLDER).entry_uuid,
        target_object=EntryUUID("Document2"),
    )
    told = replace(
        into, entry_uuid=EntryUUID("told"), source_object=EntryUUID("SubmissionSet01"), target_object=EntryUUID("into")
    )
    filling = another_report(2, into, told, source_patient_id=replace(patient, id="P-1"))
    with waited_for(updater, moves) as last:
        register(updater, filling, last)
    assert [each.superseded for each in updater.stored(FOLDER)] == [False]


def test_a_document_that_is_removed_at_that_moment_is_gone(updater: Any, moves: Callable[[], None]) -> None:
    every = [each.entry_uuid for kind in MetadataObject for each in updater.stored(kind)]

    def work(connection: Connection) -> None:
        removal.remove_in(connection, every)
        last(connection)

    with waited_for(updater, moves) as last:
        updater.holdings.registry.database.write(work)
    assert updater.stored(ENTRY) == []
