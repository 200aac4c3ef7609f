"""A new database has the very tables that migrations make of an old one: those that the code declares."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from affinity.database import Database
from affinity.migrations import HEAD, MARK, TURN, config, is_up_to_date, upgrade
from affinity.schema import METADATA

DECLARED = text("SELECT name, sql FROM sqlite_master ORDER BY name")
CATALOGUES = (
    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity, "
    "collation_name FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",  # is_nullable says it
    "SELECT relname, relkind, relpersistence, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "SELECT sequencename, data_type::text, start_value, increment_by, max_value FROM pg_sequences",
)


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'some.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def on_postgresql(empty_postgresql: str) -> Iterator[Engine]:
    engine = create_engine(empty_postgresql)
    yield engine
    engine.dispose()


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.getfixturevalue(request.param)
    return chosen


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), list(METADATA)))  # type: ignore[arg-type]


def test_a_new_database_has_the_tables_that_the_code_declares(engine: Engine) -> None:
    upgrade(engine)
    upgrade(engine)
    assert is_up_to_date(engine)
    assert differences(engine) == []


def test_an_old_database_comes_to_the_tables_that_the_code_declares(engine: Engine) -> None:
    command.upgrade(config(engine), "0001")
    upgrade(engine)
    upgrade(engine)
    assert is_up_to_date(engine)
    assert differences(engine) == []


def test_new_and_migrated_differ_in_the_order_of_columns_alone_on_sqlite(on_sqlite: Engine, tmp_path: Path) -> None:
    new = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(new)
    command.upgrade(config(on_sqlite), "head")
    assert in_sqlite(new) == in_sqlite(on_sqlite)


def test_new_and_migrated_differ_in_the_order_of_columns_alone_on_postgresql(on_postgresql: Engine) -> None:
    upgrade(on_postgresql)
    new = in_postgresql(on_postgresql)
    with on_postgresql.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    command.upgrade(config(on_postgresql), "head")
    assert new == in_postgresql(on_postgresql)


def in_sqlite(engine: Engine) -> dict[str, list[str]]:
    """What was declared, by name: the lines of a definition in the order of the alphabet."""
    with engine.connect() as connection:
        return {name: lines(sql or "") for name, sql in connection.execute(DECLARED)}


def lines(definition: str) -> list[str]:
    """What stands between commas that stand in no parentheses but the outermost."""
    head, _, body = " ".join(definition.replace('"', "").split()).partition("(")
    return [head, *sorted(each.strip() for each in re.split(r",(?![^()]*\)[^()]*\()|\)(?=[^()]*$)", body))]


def in_postgresql(engine: Engine) -> list[list[str]]:
    with engine.connect() as connection:
        return [sorted(map(repr, connection.execute(text(each)))) for each in CATALOGUES]


def test_a_new_database_that_cannot_be_finished_is_left_as_it_was(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    last = METADATA[-1].sorted_tables[-1].name
    with database.engine.begin() as connection:
        connection.execute(text(f"CREATE VIEW {last} AS SELECT 1"))
    with pytest.raises(OperationalError, match="already exists"):
        upgrade(database.engine)
    assert in_sqlite(database.engine).keys() == {last}
    database.close()


def test_of_two_nodes_that_start_at_once_the_second_waits_beyond_its_limit_for_statements(
    empty_postgresql: str, on_postgresql: Engine
) -> None:
    limited = create_engine(f"{empty_postgresql}&options=-cstatement_timeout%3D1000")
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event = 'advisory' AND clock_timestamp() - query_start > interval '1.2 seconds'"
    )
    with ThreadPoolExecutor(1) as pool:
        with on_postgresql.begin() as first, on_postgresql.connect() as watching:
            watching.execution_options(isolation_level="AUTOCOMMIT")
            first.execute(text(f"SELECT pg_advisory_xact_lock({TURN})"))
            second = pool.submit(upgrade, limited)
            while not watching.scalar(waiting):
                assert not second.done(), "it did not wait"
            for metadata in (*METADATA, MARK.metadata):
                metadata.create_all(first, checkfirst=False)
            first.execute(MARK.insert().values(version_num=HEAD))
        second.result()
    assert is_up_to_date(on_postgresql)
    limited.dispose()


def test_a_database_named_relative_to_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = create_engine("sqlite:///here.db")
    command.upgrade(config(engine), "0001")
    upgrade(engine)
    assert differences(engine) == []
    assert (tmp_path / "here.db").exists()


def test_the_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    assert ScriptDirectory.from_config(config(create_engine("sqlite://"))).get_heads() == [HEAD]
