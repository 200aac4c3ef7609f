"""Statements that PostgreSQL is told straight mean, return and fail as they do by way of SQLAlchemy."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, bindparam, event, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError, InternalError, OperationalError

from affinity.database import Database
from affinity.terms import Terms
from benchmarks.exchanges import Relay
from pix.time_limits import TookTooLong, time_limit
from statements import pipeline, straight
from statements.prepared import Prepared
from statements.prepared import straight as driver_if_straight
from statements.selections import Selection

AWKWARD = ["", "plain", 'quo"te', "back\\slash", "{a,b}", "NULL", "Kléin-Æ", "a,b", " ", "it's", "%s %% $1", "\n"]
VALUES = Prepared(
    text(
        "SELECT CAST(:said AS TEXT), CAST(:many AS BIGINT), CAST(:raw AS BYTEA), CAST(:flag AS BOOLEAN), "
        "CAST(:none AS TEXT), CAST(:texts AS TEXT[]), CAST(:numbers AS BIGINT[])"
    )
)
PREPARED = Prepared(text("SELECT count(*) FROM pg_prepared_statements"))


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    opened = Database(postgresql_url, Terms(connections=2, prepare_threshold=1))
    yield opened
    opened.close()


def both_ways(database: Database, parameters: dict[str, Any]) -> list[Sequence[Any]]:
    def ask(connection: Connection) -> Sequence[Any]:
        ways.append(driver_if_straight(connection) is not None)
        return VALUES.rows(connection, parameters)

    ways: list[bool] = []
    told = [database.read(ask) for _ in range(3)]  # as it is, as it is prepared, prepared
    event.listen(database.engine, "before_cursor_execute", _watch)
    told.append(database.read(ask))
    event.remove(database.engine, "before_cursor_execute", _watch)
    assert ways == [True, True, True, False]
    return told


def _watch(*_of_a_statement: object) -> None:
    """Somebody wants to know of statements, so that SQLAlchemy runs them."""


@pytest.mark.parametrize("said", AWKWARD)
def test_values_arrive_as_by_sqlalchemy(database: Database, said: str) -> None:
    parameters = {
        "said": said,
        "many": -(2**63) + len(said),
        "raw": b"\x00\xff\\" + said.encode(),
        "flag": bool(said),
        "none": None,
        "texts": [said, *AWKWARD],
        "numbers": {0: "", 2**62: ""}.keys(),
    }
    told = both_ways(database, parameters)
    assert told == [told[0]] * 4
    assert told[0][0] == (said, parameters["many"], parameters["raw"], bool(said), None, [said, *AWKWARD], [0, 2**62])


def test_lists_may_be_empty_or_hold_nothing(database: Database) -> None:
    parameters = {"said": "", "many": 0, "raw": b"", "flag": True, "none": None, "texts": [None, "x"], "numbers": ()}
    told = both_ways(database, parameters)
    assert told == [told[0]] * 4
    assert told[0][0][-2:] == ([None, "x"], [])


def test_a_text_that_postgresql_cannot_hold_is_refused_and_not_cut_short(database: Database) -> None:
    echo = Prepared(text("SELECT CAST(:said AS TEXT)"))
    with pytest.raises(DataError):
        database.read(lambda connection: echo.rows(connection, {"said": "Muster\0mann"}))


def test_an_error_is_of_the_class_that_sqlalchemy_gives_it_and_names_no_value(database: Database) -> None:
    made = Prepared(text("CREATE TEMP TABLE once (id BIGINT PRIMARY KEY) ON COMMIT DROP"))
    adds = Prepared(text("INSERT INTO once VALUES (:id)"))

    def work(connection: Connection) -> None:
        made.run(connection, {})
        adds.run(connection, {"id": 4711})
        with pytest.raises(IntegrityError) as failed:
            adds.changed(connection, {"id": 4711})
        assert failed.value.orig is not None and failed.value.orig.sqlstate == "23505"  # type: ignore[attr-defined]
        assert failed.value.params is None and not failed.value.connection_invalidated
        with pytest.raises(InternalError, match="aborted"):
            adds.changed(connection, {"id": 4712})

    with pytest.raises(OperationalError):  # the mark of a commit cannot be set either
        database.write(work)
    assert database.read(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1


def test_what_is_prepared_stays_so_when_a_transaction_is_taken_back(database: Database) -> None:
    counts = [database.read(lambda connection: PREPARED.rows(connection, {})) for _ in range(4)]
    assert counts == [[(0,)], [(1,)], [(1,)], [(1,)]]
    with pytest.raises(ZeroDivisionError):
        database.write(lambda connection: (PREPARED.rows(connection, {}), 1 / 0))
    assert database.read(lambda connection: PREPARED.rows(connection, {})) == [(1,)]


def test_few_statements_stay_prepared_the_oldest_is_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MOST", 3)
    others = [Prepared(text(f"SELECT {number}")) for number in range(8)]

    def work(connection: Connection) -> list[Any]:
        return [each.rows(connection, {})[0][0] for each in others for _ in range(3)]

    assert database.read(work) == [number for number in range(8) for _ in range(3)]
    held = Prepared(text("SELECT count(*), min(statement) FROM pg_prepared_statements"))
    assert database.read(lambda connection: held.rows(connection, {})) == [(3, "SELECT 5")]


def test_whoever_uses_the_engine_itself_is_in_a_transaction(database: Database) -> None:
    with database.engine.connect() as connection:
        Prepared(text("CREATE TABLE test_taken_back (id BIGINT)")).run(connection, {})
        connection.rollback()
        found = Prepared(text("SELECT to_regclass('test_taken_back')")).rows(connection, {})
    assert found == [(None,)]


def test_a_read_sees_one_snapshot_and_changes_nothing(database: Database) -> None:
    asked = Prepared(text("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"))
    assert database.read(lambda connection: asked.rows(connection, {})) == [("repeatable read", "on")]
    assert database.write(lambda connection: asked.rows(connection, {})) == [("read committed", "off")]
    generic = "SHOW transaction_isolation"
    assert database.read(lambda connection: connection.execute(text(generic)).scalar()) == "repeatable read"


LINES = Table("test_ahead", MetaData(), Column("id", BigInteger, primary_key=True, autoincrement=False))
ADD = Prepared(insert(LINES), LINES.columns)
ALL = Prepared(select(LINES.c.id).order_by(LINES.c.id))


@pytest.fixture
def lines(database: Database) -> Iterator[Database]:
    LINES.metadata.create_all(database.engine)
    yield database
    LINES.metadata.drop_all(database.engine)


def everything(database: Database) -> list[int]:
    return [id for (id,) in database.read(lambda connection: ALL.rows(connection, {}))]


def test_what_nobody_asks_about_is_sent_with_the_next_statement(lines: Database, postgresql_url: str) -> None:
    relay = Relay(postgresql_url)
    database = Database(relay.url, Terms(connections=2, prepare_threshold=None))
    database.write(lambda connection: ALL.rows(connection, {}))  # so that it is connected

    def work(connection: Connection) -> list[Any]:
        ADD.run(connection, {"id": 1})
        ADD.insert(connection, [(2,), (3,)])
        found = ALL.rows(connection, {})
        ADD.run(connection, {"id": 4})
        return list(found)

    before = (relay.statements, relay.exchanges)
    assert database.write(work) == [(1,), (2,), (3,)]
    after = (relay.statements, relay.exchanges)
    # BEGIN, two INSERT and SELECT; INSERT, the mark and COMMIT
    assert (after[0] - before[0], after[1] - before[1]) == (7, 2)
    database.close()
    relay.close()
    assert everything(lines) == [1, 2, 3, 4]


def test_what_goes_wrong_meanwhile_is_told_before_anything_is_committed(lines: Database) -> None:
    lines.write(lambda connection: ADD.run(connection, {"id": 1}))
    told: list[Exception] = []

    def asks(connection: Connection) -> None:
        ADD.run(connection, {"id": 1})
        ADD.run(connection, {"id": 2})
        try:
            ALL.rows(connection, {})
        except IntegrityError as error:
            told.append(error)
            raise

    def asks_nothing(connection: Connection) -> None:
        ADD.run(connection, {"id": 1})
        ADD.run(connection, {"id": 2})

    for work in (asks, asks_nothing):
        with pytest.raises(IntegrityError) as failed:
            lines.write(work)
        assert failed.value.statement is not None and failed.value.statement.startswith("INSERT INTO test_ahead")
        assert everything(lines) == [1]
    assert len(told) == 4  # a race is run so often


def test_in_a_savepoint_nothing_waits(lines: Database) -> None:
    def work(connection: Connection) -> None:
        ADD.run(connection, {"id": 1})
        with pytest.raises(IntegrityError), connection.begin_nested():
            ADD.run(connection, {"id": 2})
            ADD.run(connection, {"id": 2})
        ADD.run(connection, {"id": 3})

    lines.write(work)
    assert everything(lines) == [1, 3]


def test_a_work_that_fails_leaves_nothing_of_what_waited(lines: Database) -> None:
    def fails(connection: Connection) -> None:
        ADD.run(connection, {"id": 1})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lines.write(fails)
    lines.write(lambda connection: ADD.run(connection, {"id": 2}))
    lines.write(lambda connection: None)
    assert everything(lines) == [2]


def test_whoever_uses_a_cursor_sees_what_waited(lines: Database) -> None:
    def work(connection: Connection) -> list[int]:
        ADD.run(connection, {"id": 1})
        return list(connection.execute(select(LINES.c.id)).scalars())

    assert lines.write(work) == [1]


def test_many_wait_for_one_and_no_longer(lines: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "MOST_AHEAD", 3)

    def work(connection: Connection) -> None:
        for number in range(20):
            ADD.run(connection, {"id": number})

    lines.write(work)
    assert everything(lines) == list(range(20))


def test_a_limit_of_time_that_waits_holds_for_the_statement_after_it(database: Database) -> None:
    sleep = Prepared(text("SELECT pg_sleep(20)"))

    def work(connection: Connection) -> None:
        with time_limit(connection, 0.05):
            sleep.rows(connection, {})

    with pytest.raises(TookTooLong):
        database.read(work)


def test_a_selection_whose_plan_varies_is_never_prepared(lines: Database) -> None:
    held = Prepared(text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT test_ahead%'"))

    def prepared(selection: Selection) -> int:
        def work(connection: Connection) -> Any:
            for _ in range(4):
                assert selection.rows(connection, {"wanted": 7}) == []
            return held.rows(connection, {})[0][0]

        return int(lines.read(work))

    wanted = select(LINES.c.id).where(LINES.c.id == bindparam("wanted", type_=BigInteger))
    assert prepared(Selection(wanted, varies=True)) == 0
    assert prepared(Selection(wanted)) == 1


def test_nobody_waits_for_the_end_of_a_read_and_nothing_of_it_stays(lines: Database) -> None:
    pid, others = (Prepared(text(f"SELECT {each}")) for each in ("pg_backend_pid()", "count(*) FROM test_ahead"))
    state = Prepared(text("SELECT state FROM pg_stat_activity WHERE pid = :pid"))
    [[reader]] = lines.read(lambda connection: pid.rows(connection, {}))
    lines.write(lambda connection: ADD.run(connection, {"id": 1}))
    assert lines.read(lambda connection: others.rows(connection, {})) == [(1,)], "a snapshot of its own"
    with lines.engine.connect() as beside:
        asked = "SELECT state FROM pg_stat_activity WHERE pid = " + str(reader)
        while beside.exec_driver_sql(asked).scalar() != "idle":  # soon, and not in a transaction
            beside.rollback()
    assert lines.write(lambda connection: state.rows(connection, {"pid": reader})) == [("active",)], "the same again"


def test_a_work_that_says_nothing_leaves_the_answer_of_the_one_before(lines: Database) -> None:
    for ends in (lines.read, lines.write):
        assert everything(lines) == []
        ends(lambda _: None)
        ends(lambda _: None)
    assert everything(lines) == []


def test_a_connection_that_goes_back_to_the_pool_is_in_no_transaction(postgresql_url: str) -> None:
    database = Database(postgresql_url, Terms(connections=1))  # none stays at hand
    asked = Prepared(text("SELECT pg_current_xact_id_if_assigned()"))
    for _ in range(3):
        assert database.read(lambda connection: asked.rows(connection, {})) == [(None,)]
        with database.engine.begin() as connection:
            assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    assert database.connections().in_use == 0
    database.close()
