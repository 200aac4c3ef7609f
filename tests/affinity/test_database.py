"""The database's promise: all of a work or nothing, and no answer before the commit."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, event, func, insert, select
from sqlalchemy.exc import IntegrityError

from affinity.database import Database
from affinity.group_writer import WriterStopped
from affinity.outages import InDoubt, Trouble, Unavailable, remedy

NOTES = Table("test_note", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False))


@pytest.fixture
def notes(database: Database) -> Iterator[Database]:
    NOTES.metadata.create_all(database.engine)
    yield database
    NOTES.metadata.drop_all(database.engine)


def add(number: int) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        connection.execute(insert(NOTES).values(id=number))
        return number

    return work


def count(database: Database) -> int:
    return database.read(lambda connection: connection.execute(select(func.count()).select_from(NOTES)).scalar_one())


def test_a_work_that_returns_is_stored(notes: Database) -> None:
    assert notes.write(add(1)) == 1
    assert count(notes) == 1


def test_a_work_that_raises_leaves_nothing(notes: Database) -> None:
    def half(connection: Connection) -> None:
        connection.execute(insert(NOTES).values(id=1))
        raise ValueError("second half failed")

    with pytest.raises(ValueError, match="second half"):
        notes.write(half)
    assert count(notes) == 0


def test_one_bad_work_of_many_fails_alone(notes: Database) -> None:
    notes.write(add(7))
    with ThreadPoolExecutor(32) as pool:
        futures = [pool.submit(notes.write, add(number)) for number in range(100)]
    failed = [number for number, future in enumerate(futures) if future.exception()]
    assert failed == [7]
    assert isinstance(futures[7].exception(), IntegrityError)
    assert count(notes) == 100


def test_a_database_that_gave_up_the_whole_transaction_fails_every_work_of_it(tmp_path: Path) -> None:
    """SQLite rolls back by itself when the disk is full, for example: then no savepoint is left to go back to."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    NOTES.metadata.create_all(database.engine)

    def given_up(connection: Connection) -> None:
        connection.execute(insert(NOTES).values(id=1))
        connection.exec_driver_sql("ROLLBACK")
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        database.write(given_up)
    assert database.write(add(2)) == 2
    assert count(database) == 1
    database.close()


def test_a_connection_is_as_new_after_a_work_that_raises(notes: Database) -> None:
    """It is used again at once, and must not show or keep anything of what came to nothing."""

    def refused(connection: Connection) -> None:
        connection.execute(insert(NOTES).values(id=1))
        raise LookupError("refused")

    with pytest.raises(LookupError):
        notes.write(refused)
    assert (count(notes), notes.connections().in_use) == (0, 0)
    assert notes.write(add(1)) == 1


