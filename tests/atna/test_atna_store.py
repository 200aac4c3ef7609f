"""Records are stored compactly and found by patient, user, event, document, time and outcome."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from affinity.database import Database
from atna import merkle, store
from atna.compact import Damaged, pack, unpack
from atna.dicom import write
from atna.entries import entry, entry_of, instant
from atna.sealing import Sealer
from atna.signing import sealing_key
from atna.store import Search
from ihe.audit import ALSO_KNOWN_AS, Detail, EventOutcomeIndicator, patient
from tests.atna.test_atna_dicom import MESSAGES
from tests.atna.trail import START, fill, message


def found(database: Database, **wanted: object) -> list[int]:
    return [each.sequence for each in database.read(lambda connection: store.search(connection, Search(**wanted)))]  # type: ignore[arg-type]


def test_records_are_found_by_what_an_auditor_asks_for(database: Database) -> None:
    fill(database, 1, 10)
    assert found(database, patients=("3^^^&1.2.3&ISO",)) == [8, 3]
    assert found(database, users=("doctor-1",)) == [10, 7, 4, 1]
    assert found(database, objects=("1.2.5",)) == [5]
    assert found(database, events=("ITI-18",), limit=2) == [10, 9]
    assert found(database, events=("ITI-43",)) == []
    assert found(database, outcomes=(4,)) == []
    assert found(database, since=instant(START + timedelta(minutes=9))) == [10, 9]
    assert found(database, until=instant(START + timedelta(minutes=2)), users=("doctor-1",)) == [1]
    assert found(database, before=3) == [2, 1]


def test_a_patient_is_found_by_every_id_that_the_record_names(database: Database) -> None:
    both = message(1, patient(["1^^^&1.2.3&ISO", "9^^^&1.2.4&ISO"]))
    database.write(lambda connection: store.append(connection, [entry(both)]))
    assert found(database, patients=("9^^^&1.2.4&ISO",)) == [1]
    assert both.objects[0].details == (Detail(ALSO_KNOWN_AS, b"9^^^&1.2.4&ISO"),)


def test_what_is_stored_is_the_message_byte_for_byte(database: Database) -> None:
    sent = message(1, outcome=EventOutcomeIndicator.MINOR_FAILURE)
    database.write(lambda connection: store.append(connection, [entry(sent)]))
    stored = database.read(lambda connection: store.record(connection, 1))
    assert stored is not None
    assert stored.xml == write(sent)
    assert stored.message == sent
    assert stored.leaf == merkle.leaf(write(sent))


@settings(max_examples=60)
@given(sent=MESSAGES)
def test_what_a_record_is_found_by_follows_from_its_bytes_alone(sent: object) -> None:
    made = entry(sent)  # type: ignore[arg-type]
    assert entry_of(unpack(made.message)) == made


@given(st.binary(max_size=3000))
def test_packing_loses_nothing(content: bytes) -> None:
    assert unpack(pack(content)) == content


@pytest.mark.parametrize("stored", [b"", b"\x09abc", b"\x01\xff\xff", pack(b"abcdef")[:-2], pack(b"abc") + b"x"])
def test_what_is_no_packed_message_is_damaged(stored: bytes) -> None:
    with pytest.raises(Damaged):
        unpack(stored)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_root_is_that_of_rfc_6962(leaves: list[bytes]) -> None:
    """Section 2.1 splits at the largest power of two; level by level gives the same."""

    def mth(some: list[bytes]) -> bytes:
        if len(some) == 1:
            return some[0]
        split = 1 << (len(some) - 1).bit_length() - 1
        return merkle.sha256(b"\x01" + mth(some[:split]) + mth(some[split:])).digest()

    assert merkle.root(leaves) == (mth(leaves) if leaves else merkle.sha256(b"").digest())


def test_a_sealer_that_found_nothing_yet_seals_what_comes(database: Database, tmp_path: Path) -> None:
    sealer = Sealer(database, sealing_key(tmp_path / "key"), lambda: START)
    assert sealer.seal() == 0
    fill(database, 1, 2)
    assert sealer.seal() == 2


def test_numbers_drawn_by_transactions_under_way_are_waited_for(database: Database, tmp_path: Path) -> None:
    """On PostgreSQL a lower number may become visible later: sealing around it would make it look inserted."""
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer, so numbers become visible in their order")
    sealer = Sealer(database, sealing_key(tmp_path / "key"), lambda: START)
    drawn, commit = threading.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        store.append(connection, [entry(message(1))])
        drawn.set()
        assert commit.wait(20)

    slow = threading.Thread(target=lambda: database.write(slowly))
    slow.start()
    assert drawn.wait(20)
    fill(database, 2, 2)
    assert sealer.seal() == 0
    commit.set()
    slow.join()
    assert sealer.seal() == 2
