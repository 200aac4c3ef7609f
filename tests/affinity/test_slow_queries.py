"""Slow statements are told by their shape; what was said in them stays where it was."""

from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, literal, select, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from affinity.database import Database
from affinity.slow_queries import SlowQueries, shape
from affinity.under_way import UNDER_WAY, UnderWay
from pix.tables import record
from statements.prepared import Prepared

SECRET = "Ackermann"


def slow(step: float) -> Iterator[float]:
    """A clock that goes on by so many seconds each time somebody looks."""
    now = 0.0
    while True:
        yield now
        now += step


def watched(database: Database, step: float) -> Database:
    clock = slow(step)
    SlowQueries(1.0, lambda: next(clock)).watch(database.engine)
    return database


def test_a_slow_statement_is_told_with_its_exchange_and_without_parameters(database: Database) -> None:
    wanted = select(record.c.key).where(record.c.family == SECRET, record.c.key.in_([4711, 4712, 4713]))
    watched(database, 2.0)
    idle = UNDER_WAY.set(UnderWay(transaction="ITI-47", correlation="c0ffee"))
    with capture_logs() as told:
        database.read(lambda connection: connection.execute(wanted).all())
        database.write(lambda connection: connection.execute(wanted).all())
    UNDER_WAY.reset(idle)
    selects = [each for each in told if each["statement"].startswith("SELECT")]
    assert len(selects) == 2  # on SQLite BEGIN is a statement as well, and may wait long
    for each in selects:
        assert (each["event"], each["transaction"], each["correlation"]) == ("slow query", "ITI-47", "c0ffee")
        assert each["seconds"] == 2.0
        assert "FROM pix_record WHERE pix_record.family = ?" in each["statement"]
        assert SECRET not in str(each) and "4711" not in str(each)


def test_a_statement_that_goes_past_sqlalchemy_is_told_once(database: Database) -> None:
    family = Prepared(select(record.c.key).where(record.c.family == bindparam("family")))
    watched(database, 1.0)
    with capture_logs() as told:
        database.read(lambda connection: family.rows(connection, {"family": SECRET}))
    (only,) = [each for each in told if each["statement"].startswith("SELECT")]
    assert "WHERE pix_record.family = ?" in only["statement"]
    assert SECRET not in str(told)


def test_a_fast_statement_is_not_told(database: Database) -> None:
    watched(database, 0.4)
    with capture_logs() as told:
        database.read(lambda connection: connection.execute(select(literal(1))).all())
    assert told == []


def test_a_slow_statement_that_fails_is_told_as_well(database: Database) -> None:
    watched(database, 2.0)
    with capture_logs() as told, pytest.raises(DBAPIError):
        database.read(lambda connection: connection.execute(text(f"SELECT '{SECRET}' FROM nowhere")).all())
    assert "SELECT ? FROM nowhere" in [each["statement"] for each in told]
    assert SECRET not in str(told)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT a\n FROM t WHERE b = 'O''Hara' AND c = 12.5", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT a FROM t WHERE b IN (?, ?, ?)", "SELECT a FROM t WHERE b IN (?, ...)"),
        ("SELECT a FROM t WHERE b = %(b_1)s::VARCHAR", "SELECT a FROM t WHERE b = ?::VARCHAR"),
        ("SELECT a FROM t WHERE b = :name AND sha256 = $1", "SELECT a FROM t WHERE b = ? AND sha256 = ?"),
        ("INSERT INTO t (a, b) VALUES (?, ?), (?, ?), (?, ?)", "INSERT INTO t (a, b) VALUES (?, ...), ..."),
    ],
)
def test_a_shape_holds_nothing_that_was_said(statement: str, told: str) -> None:
    assert shape(statement) == told
    assert len(shape(statement * 100)) == 600
