"""Who holds the database changes the trail, one way at a time; the proof names what, and where."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from affinity.database import Database
from atna import store_batches
from atna.batches import SealedBatch, batch, read_header
from atna.compact import pack, unpack
from atna.entries import entry
from atna.logs import DatabaseLog, FileLog, write_export
from atna.merkle import leaf
from atna.roots import read_root, write_root
from atna.sealing import Sealer
from atna.signing import SealingKey, sealing_key
from atna.tables import audit_batch, audit_event, audit_subject
from atna.verifying import Kind, Report, verify
from tests.atna.trail import START, fill, message

EVENT, BATCH = audit_event.c, audit_batch.c
Attack = Callable[[Connection], None]


@pytest.fixture
def key(tmp_path: Path) -> SealingKey:
    return sealing_key(tmp_path / "seal.key")


@pytest.fixture
def sealed(database: Database, key: SealingKey) -> Database:
    """Three batches of ten records, and three records that are not sealed yet."""
    sealer = Sealer(database, key, lambda: START)
    for first in (1, 11, 21):
        fill(database, first, first + 9)
        assert sealer.seal() == 10
    fill(database, 31, 33)
    return database


def proof(database: Database, key: SealingKey, *roots: str) -> Report:
    return database.read(
        lambda connection: verify(DatabaseLog(connection), key.verifier, [read_root(each) for each in roots])
    )


def root_of(database: Database, key: SealingKey) -> str:
    newest = database.read(store_batches.newest)
    assert newest is not None
    return write_root(newest, key.verifier)


def test_a_trail_that_nobody_touched_is_intact(sealed: Database, key: SealingKey) -> None:
    report = proof(sealed, key, root_of(sealed, key))
    assert report.findings == []
    assert (report.sealed, report.unsealed, report.batches) == (30, 3, 3)


def rewrite(connection: Connection, sequence: int) -> None:
    """Make it another patient, and everything that hangs on it by the book, as a careful forger would."""
    forged = entry(message(1000 + sequence))
    columns = ("at", "event", "outcome", "person", "patient", "leaf", "message")
    row = {name: getattr(forged, name) for name in columns}
    connection.execute(update(audit_event).where(EVENT.sequence == sequence).values(**row))
    connection.execute(delete(audit_subject).where(audit_subject.c.sequence == sequence))
    connection.execute(audit_subject.insert(), [{"subject": each, "sequence": sequence} for each in forged.subjects])


def change_a_byte(connection: Connection) -> None:
    packed = connection.execute(select(EVENT.message).where(EVENT.sequence == 7)).scalar_one()
    forged = unpack(bytes(packed)).replace(b"doctor-1", b"doctor-2")
    connection.execute(update(audit_event).where(EVENT.sequence == 7).values(message=pack(forged), leaf=leaf(forged)))


def make_unreadable(connection: Connection) -> None:
    connection.execute(update(audit_event).where(EVENT.sequence == 7).values(message=b"\x01nonsense"))


def remove(*sequences: int) -> Attack:
    return lambda connection: connection.execute(delete(audit_event).where(EVENT.sequence.in_(sequences))) and None


def swap(connection: Connection) -> None:
    for old, new in ((7, -1), (8, 7), (-1, 8)):
        connection.execute(update(audit_event).where(EVENT.sequence == old).values(sequence=new))


def insert_before_the_first(connection: Connection) -> None:
    forged = entry(message(1))
    connection.execute(
        audit_event.insert().values(
            sequence=0, at=forged.at, event="ITI-18", outcome=0, leaf=forged.leaf, message=forged.message
        )
    )


def hide_from_searches(connection: Connection) -> None:
    connection.execute(update(audit_event).where(EVENT.sequence == 7).values(patient=None))
    connection.execute(delete(audit_subject).where(audit_subject.c.sequence == 8))


ATTACKS: list[tuple[Attack, set[tuple[Kind, int | None, int | None]]]] = [
    (lambda connection: rewrite(connection, 7), {(Kind.ALTERED, 7, None)}),
    (make_unreadable, {(Kind.ALTERED, 7, None)}),
    (remove(7), {(Kind.REMOVED, 7, None)}),
    (remove(28, 29, 30), {(Kind.REMOVED, 28, None), (Kind.REMOVED, 29, None), (Kind.REMOVED, 30, None)}),
    (swap, {(Kind.MOVED, 7, None), (Kind.MOVED, 8, None)}),
    (insert_before_the_first, {(Kind.INSERTED, 0, None)}),
    (hide_from_searches, {(Kind.INDEX, 7, None), (Kind.INDEX, 8, None)}),
]


@pytest.mark.parametrize(("attack", "expected"), ATTACKS)
def test_the_proof_names_the_record(
    sealed: Database, key: SealingKey, attack: Attack, expected: set[tuple[Kind, int | None, int | None]]
) -> None:
    sealed.write(attack)
    found = {(each.kind, each.record, each.batch) for each in proof(sealed, key).findings}
    assert found >= expected
    assert {record for _, record, _ in found if record is not None} == {each[1] for each in expected}


def test_a_changed_byte_is_found_also_where_its_hash_was_changed_with_it(sealed: Database, key: SealingKey) -> None:
    sealed.write(change_a_byte)
    kinds = {(each.kind, each.record) for each in proof(sealed, key).findings}
    assert (Kind.ALTERED, 7) in kinds


def forge_batch(connection: Connection, key: SealingKey) -> None:
    """Seal the second batch again, over records that were changed."""
    rewrite(connection, 15)
    rows = connection.execute(select(audit_batch).order_by(BATCH.number)).all()
    first, second = read_header(bytes(rows[0].header)), read_header(bytes(rows[1].header))
    leaves = connection.execute(
        select(EVENT.sequence, EVENT.leaf).where(EVENT.sequence.between(11, 20)).order_by(EVENT.sequence)
    )
    made, members = batch(first, [(row.sequence, bytes(row.leaf)) for row in leaves], second.sealed_at)
    sealed_again = SealedBatch(batch=made, signature=key.sign(made.header), packed_members=members)
    connection.execute(delete(audit_batch).where(BATCH.number == 2))
    store_batches.add(connection, sealed_again)


def test_a_batch_that_was_sealed_again_with_the_stolen_key_breaks_the_chain(sealed: Database, key: SealingKey) -> None:
    sealed.write(lambda connection: forge_batch(connection, key))
    assert [(each.kind, each.batch) for each in proof(sealed, key).findings] == [(Kind.CHAIN, 3)]


def test_a_batch_that_was_sealed_again_with_another_key_is_not_ours(
    sealed: Database, key: SealingKey, tmp_path: Path
) -> None:
    sealed.write(lambda connection: forge_batch(connection, sealing_key(tmp_path / "other.key")))
    found = [(each.kind, each.batch) for each in proof(sealed, key).findings]
    assert found == [(Kind.SEAL, 2), (Kind.CHAIN, 3)]


def seal_all_anew(database: Database, key: SealingKey) -> None:
    database.write(lambda connection: connection.execute(delete(audit_batch)) and None)
    Sealer(database, key, lambda: START).seal()


def test_another_history_sealed_with_the_stolen_key_does_not_lead_to_the_root_that_was_kept(
    sealed: Database, key: SealingKey
) -> None:
    kept = root_of(sealed, key)
    sealed.write(lambda connection: rewrite(connection, 7))
    seal_all_anew(sealed, key)
    assert proof(sealed, key).is_intact  # nobody can tell without a root
    assert not proof(sealed, key, kept).is_intact


def test_a_trail_sealed_with_another_key_is_not_the_one_of_the_root_that_was_kept(
    sealed: Database, key: SealingKey, tmp_path: Path
) -> None:
    kept, other = root_of(sealed, key), sealing_key(tmp_path / "other.key")
    seal_all_anew(sealed, other)
    kinds = [each.kind for each in proof(sealed, other, kept).findings]
    assert Kind.KEY in kinds


def test_an_end_that_was_cut_off_is_missed_by_the_root_that_was_kept(sealed: Database, key: SealingKey) -> None:
    kept = root_of(sealed, key)

    def cut(connection: Connection) -> None:
        connection.execute(delete(audit_event).where(EVENT.sequence > 20))
        connection.execute(delete(audit_batch).where(BATCH.number > 2))

    sealed.write(cut)
    assert proof(sealed, key).is_intact
    assert [(each.kind, each.batch) for each in proof(sealed, key, kept).findings] == [(Kind.TRUNCATED, 3)]


def test_a_missing_batch_is_named(sealed: Database, key: SealingKey) -> None:
    sealed.write(lambda connection: connection.execute(delete(audit_batch).where(BATCH.number == 2)) and None)
    found = proof(sealed, key).findings
    assert (Kind.CHAIN, 2) in [(each.kind, each.batch) for each in found]


def test_a_list_of_members_that_was_changed_is_not_believed(sealed: Database, key: SealingKey) -> None:
    sealed.write(
        lambda connection: connection.execute(update(audit_batch).where(BATCH.number == 2).values(members=b"")) and None
    )
    assert [(each.kind, each.batch) for each in proof(sealed, key).findings] == [(Kind.SEAL, 2)]


def test_an_export_is_verified_without_any_database(sealed: Database, key: SealingKey) -> None:
    file = StringIO()
    assert sealed.read(lambda connection: write_export(file, connection, key.verifier)) == 33
    lines = file.getvalue().splitlines()
    report = verify(FileLog(lines), key.verifier, [read_root(root_of(sealed, key))])
    assert (report.findings, report.sealed, report.unsealed) == ([], 30, 3)
    forged = [each.replace("doctor-1", "doctor-2") if '"record": 7,' in each else each for each in lines]
    assert [(each.kind, each.record) for each in verify(FileLog(forged), key.verifier).findings] == [(Kind.ALTERED, 7)]
    shorter = [each for each in lines if '"record": 12,' not in each]
    assert [(each.kind, each.record) for each in verify(FileLog(shorter), key.verifier).findings] == [
        (Kind.REMOVED, 12)
    ]


def test_a_root_that_was_changed_is_no_proof(sealed: Database, key: SealingKey) -> None:
    kept = read_root(root_of(sealed, key))
    forged = replace(kept, batch=replace(kept.batch, root=bytes(32)))
    report = sealed.read(lambda connection: verify(DatabaseLog(connection), key.verifier, [forged]))
    assert Kind.KEY in [each.kind for each in report.findings]
