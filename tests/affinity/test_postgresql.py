"""PostgreSQL that goes away, is slow or full of work: what was committed is known, and nothing is said that is not."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from affinity import commit_marks
from affinity.commit_marks import Mark
from affinity.database import Database
from affinity.outages import InDoubt, Outage, Trouble, Unavailable
from affinity.tables_commits import commit_mark
from affinity.terms import Terms
from statements.prepared import Prepared
from tests.affinity.cutting import Cut, CuttingProxy

NOTES = Table("test_line", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False))
ADD = Prepared(insert(NOTES), NOTES.columns)
PATIENT = Terms(connections=4, wait=2, patience=2, statement=20)


@pytest.fixture
def notes(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url, PATIENT)
    NOTES.metadata.create_all(database.engine)
    yield database
    NOTES.metadata.drop_all(database.engine)
    database.close()


@pytest.fixture
def proxy(postgresql_url: str, notes: Database) -> Iterator[CuttingProxy]:
    opened = CuttingProxy(postgresql_url)
    yield opened
    opened.close()


@pytest.fixture
def behind(proxy: CuttingProxy) -> Iterator[Database]:
    """The database by way of the proxy."""
    database = Database(proxy.url, PATIENT)
    yield database
    database.close()


def adding(number: int, runs: list[int]) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        runs.append(number)
        connection.execute(insert(NOTES).values(id=number))
        return number

    return work


def numbers(database: Database) -> list[int]:
    return database.read(lambda connection: list(connection.execute(select(NOTES.c.id)).scalars()))


def test_a_commit_whose_answer_is_lost_is_found_and_not_done_again(
    notes: Database, behind: Database, proxy: CuttingProxy
) -> None:
    runs: list[int] = []
    proxy.next = Cut.AFTER
    assert behind.write(adding(1, runs)) == 1
    assert (runs, numbers(notes), proxy.cuts) == ([1], [1], 1)


def test_a_commit_that_never_arrived_is_done_again(notes: Database, behind: Database, proxy: CuttingProxy) -> None:
    runs: list[int] = []
    proxy.next = Cut.BEFORE
    assert behind.write(adding(1, runs)) == 1
    assert (runs, numbers(notes), proxy.cuts) == ([1, 1], [1], 1)


@pytest.mark.parametrize(("cut", "times"), [(Cut.BEFORE, 2), (Cut.AFTER, 1)])
def test_what_waits_for_the_commit_shares_its_fate(
    notes: Database, behind: Database, proxy: CuttingProxy, cut: Cut, times: int
) -> None:
    runs: list[int] = []

    def work(connection: Connection) -> None:
        runs.append(1)
        ADD.run(connection, {"id": 1})

    proxy.next = cut
    behind.write(work)
    assert (len(runs), numbers(notes), proxy.cuts) == (times, [1], 1)


def test_what_fails_with_the_commit_is_not_in_doubt(postgresql_url: str, notes: Database) -> None:
    database = Database(postgresql_url, Terms(connections=1, patience=2))
    database.write(lambda connection: ADD.run(connection, {"id": 1}))
    marks = select(func.count()).select_from(commit_mark)

    def count(connection: Connection) -> int:
        return connection.execute(marks).scalar_one()

    before = notes.read(count)
    with pytest.raises(IntegrityError):
        database.write(lambda connection: ADD.run(connection, {"id": 1}))
    assert notes.read(count) == before, "nobody had to ask for a mark, or set one"
    database.write(lambda connection: ADD.run(connection, {"id": 2}))
    assert numbers(database) == [1, 2]
    database.close()


def test_where_nobody_can_be_asked_neither_success_nor_failure_is_claimed(notes: Database, proxy: CuttingProxy) -> None:
    database = Database(proxy.url, Terms(patience=0.3))
    proxy.next = Cut.GONE
    with pytest.raises(InDoubt):
        database.write(adding(1, []))
    assert database.connections().away > 0
    database.close()


def test_a_question_that_is_cut_itself_is_asked_again(notes: Database, behind: Database, proxy: CuttingProxy) -> None:
    """The first answer to the question was committed: it must not be taken for the commit that was asked for."""
    runs: list[int] = []

    def work(connection: Connection) -> None:
        adding(1, runs)(connection)
        if len(runs) == 1:
            proxy.next = Cut.BEFORE
            cut_questions(proxy)

    behind.write(work)
    assert (runs, numbers(notes), proxy.cuts) == ([1, 1], [1], 2)


def cut_questions(proxy: CuttingProxy) -> None:
    """Have the question after the cut commit cut as well, once the server has done it."""
    cut = proxy._cut

    def cut_again(sent: bytes, server: socket.socket, client: socket.socket) -> None:
        proxy._cut = cut  # type: ignore[method-assign]
        cut(sent, server, client)
        proxy.next = Cut.AFTER

    proxy._cut = cut_again  # type: ignore[method-assign]


def test_whoever_asks_for_a_commit_that_was_not_made_prevents_it(notes: Database) -> None:
    mark = Mark()
    assert not notes.write(lambda connection: commit_marks.was_committed(connection, mark))
    assert not notes.write(lambda connection: commit_marks.was_committed(connection, mark))
    values = {"at": mark.at, "nonce": mark.nonce, "committed": True}
    with pytest.raises(IntegrityError):
        notes.write(lambda connection: connection.execute(insert(commit_mark).values(values)))


def test_whoever_asks_waits_for_a_transaction_that_is_under_way(notes: Database) -> None:
    mark = Mark()
    values = {"at": mark.at, "nonce": mark.nonce, "committed": True}
    with notes.engine.connect() as slow, ThreadPoolExecutor(1) as pool:
        slow.execute(insert(commit_mark).values(values))
        asked = pool.submit(notes.write, lambda connection: commit_marks.was_committed(connection, mark))
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'")
        while not notes.read(lambda connection: connection.execute(waiting).scalar_one()):
            pass
        slow.commit()
        assert asked.result(10)


def test_a_connection_that_the_server_ended_is_replaced_and_the_work_done_again(notes: Database) -> None:
    runs: list[int] = []

    def ended_once(connection: Connection) -> int:
        adding(1, runs)(connection)
        if len(runs) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return len(runs)

    assert notes.write(ended_once) == 2
    assert numbers(notes) == [1]


def test_a_connection_that_ends_before_the_commit_with_which_it_was_sent_is_replaced(notes: Database) -> None:
    ends = Prepared(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    runs: list[int] = []

    def ended_once(connection: Connection) -> None:
        runs.append(1)
        ADD.run(connection, {"id": 1})
        if len(runs) == 1:
            ends.run(connection, {})
            ADD.run(connection, {"id": 2})

    notes.write(ended_once)
    assert (len(runs), numbers(notes)) == (2, [1])


def test_a_read_is_done_again_as_well(notes: Database) -> None:
    runs: list[int] = []

    def ended_once(connection: Connection) -> int:
        runs.append(1)
        if len(runs) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return int(connection.execute(select(func.count()).select_from(NOTES)).scalar_one())

    assert notes.read(ended_once) == 0


def test_idle_connections_that_a_restart_has_cut_are_no_errors(notes: Database) -> None:
    held = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda _: notes.read(lambda connection: (connection.execute(text("SELECT 1")), held.wait(10))), range(4)
            )
        )
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'affinity'"
    )
    with notes.engine.connect() as connection:
        connection.execute(text(others))
    for number in range(8):
        assert notes.write(adding(number, [])) == number


def test_a_command_reads_once_and_is_told_what_the_server_said(notes: Database) -> None:
    database = Database(notes.url)
    runs: list[int] = []

    def ended(connection: Connection) -> None:
        runs.append(1)
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(OperationalError, match="terminating connection"):
        database.read(ended)
    assert runs == [1]
    database.close()


def test_a_full_pool_says_so_in_time(postgresql_url: str) -> None:
    database = Database(postgresql_url, Terms(connections=2, wait=0.05, patience=1))
    held, release = threading.Barrier(3), threading.Event()

    def hold(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))
        held.wait(10)
        release.wait(10)

    with ThreadPoolExecutor(2) as pool:
        holding = [pool.submit(database.write, hold) for _ in range(2)]
        held.wait(10)
        numbers = database.connections()
        with pytest.raises(Unavailable) as caught:
            database.read(lambda connection: None)
        release.set()
        assert [each.result() for each in holding] == [None, None]
    assert caught.value.trouble is Trouble.BUSY
    assert (numbers.in_use, numbers.most) == (2, 2)
    assert database.connections().in_use == 0
    database.close()


def test_a_statement_that_takes_too_long_is_ended(postgresql_url: str) -> None:
    database = Database(postgresql_url, Terms(statement=0.05, patience=1))
    with pytest.raises(Unavailable) as caught:
        database.write(lambda connection: connection.execute(text("SELECT pg_sleep(20)")))
    assert caught.value.trouble is Trouble.SLOW
    database.close()


@pytest.mark.parametrize(
    "ask", [Prepared(select(NOTES.c.id)).rows, lambda connection, _: connection.execute(text("SELECT 1"))]
)
def test_a_server_that_falls_silent_is_asked_anew(
    notes: Database, proxy: CuttingProxy, ask: Callable[[Connection, dict[str, object]], object]
) -> None:
    """Its connections stay, as those to a pooler, or to processes that are halted: no limit of its own holds."""
    database = Database(proxy.url, Terms(statement=0.5, silence=0.5, patience=20))
    work = lambda connection: (ask(connection, {}), 1)[1]  # noqa: E731
    assert database.read(work) == 1
    proxy.fall_silent()
    assert database.read(work) == 1
    database.close()


def test_a_server_that_is_not_there_is_waited_for_once_by_all_together() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    database = Database(f"postgresql+psycopg://127.0.0.1:{port}/affinity", Terms(patience=0.2, connect=2))
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            database.write(lambda connection: None)
        assert caught.value.trouble is Trouble.AWAY
    database.close()


def test_the_patience_of_all_begins_with_the_first_who_noticed() -> None:
    now = [0.0]
    outage = Outage(1, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert outage.wait()
    assert now == [0.0]  # a connection that was cut is replaced at once
    while outage.wait():
        pass
    assert now[0] == pytest.approx(1)
    assert not outage.wait()
    outage.over()
    assert (outage.seconds, outage.wait()) == (0, True)


def test_nothing_is_prepared_where_a_pooler_would_lose_it(postgresql_url: str) -> None:
    held = {}
    for threshold in (None, 0):
        database = Database(postgresql_url, Terms(prepare_threshold=threshold))
        count = Prepared(text("SELECT count(*) FROM pg_prepared_statements"))
        held[threshold] = [database.read(lambda connection: count.rows(connection, {})) for _ in range(3)]  # noqa: B023
        database.close()
    assert held[None] == [[(0,)], [(0,)], [(0,)]]
    assert held[0] == [[(1,)], [(1,)], [(1,)]]


def test_marks_are_forgotten_the_oldest_first(notes: Database) -> None:
    from datetime import UTC, datetime

    old = Mark(at=1, nonce=7)
    values = {"at": old.at, "nonce": old.nonce, "committed": True}
    notes.write(lambda connection: connection.execute(insert(commit_mark).values(values)))
    before = datetime.fromtimestamp(1, UTC)
    assert notes.write(lambda connection: commit_marks.purge(connection, before)) == 1
    assert notes.write(lambda connection: commit_marks.purge(connection, before)) == 0
    assert notes.read(lambda connection: connection.execute(select(func.count()).select_from(commit_mark)).scalar_one())
