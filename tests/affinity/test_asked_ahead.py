"""What PostgreSQL is asked ahead is answered with the next statement, and never with what was true before a change."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from affinity.database import Database
from affinity.terms import Terms
from benchmarks.exchanges import Relay
from statements.prepared import Prepared, ask_ahead

LINES = Table("test_asked", MetaData(), Column("id", BigInteger, primary_key=True, autoincrement=False))
ADD = Prepared(insert(LINES), LINES.columns)
ALL = Prepared(select(LINES.c.id).order_by(LINES.c.id))
ECHO = Prepared(text("SELECT CAST(:said AS TEXT)"))
LOCK = Prepared(text("SELECT pg_advisory_xact_lock(4711)"))
HELD = Prepared(text("SELECT 1 FROM test_asked FOR UPDATE"))


@pytest.fixture
def relay(postgresql_url: str) -> Iterator[Relay]:
    made = Relay(postgresql_url)
    yield made
    made.close()


@pytest.fixture
def lines(relay: Relay) -> Iterator[Database]:
    opened = Database(relay.url, Terms(connections=3, prepare_threshold=None))
    LINES.metadata.create_all(opened.engine)
    yield opened
    LINES.metadata.drop_all(opened.engine)
    opened.close()


def add(database: Database, number: int) -> None:
    database.write(lambda connection: ADD.run(connection, {"id": number}))


def found(connection: Connection) -> list[int]:
    return [id for (id,) in ALL.rows(connection, {})]


def test_several_questions_and_a_change_are_one_exchange(lines: Database, relay: Relay) -> None:
    def work(connection: Connection) -> list[object]:
        ask_ahead(connection, [(ADD, {"id": 1})])
        ask_ahead(connection, [(ALL, {})])
        ask_ahead(connection, [(ECHO, {"said": each}) for each in "aba"])
        before = relay.exchanges
        told = [ADD.adds(connection, {"id": 1}), found(connection)]
        told += [ECHO.rows(connection, {"said": each}) for each in ("b", "a")]
        assert relay.exchanges - before == 1
        return told

    assert lines.write(work) == [True, [1], [("b",)], [("a",)]]
    assert lines.read(found) == [1]


def test_one_statement_for_many_is_one_exchange(lines: Database, relay: Relay) -> None:
    def work(connection: Connection) -> list[str]:
        before = relay.exchanges
        told = ECHO.rows_of_each(connection, [{"said": each} for each in "xyx"])
        assert relay.exchanges - before == 1 + 1, "the same once more is asked once more"
        return [asked["said"] + row[0] for asked, [row] in told]

    assert lines.read(work) == ["xx", "yy", "xx"]


def adds_ahead(connection: Connection, number: int) -> bool:
    ask_ahead(connection, [(ADD, {"id": number})])
    return ADD.adds(connection, {"id": number})


CHANGES: dict[str, Callable[[Connection], object]] = {
    "written, and nobody waits": lambda connection: ADD.run(connection, {"id": 2}),
    "written": lambda connection: ADD.changed(connection, {"id": 2}),
    "written by what is asked ahead": lambda connection: adds_ahead(connection, 2),
    "written by way of SQLAlchemy": lambda connection: connection.execute(insert(LINES).values(id=2)),
    "locked": lambda connection: LOCK.run(connection, {}),
    "rows locked": lambda connection: HELD.rows(connection, {}),
}


@pytest.mark.parametrize("has_come", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_no_answer_is_from_before_a_change_or_a_lock(lines: Database, change: str, has_come: bool) -> None:
    add(lines, 1)

    def work(connection: Connection) -> list[int]:
        ask_ahead(connection, [(ALL, {})])
        if has_come:
            ECHO.rows(connection, {"said": ""})
            add(lines, 3)
        CHANGES[change](connection)
        return found(connection)

    expected = [1, 2] if change.startswith("written") else [1]
    assert lines.write(work) == [*expected, *([3] if has_come else [])]


def test_what_was_written_ahead_is_never_written_twice_because_nobody_asked_about_it(lines: Database) -> None:
    def work(connection: Connection) -> None:
        ask_ahead(connection, [(ADD, {"id": 1})])
        ADD.run(connection, {"id": 2})

    with pytest.raises(RuntimeError):
        lines.write(work)
    assert lines.read(found) == []


def test_an_answer_is_given_once(lines: Database) -> None:
    def work(connection: Connection) -> list[list[int]]:
        ask_ahead(connection, [(ALL, {})])
        first = found(connection)
        add(lines, 1)
        return [first, found(connection)]

    assert lines.write(work) == [[], [1]]


def test_nothing_asked_is_answered_in_the_next_transaction(lines: Database) -> None:
    def asks(connection: Connection) -> None:
        ask_ahead(connection, [(ALL, {})])
        ECHO.rows(connection, {"said": ""})

    lines.write(asks)
    lines.read(asks)
    add(lines, 1)
    assert lines.read(found) == [1]


def test_in_a_savepoint_nothing_is_asked_ahead(lines: Database) -> None:
    def work(connection: Connection) -> list[int]:
        with pytest.raises(IntegrityError), connection.begin_nested():
            ask_ahead(connection, [(ALL, {})])
            ADD.run(connection, {"id": 1})
            ADD.run(connection, {"id": 1})
        return found(connection)

    assert lines.write(work) == []


def test_what_cannot_be_answered_fails_with_whatever_is_said_next(lines: Database) -> None:
    divide = Prepared(text("SELECT 1 / CAST(:by AS BIGINT)"))

    def work(connection: Connection) -> None:
        ask_ahead(connection, [(divide, {"by": 0})])
        with pytest.raises(DataError) as failed:
            ECHO.rows(connection, {"said": ""})
        assert failed.value.statement == "SELECT 1 / CAST($1 AS BIGINT)"
        raise failed.value

    with pytest.raises(DataError):
        lines.read(work)
    assert lines.read(found) == []
