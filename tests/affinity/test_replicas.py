"""Real streaming replication: a replica answers when it is near enough, and nobody misses what they changed or saw."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
)
from structlog.testing import capture_logs

from affinity.audited_database import AuditedDatabase
from affinity.auditing import Auditor
from affinity.database import Database
from affinity.floors import Floors
from affinity.outages import InDoubt, Trouble, Unavailable
from affinity.replicas import REST, Identity, NotHere, Replicas, identity_of
from affinity.schema import METADATA
from affinity.slow_queries import watch
from affinity.terms import Terms
from atna.trail import AuditTrail
from hl7v2.er7 import parse
from ihe.exchange import Exchange
from ihe.transactions import Actor
from pix.iti9 import ITI_9
from pix.iti30 import ITI_30
from statements.prepared import Prepared
from tests.atna.test_atna_seam import DOMAIN
from tests.atna.trail import NODE
from tests.servers import Server, directories

NOTES = Table("test_seen", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False))
LAG = 60
RECOVERS = select(func.pg_is_in_recovery())


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    """A primary with every table, and a standby that streams."""
    with directories(2) as (first, second):
        primary = Server(first)
        primary.create()
        engine = create_engine(primary.url())
        for metadata in (*METADATA, NOTES.metadata):
            metadata.create_all(engine)
        engine.dispose()
        yield primary, primary.copy_to(second)


@dataclass
class Stage:
    """A primary and its replica, and what is asked of them."""

    primary: Server
    standby: Server
    database: Database
    numbers: list[int] = field(default_factory=list)

    def write(self, asker: str) -> int:
        """Add a row for ``asker``; its number."""
        (before,) = self.primary.ask("SELECT coalesce(max(id), 0) FROM test_seen")[0]
        self.database.write(lambda connection: connection.execute(insert(NOTES).values(id=before + 1)), asker)
        return int(before) + 1

    def seen(self, asker: str | None) -> tuple[str, int]:
        """Who answered ``asker``, and the newest row that they showed."""

        def work(connection: Connection) -> tuple[str, int]:
            recovers = connection.execute(RECOVERS).scalar_one()
            return ("replica" if recovers else "primary"), int(connection.execute(func.max(NOTES.c.id)).scalar_one())

        return self.database.read(work, asker)

    def catch_up(self) -> None:
        """Return once the replica has replayed everything."""
        (reached,) = self.primary.ask("SELECT pg_current_wal_insert_lsn()")[0]
        self.primary.ask("SELECT pg_switch_wal()")
        while not self.standby.ask(f"SELECT pg_last_wal_replay_lsn() >= '{reached}'")[0][0]:
            pass


@pytest.fixture
def stage(servers: tuple[Server, Server], tmp_path: Path) -> Iterator[Stage]:
    primary, standby = servers
    terms = Terms(patience=2, replicas=(standby.url(),), lag=LAG, floors=tmp_path / "floors")
    database = Database(primary.url(), terms)
    yield Stage(primary, standby, database)
    database.close()
    standby.ask("SELECT pg_wal_replay_resume()")


def test_a_replica_that_is_near_answers(stage: Stage) -> None:
    number = stage.write("LAB")
    stage.catch_up()
    assert stage.seen("WARD") == ("replica", number)
    assert stage.seen("LAB") == ("replica", number)


def test_a_slow_statement_of_a_replica_is_told(stage: Stage) -> None:
    stage.write("LAB")
    stage.catch_up()
    newest = Prepared(select(func.pg_is_in_recovery(), func.max(NOTES.c.id)))
    assert stage.database.read(lambda connection: newest.rows(connection, {}), "LAB")[0][0], "it is asked already"
    watch(stage.database.engines, 1e-9)
    with capture_logs() as told:
        assert stage.database.read(lambda connection: newest.rows(connection, {}), "LAB")[0][0]
    [only] = [each["statement"] for each in told if each["event"] == "slow query"]
    assert only.startswith("SELECT pg_is_in_recovery()")


def test_what_is_asked_without_a_partner_is_asked_of_the_primary(stage: Stage) -> None:
    stage.write("LAB")
    stage.catch_up()
    assert stage.seen(None)[0] == "primary"


def test_whoever_changed_something_sees_it_and_others_may_see_it_later(stage: Stage) -> None:
    before = stage.write("LAB")
    stage.catch_up()
    assert stage.seen("WARD") == ("replica", before)
    stage.standby.ask("SELECT pg_wal_replay_pause()")
    number = stage.write("LAB")
    assert stage.seen("LAB") == ("primary", number)
    assert stage.seen("WARD") == ("replica", before)


def test_a_node_that_has_not_heard_of_the_primary_lately_asks_it(stage: Stage) -> None:
    stage.catch_up()
    assert stage.database.read(lambda connection: connection.execute(RECOVERS).scalar_one(), "WARD") is False


def test_nobody_goes_back_behind_what_was_replayed_just_before_their_answer(stage: Stage, tmp_path: Path) -> None:
    """The replica replays more between being asked how far it is and the first statement of a query."""
    stage.write("LAB")
    stage.catch_up()
    stage.seen("ANYBODY")  # the first question is whether it is a replica of this database
    newest: list[int] = []

    def work(connection: Connection) -> int:
        newest.append(stage.write("LAB"))
        stage.catch_up()
        return int(connection.execute(func.max(NOTES.c.id)).scalar_one())

    assert stage.database.read(work, "WARD") == newest[0]
    floors = Floors(tmp_path / "floors")
    assert floors.of("WARD") >= floors.of("LAB")
    floors.close()


def test_a_replica_that_is_away_is_not_missed(servers: tuple[Server, Server], tmp_path: Path) -> None:
    primary, _ = servers
    nobody = f"postgresql+psycopg://postgres@/postgres?host={tmp_path}"
    terms = Terms(patience=2, replicas=(nobody,), lag=LAG, floors=tmp_path / "floors")
    stage = Stage(primary, primary, Database(primary.url(), terms))
    number = stage.write("LAB")
    assert stage.seen("LAB") == ("primary", number)
    assert stage.database.connections().resting == 1
    stage.database.close()


def test_a_server_that_is_no_standby_is_no_replica(servers: tuple[Server, Server], tmp_path: Path) -> None:
    """It was promoted, and may hold other changes than the primary; here it is the primary itself."""
    primary, _ = servers
    terms = Terms(replicas=(primary.url(),), lag=LAG, floors=tmp_path / "floors")
    replicas = Replicas(terms, Floors(tmp_path / "floors"), lambda: Identity(database="", timeline=1))
    replicas.note("LAB", 1)
    with pytest.raises(NotHere):
        replicas.read("LAB", lambda connection: None)
    replicas.close()


def test_a_standby_of_another_database_is_no_replica(servers: tuple[Server, Server], tmp_path: Path) -> None:
    """It recovers, and its log stands where ours does: here it is another database of the same servers."""
    primary, standby = servers
    primary.ask("CREATE DATABASE other TEMPLATE postgres")
    other = standby.url().replace("/postgres?", "/other?")
    terms = Terms(patience=2, replicas=(other,), lag=LAG, floors=tmp_path / "floors")
    stage = Stage(primary, standby, Database(primary.url(), terms))
    number = stage.write("LAB")
    stage.catch_up()
    with capture_logs() as logs:
        assert stage.seen("LAB") == ("primary", number)
    assert [each["event"] for each in logs] == ["replica of another database not asked"]
    stage.database.close()


def test_a_defect_of_a_query_is_not_hidden_by_the_primary(stage: Stage) -> None:
    stage.write("LAB")
    stage.catch_up()
    with pytest.raises(Exception, match="no_such_table"):
        stage.database.read(lambda connection: connection.execute(text("SELECT 1 FROM no_such_table")), "LAB")


def replicas_of(
    standby: Server, primary: Server, directory: Path, clock: Callable[[], float]
) -> tuple[Replicas, Engine]:
    terms = Terms(replicas=(standby.url(),), lag=10, floors=directory / "floors")
    engine = create_engine(primary.url())

    def identity() -> Identity:
        with engine.connect() as connection:
            return identity_of(connection)

    return Replicas(terms, Floors(directory / "floors"), identity, clock), engine


def test_a_primary_of_before_that_came_back_with_what_was_lost_is_no_replica(tmp_path: Path) -> None:
    """Its log reaches further than that of the one that was promoted, and is another: it never followed."""
    with directories(2) as (first, second):
        old = Server(first)
        old.create()
        new = old.copy_to(second)
        new.kill()
        old.ask("CREATE TABLE lost AS SELECT generate_series(1, 10000)")
        old.kill()
        new.start()
        new.promote()
        old.follow(new)
        replicas, engine = replicas_of(old, new, tmp_path, lambda: 1000)
        replicas.note(None, 1)
        with capture_logs() as logs, pytest.raises(NotHere):
            replicas.read("WARD", lambda connection: "answered")
        assert [each["event"] for each in logs] == ["replica of another timeline not asked"]
        replicas.close()
        engine.dispose()


def test_a_standby_that_followed_a_promotion_is_a_replica(tmp_path: Path) -> None:
    with directories(2) as (first, second):
        old = Server(first)
        old.create()
        new = old.copy_to(second)
        old.stop()
        new.promote()
        old.follow(new)
        new.ask("CHECKPOINT")
        replicas, engine = replicas_of(old, new, tmp_path, lambda: 1000)
        replicas.note(None, 1)
        old.ask("CHECKPOINT")
        assert replicas.read("WARD", lambda connection: "answered") == "answered"
        replicas.close()
        engine.dispose()


def test_one_that_was_away_is_tried_by_one_request_at_a_time(tmp_path: Path, now: list[float]) -> None:
    """It takes connections and answers nobody: the others are answered by the primary meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        host, port = silent.getsockname()
        terms = Terms(replicas=(f"postgresql+psycopg://a@{host}:{port}/a",), lag=LAG, floors=tmp_path / "floors")
        replicas = Replicas(
            terms, Floors(tmp_path / "floors"), lambda: Identity(database="", timeline=1), lambda: now[0]
        )
        replicas.note(None, 1)
        failing = pool.submit(replicas.read, "WARD", lambda connection: None)
        silent.accept()[0].close()
        assert isinstance(failing.exception(), NotHere)
        now[0] += REST
        trying = pool.submit(replicas.read, "WARD", lambda connection: None)
        with silent.accept()[0], pytest.raises(NotHere):
            replicas.read("LAB", lambda connection: None)
        assert isinstance(trying.exception(), NotHere)
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()
        replicas.close()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def replicas(servers: tuple[Server, Server], tmp_path: Path, now: list[float]) -> Iterator[Replicas]:
    primary, standby = servers
    made, engine = replicas_of(standby, primary, tmp_path, lambda: now[0])
    yield made
    made.close()
    engine.dispose()


