"""The database of a node for a program that is no server: the data directory is locked, the tables are migrated."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from affinity.console import note_use
from affinity.data_directory import UnusableData, lock_data
from affinity.database import Database
from affinity.node import open_database
from affinity.settings import Settings
from affinity.terms import of_command


@contextmanager
def at_rest(settings: Settings) -> Iterator[Database]:
    """No server may work in the data directory meanwhile. Raises UnusableData."""
    _check(settings)
    lock = lock_data(settings.data)
    try:
        with regardless(settings) as database:
            yield database
    finally:
        os.close(lock)


@contextmanager
def beside(settings: Settings) -> Iterator[Database]:
    """On PostgreSQL servers may run meanwhile; on SQLite a second writer would believe that it writes alone."""
    opened = at_rest if _is_sqlite(settings) else regardless
    with opened(settings) as database:
        yield database


@contextmanager
def regardless(settings: Settings) -> Iterator[Database]:
    """Servers may run meanwhile: for reading, and for what no change of a patient looks at. Raises UnusableData."""
    with unnoted(settings) as database:
        note_use(settings, database)
        yield database


@contextmanager
def unnoted(settings: Settings) -> Iterator[Database]:
    """The same for who writes an audit record of its own."""
    _check(settings)
    database = open_database(settings, of_command(settings))
    try:
        yield database
    finally:
        database.close()


def _check(settings: Settings) -> None:
    """A mistyped directory is not made, and answered with nothing."""
    if not settings.data.is_dir():
        raise UnusableData(f"{settings.data} is no data directory of a node; name it with --data")
    file = make_url(settings.database).database
    if _is_sqlite(settings) and not Path(file or "").is_file():
        raise UnusableData(f"{file} is not there: no server has run on {settings.data} yet")


def _is_sqlite(settings: Settings) -> bool:
    return make_url(settings.database).get_backend_name() == "sqlite"
