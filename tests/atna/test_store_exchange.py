"""The trail on its way to others: nothing is passed over that may yet appear, and how far it came is remembered."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import text

from affinity.database import Database
from atna import dicom
from atna.entries import entry
from atna.forwarding import Backlog, Progress, Reach
from atna.reception import Arrival, Transport, receive
from atna.store import append
from atna.store_exchange import Following, all_progress, backlog, following, forget, note, progress
from atna.store_exchange import receive as store_received
from tests.atna.test_atna_dicom import GOOD
from tests.atna.test_reception import HEADER, NODE, NOW

OURS = entry(dicom.read(GOOD))


def after(database: Database, number: int, found: Following | None = None, limit: int = 100) -> Following:
    known = found.gap if found else None
    return database.read(lambda connection: following(connection, number, limit, known))


def numbers(found: Following) -> list[int]:
    return [each.sequence for each in found.records]


def test_records_come_in_their_order_and_in_portions(database: Database) -> None:
    database.write(lambda connection: append(connection, [OURS] * 5))
    first = after(database, 0, limit=3)
    assert (numbers(first), first.through, first.gap) == ([1, 2, 3], 3, None)
    second = after(database, first.through, first, limit=3)
    assert (numbers(second), second.through) == ([4, 5], 5)
    assert numbers(after(database, 5)) == []


def test_a_number_that_was_never_used_is_passed_over_once_nobody_can_use_it(database: Database) -> None:
    database.write(lambda connection: append(connection, [OURS] * 4))
    database.write(lambda connection: connection.execute(text("DELETE FROM audit_event WHERE sequence = 2")))
    first = after(database, 0)
    assert (numbers(first), first.through) == ([1], 1)
    second = after(database, first.through, first)
    assert (numbers(second), second.gap) == ([3, 4], None)


def test_a_record_whose_transaction_ends_later_is_waited_for(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        return  # it has one writer, so that what is numbered lower is committed earlier
    with database.engine.begin() as slow:
        append(slow, [OURS])
        database.write(lambda connection: append(connection, [OURS]))
        found = after(database, 0)
        for _ in range(3):
            assert (numbers(found), found.through) == ([], 0)
            found = after(database, 0, found)
    assert numbers(after(database, 0, found)) == [1, 2]


def test_a_record_whose_transaction_comes_to_nothing_holds_nothing_up(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        return
    with database.engine.connect() as doomed, doomed.begin() as transaction:
        append(doomed, [OURS])
        database.write(lambda connection: append(connection, [OURS]))
        found = after(database, 0, after(database, 0))
        assert numbers(found) == []
        transaction.rollback()
    assert numbers(after(database, 0, found)) == [2]


def test_what_was_received_is_not_forwarded(database: Database) -> None:
    arrived = Arrival(data=HEADER + GOOD, at=NOW, peer="p", address="p", transport=Transport.TLS)
    database.write(lambda connection: append(connection, [OURS]))
    database.write(lambda connection: store_received(connection, [receive(arrived, NODE)]))
    database.write(lambda connection: append(connection, [OURS]))
    found = after(database, 0)
    assert (numbers(found), found.through) == ([1, 3], 3)


def test_progress_is_remembered_for_each_repository(database: Database) -> None:
    assert database.read(lambda connection: progress(connection, "arr")) == Progress()
    lost = Progress(settled=3, sent=5).now(Reach.LOST, datetime(2026, 3, 1, tzinfo=UTC), "nothing listens there")
    for each in (Progress(settled=1, sent=2), lost.refused_one(4)):
        database.write(lambda connection, each=each: note(connection, "arr", each))
        assert database.read(lambda connection: progress(connection, "arr")) == each
    assert list(database.read(all_progress)) == ["arr"]
    assert database.write(lambda connection: forget(connection, "arr"))
    assert not database.write(lambda connection: forget(connection, "arr"))


def test_since_stays_while_nothing_changes() -> None:
    first, later = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    lost = Progress().now(Reach.LOST, first, "a")
    assert lost.now(Reach.LOST, later, "b") == replace(lost, reason="b")
    assert lost.now(Reach.REACHED, later, None).since == later


def test_a_backlog_has_a_size_and_an_age(database: Database) -> None:
    database.write(lambda connection: append(connection, [OURS] * 3))
    assert database.read(lambda connection: backlog(connection, 3)) == Backlog()
    assert database.read(lambda connection: backlog(connection, 1)) == Backlog(
        records=2, oldest=dicom.read(GOOD).event.time
    )