FAR = 2**60
"""A position that no replica has reached."""


def test_a_replica_that_is_further_behind_than_agreed_is_not_asked(replicas: Replicas, now: list[float]) -> None:
    replicas.note(None, 1)
    now[0] += 6
    replicas.note(None, FAR)
    assert replicas.read("WARD", lambda connection: "answered") == "answered"
    now[0] += 6  # the position of twelve seconds ago counts no more, that of six seconds ago does
    with pytest.raises(NotHere):
        replicas.read("WARD", lambda connection: None)


def test_nobody_goes_back_in_time(replicas: Replicas, tmp_path: Path) -> None:
    """Who was answered by one replica is not answered by another that is behind it."""
    replicas.note(None, 1)
    assert replicas.read("WARD", lambda connection: "answered") == "answered"
    assert Floors(tmp_path / "floors").of("WARD") > 1
    Floors(tmp_path / "floors").rise("WARD", FAR)
    with pytest.raises(NotHere):
        replicas.read("WARD", lambda connection: None)
    assert replicas.read("LAB", lambda connection: "answered") == "answered"


def test_floors_are_shared_and_only_rise(tmp_path: Path) -> None:
    here, there = Floors(tmp_path / "floors"), Floors(tmp_path / "floors")
    here.rise("LAB", 7)
    there.rise("LAB", 5)
    assert (here.of("LAB"), there.of("LAB"), there.of("WARD")) == (7, 7, 0)


