"""Retention: whole old batches go, what went is proved to be that and nothing else; no repository misses a record."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, select, update

from affinity.audit_retention import Retention
from affinity.database import Database
from atna.forwarding import Progress
from atna.logs import DatabaseLog, FileLog, write_export
from atna.reception import Arrival, Transport, receive
from atna.roots import read_root, write_root
from atna.sealing import Sealer
from atna.signing import SealingKey, sealing_key
from atna.store import Search, search
from atna.store_batches import newest
from atna.store_exchange import following, note
from atna.store_exchange import receive as store_received
from atna.tables import audit_batch, audit_event, audit_removal, audit_subject
from atna.tables_exchange import audit_received
from atna.trail import AuditTrail
from atna.verifying import Kind, Report, verify
from tests.atna.test_atna_dicom import GOOD
from tests.atna.test_reception import HEADER
from tests.atna.test_reception import NODE as ARR
from tests.atna.trail import NODE, START, fill

DAY = timedelta(days=1)


@pytest.fixture
def key(tmp_path: Path) -> SealingKey:
    return sealing_key(tmp_path / "seal.key")


@pytest.fixture
def aged(database: Database, key: SealingKey) -> Database:
    """A batch of ten records on each of three days, the first with a record of another node; then three not sealed."""
    for day in range(3):
        fill(database, 1 + 10 * day, 9 + 10 * day)
        arrived = Arrival(data=HEADER + GOOD, at=START, peer="p", address="p", transport=Transport.TLS)
        database.write(lambda connection, arrived=arrived: store_received(connection, [receive(arrived, ARR)]))
        assert Sealer(database, key, lambda day=day: START + day * DAY).seal() == 10
    fill(database, 31, 33)
    return database


def retention(database: Database, key: SealingKey, now: datetime, *repositories: str) -> Retention:
    trail = AuditTrail(database=database, node=NODE)
    return Retention(database=database, trail=trail, key=key, clock=lambda: now, keep_days=7, repositories=repositories)


def proof(database: Database, key: SealingKey, *roots: str) -> Report:
    kept = [read_root(each) for each in roots]
    return database.read(lambda connection: verify(DatabaseLog(connection), key.verifier, kept))


def numbers(database: Database) -> list[int]:
    return [each.sequence for each in database.read(lambda connection: search(connection, Search()))][::-1]


def test_a_trail_with_records_of_others_is_intact(aged: Database, key: SealingKey) -> None:
    assert proof(aged, key).findings == []


def test_old_batches_go_and_the_proof_says_so(aged: Database, key: SealingKey) -> None:
    sealed = aged.read(newest)
    assert sealed is not None
    root = write_root(sealed, key.verifier)
    assert retention(aged, key, START + 8.5 * DAY).remove_due() == 2
    assert numbers(aged) == [*range(21, 34), 34]
    report = proof(aged, key, root)
    assert report.findings == []
    assert (report.removed, report.sealed, report.unsealed, report.batches) == (20, 10, 4, 3)
    told = aged.read(lambda connection: search(connection, Search()))[0].message
    assert told.event.outcome_description == "records up to 20 removed by policy: sealed more than 7 days ago"
    for table in (audit_received, audit_subject):
        lowest = aged.read(lambda connection, table=table: connection.execute(select(func.min(table.c.sequence))))
        assert lowest.scalar_one() > 20


def test_nothing_is_removed_twice_and_the_next_day_goes_on(aged: Database, key: SealingKey) -> None:
    assert retention(aged, key, START + 7.5 * DAY).remove_due() == 1
    assert retention(aged, key, START + 7.6 * DAY).remove_due() == 0
    assert retention(aged, key, START + 9.5 * DAY).remove_due() == 2
    Sealer(aged, key, lambda: START + 9.5 * DAY).seal()
    report = proof(aged, key)
    assert (report.findings, report.removed) == ([], 30)


def test_without_a_policy_everything_stays(aged: Database, key: SealingKey) -> None:
    trail = AuditTrail(database=aged, node=NODE)
    forever = Retention(database=aged, trail=trail, key=key, clock=lambda: START + 999 * DAY, keep_days=None)
    assert forever.remove_due() == 0
    assert len(numbers(aged)) == 33


def test_what_a_repository_does_not_have_yet_stays(aged: Database, key: SealingKey) -> None:
    aged.write(lambda connection: note(connection, "near", Progress(settled=33, sent=33)))
    aged.write(lambda connection: note(connection, "far", Progress(settled=15, sent=30)))
    assert retention(aged, key, START + 20 * DAY, "near", "far").remove_due() == 1
    assert retention(aged, key, START + 20 * DAY, "near", "new").remove_due() == 0
    assert retention(aged, key, START + 20 * DAY, "near").remove_due() == 2


def test_a_courier_passes_over_what_was_removed(aged: Database, key: SealingKey) -> None:
    retention(aged, key, START + 8.5 * DAY).remove_due()
    first = aged.read(lambda connection: following(connection, 0, 100, None))
    second = aged.read(lambda connection: following(connection, first.through, 100, first.gap))
    assert [each.sequence for each in second.records] == [*range(21, 30), 31, 32, 33, 34]


def test_an_export_carries_the_statement(aged: Database, key: SealingKey) -> None:
    retention(aged, key, START + 8.5 * DAY).remove_due()
    file = StringIO()
    aged.read(lambda connection: write_export(file, connection, key.verifier))
    report = verify(FileLog(file.getvalue().splitlines()), key.verifier)
    assert (report.findings, report.removed, report.sealed) == ([], 20, 10)


def _empty(connection: Connection, number: int, last: int) -> None:
    for table in (audit_event, audit_subject):
        connection.execute(delete(table).where(table.c.sequence.between(last - 9, last)))
    connection.execute(update(audit_batch).where(audit_batch.c.number == number).values(members=b""))


Attack = Callable[[Connection], object]
ATTACKS: dict[str, Attack] = {
    "a batch that the statement does not cover": lambda connection: _empty(connection, 3, 30),
    "a single record": lambda connection: connection.execute(delete(audit_event).where(audit_event.c.sequence == 25)),
    "the statement": lambda connection: connection.execute(delete(audit_removal)),
    "the statement, for one of other words": lambda connection: connection.execute(
        update(audit_removal).values(statement=bytes(10))
    ),
    "the signature": lambda connection: connection.execute(update(audit_removal).values(signature=bytes(64))),
    "a header": lambda connection: connection.execute(delete(audit_batch).where(audit_batch.c.number == 1)),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_who_removes_more_or_changes_the_statement_is_found_out(aged: Database, key: SealingKey, attack: str) -> None:
    retention(aged, key, START + 8.5 * DAY).remove_due()
    aged.write(ATTACKS[attack])
    assert {each.kind for each in proof(aged, key).findings} & {Kind.SEAL, Kind.REMOVED, Kind.CHAIN}


def test_a_statement_of_another_key_counts_for_nothing(aged: Database, key: SealingKey, tmp_path: Path) -> None:
    retention(aged, sealing_key(tmp_path / "other.key"), START + 8.5 * DAY).remove_due()
    assert {each.kind for each in proof(aged, key).findings} == {Kind.SEAL}
