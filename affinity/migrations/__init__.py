"""Schema migrations (alembic); ``upgrade`` brings a database to this version's tables."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)

if TYPE_CHECKING:
    from alembic.config import Config

URL = "AFFINITY_MIGRATE_URL"
"""The environment variable by which the child learns the database: a command line could be read by anybody."""
TURN = 2_600_000_001
"""The number of the advisory lock of whoever makes or migrates tables."""
HEAD = "0031"
"""The newest revision in ``versions``."""
MARK = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where alembic keeps the revision of a database."""


def config(engine: Engine) -> "Config":
    """Alembic's configuration without an ini file, bound to an open engine."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine) -> None:
    """Create or migrate every table; does nothing to a database that is up to date."""
    if is_up_to_date(engine):
        return
    with _in_turn(engine):
        if is_up_to_date(engine):
            return
        if inspect(engine).get_table_names():
            _migrate(engine)
        else:
            _create(engine)


@contextmanager
def _in_turn(engine: Engine) -> Iterator[None]:
    """Let nodes that start at the same time on one PostgreSQL do this one after the other; SQLite has one node.

    Whoever waits may do so for longer than a statement of a request: a migration may take minutes.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(TURN)))
        yield


def _create(engine: Engine) -> None:
    """Make the tables of a new database as the code declares them, all or none.

    Migrations would make the same ones, but look for much that is not there: that takes ten times as long.
    """
    from affinity.schema import METADATA

    with engine.begin() as connection:
        for metadata in (*METADATA, MARK.metadata):
            metadata.create_all(connection, checkfirst=False)
        connection.execute(insert(MARK).values(version_num=HEAD))


def _migrate(engine: Engine) -> None:
    """Have alembic do it, in a process of its own: it takes 9 MB of memory, which a node would never give back.

    Raises subprocess.CalledProcessError, with the child's words on standard error.
    """
    url = engine.url.render_as_string(hide_password=False)
    here = os.pathsep.join((str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")))
    environment = {**os.environ, "PYTHONPATH": here, URL: url}
    subprocess.run([sys.executable, "-m", "affinity.migrations"], env=environment, check=True)


def is_up_to_date(engine: Engine) -> bool:
    """Claim that the database has this version's tables."""
    return _revision(engine) == HEAD


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table(MARK.name):
        return None
    with engine.connect() as connection:
        return connection.execute(select(MARK.c.version_num)).scalar_one_or_none()