def test_a_server_that_takes_no_changes_is_away_and_its_connections_are_given_up(
    servers: tuple[Server, Server],
) -> None:
    _, standby = servers
    database = Database(standby.url(), Terms(patience=0.3))
    made: list[object] = []
    event.listen(database.engine, "connect", lambda driver, _record: made.append(driver))
    with pytest.raises(Unavailable) as caught:
        database.write(lambda connection: connection.execute(insert(NOTES).values(id=-2)))
    assert caught.value.trouble is Trouble.AWAY
    assert len(made) > 1
    database.close()


@pytest.fixture
def unconfirmed(servers: tuple[Server, Server]) -> Iterator[Server]:
    """A primary whose commits wait for a standby that is not there."""
    primary, _ = servers
    primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    primary.ask("SELECT pg_reload_conf()")
    while primary.ask("SHOW synchronous_standby_names") != [("nobody",)]:
        pass
    yield primary
    primary.ask("ALTER SYSTEM RESET synchronous_standby_names")
    primary.ask("SELECT pg_reload_conf()")


def test_a_commit_that_no_standby_confirms_in_time_is_in_doubt(unconfirmed: Server) -> None:
    database = Database(unconfirmed.url(), Terms(statement=0.3, patience=0.1))
    with pytest.raises(InDoubt):
        database.write(lambda connection: connection.execute(insert(NOTES).values(id=-1)))
    database.close()


QUERY = parse(b"MSH|^~\\&|A|B|C|D|20260101||QBP^Q23^QBP_Q21|1|P|2.5\rQPD|IHE PIX Query|1|1\r")
ADT = parse(b"MSH|^~\\&|A|B|C|D|20260101||ADT^A28^ADT_A05|1|P|2.5\rPID|||1\r")


@pytest.mark.parametrize(("transaction", "wire", "who"), [(ITI_9, QUERY, "replica"), (ITI_30, ADT, "primary")])
def test_a_query_is_answered_by_the_replica_and_recorded_on_the_primary_before(
    stage: Stage, transaction: Any, wire: Any, who: str
) -> None:
    stage.write("other")
    stage.catch_up()
    trail = AuditTrail(database=stage.database, node=NODE)
    auditor = Auditor(trail, DOMAIN, frozenset({Actor.PIX_MANAGER}))
    exchange = Exchange(correlation_id="1", received_at=datetime.now(UTC), peer="192.0.2.7")
    ports = AuditedDatabase(stage.database)
    (before,) = stage.primary.ask("SELECT count(*) FROM audit_event")[0]
    with auditor.open(transaction, wire, exchange) as audited:
        answered = ports.read(lambda connection: connection.execute(RECOVERS).scalar_one())
        audited.refused("tried")
    assert answered is (who == "replica")
    assert stage.primary.ask("SELECT count(*) FROM audit_event") == [(before + 1,)]