def test_a_snapshot_begins_with_the_first_statement_also_of_the_driver(tmp_path: Path) -> None:
    """Prepared statements go to the driver past SQLAlchemy, which would begin no transaction for them."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    NOTES.metadata.create_all(database.engine)

    def twice(connection: Connection) -> list[int]:
        driver: Any = connection.connection.dbapi_connection
        before = driver.execute("SELECT count(*) FROM test_note").fetchone()[0]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(database.write, add(1)).result()
        return [before, driver.execute("SELECT count(*) FROM test_note").fetchone()[0]]

    assert database.read(twice) == [0, 0]
    assert count(database) == 1
    database.close()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (sqlite3.SQLITE_FULL, Unavailable(Trouble.FULL)),
        (sqlite3.SQLITE_READONLY, Unavailable(Trouble.DISK)),
        (sqlite3.SQLITE_IOERR_WRITE, Unavailable(Trouble.DISK)),
        (sqlite3.SQLITE_BUSY, Unavailable(Trouble.SLOW)),
        (sqlite3.SQLITE_CORRUPT, Unavailable(Trouble.DAMAGED)),
        (sqlite3.SQLITE_IOERR_FSYNC, InDoubt()),
        (sqlite3.SQLITE_ERROR, None),
    ],
)
def test_what_sqlite_cannot_do_now_is_no_defect(tmp_path: Path, code: int, told: Exception | None) -> None:
    """A log that is not durable may come back after a crash, so its works are in doubt."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    NOTES.metadata.create_all(database.engine)
    failed = sqlite3.OperationalError("invented")
    failed.sqlite_errorcode = code

    def failing(connection: Connection) -> None:
        connection.execute(insert(NOTES).values(id=1))
        raise failed

    with pytest.raises(type(told or failed), match=str(told or failed)):
        database.write(failing)
    assert count(database) == 0
    database.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_CORRUPT, "restore it from a backup"),
        (sqlite3.SQLITE_NOTADB, "restore it from a backup"),
        (sqlite3.SQLITE_FULL, "make room"),
        (sqlite3.SQLITE_BUSY, "another program holds it"),
        (sqlite3.SQLITE_READONLY, "let this user write"),
        (sqlite3.SQLITE_ERROR, "nothing says that it is damaged"),
        (sqlite3.SQLITE_TOOBIG, "nothing says that it is damaged"),
    ],
)
def test_only_what_is_damaged_is_to_be_restored(code: int, said: str) -> None:
    error = sqlite3.OperationalError("invented")
    error.sqlite_errorcode = code
    assert said in remedy(error)


def test_many_writers_share_one_commit(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    NOTES.metadata.create_all(database.engine)
    started, release = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        started.set()
        release.wait(10)

    said: list[str] = []
    event.listen(database.engine, "connect", lambda driver, _record: driver.set_trace_callback(said.append))
    database.enlarge_cache(2**21)  # from now on, with new connections
    with ThreadPoolExecutor(21) as pool:
        held = pool.submit(database.write, hold)
        started.wait(10)
        futures = [pool.submit(database.write, add(number)) for number in range(20)]
        while database.waiting < 19:  # one is in the hand of the thread that waits for the pen
            pass
        release.set()
        assert [future.result() for future in futures] == list(range(20))
        held.result()
    assert said.count("COMMIT") == 2
    database.close()


def test_what_shared_a_commit_with_a_failure_is_done_again_without_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    NOTES.metadata.create_all(database.engine)
    started, release = threading.Event(), threading.Event()
    done: list[int] = []

    def hold(connection: Connection) -> None:
        started.set()
        release.wait(10)

    def noted(number: int) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            done.append(number)
            return add(number)(connection)

        return work

    with ThreadPoolExecutor(4) as pool:
        held = pool.submit(database.write, hold)
        started.wait(10)
        futures = [pool.submit(database.write, noted(number)) for number in (1, 1, 2)]
        while database.waiting < 2:  # the first is in the hands of the thread
            pass
        release.set()
        held.result()
        assert sorted(str(type(each.exception())) for each in futures) == sorted(
            map(str, (type(None), type(None), IntegrityError))
        )
    assert count(database) == 2
    assert len(done) > 3
    database.close()


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(RuntimeError, match="wait for itself"):
        database.write(lambda connection: database.write(lambda inner: None))
    database.close()


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.close()
    with pytest.raises(WriterStopped):
        database.write(lambda connection: None)


def test_a_read_sees_one_snapshot_while_others_write(notes: Database) -> None:
    def twice(connection: Connection) -> tuple[int, int]:
        number = select(func.count()).select_from(NOTES)
        before = connection.execute(number).scalar_one()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(notes.write, add(1)).result()
        return before, connection.execute(number).scalar_one()

    assert notes.read(twice) == (0, 0)
    assert count(notes) == 1


def test_a_larger_cache_is_that_of_every_connection(notes: Database) -> None:
    def pages(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())

    notes.write(add(1))
    notes.enlarge_cache(64 * 2**20)
    assert notes.write(add(2)) == 2
    if notes.engine.dialect.name == "sqlite":
        assert notes.write(pages) == notes.read(pages) == -64 * 2**10
    assert count(notes) == 2
