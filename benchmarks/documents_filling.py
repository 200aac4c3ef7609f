"""A registry of any size in SQLite or PostgreSQL: rows of ``documents_bulk`` by executemany or COPY, the rest by SQL.

Objects, and patients with as much of the index as resolves their ids, are written in the order of their keys. What
finds an object (locators, ledger, the repository's table) is made of a table of all objects by one statement each, in
the order of its key, so these tables and their indexes are packed; years of submissions would leave them looser. The
repository's rows name documents whose bytes nobody has.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path

import psycopg
from sqlalchemy import create_engine

from affinity.migrations import upgrade
from benchmarks import messages
from benchmarks.bulk import AT
from benchmarks.documents_bulk import COLUMNS, OBJECT, TABLES, Values, patient_id, patients, rows
from benchmarks.filling import CACHE, drop_indexes
from xds.tables import association

PROCESSES = 2
"""That write to PostgreSQL at the same time."""
SORTING = "512MB"
"""Memory in which each of them sorts."""
OBJECTS = "bulk_object"
MAKE_OBJECTS = (
    "CREATE TABLE {name} (entry_uuid text, kind text, patient_key bigint, id bigint, unique_id text, hash text, "
    "size bigint)"
)
FOUND_BY = (
    "INSERT INTO object_locator (entry_uuid, kind, patient_key, id) "
    f"SELECT entry_uuid, kind, patient_key, id FROM {OBJECTS} ORDER BY entry_uuid",
    "INSERT INTO unique_id_locator (unique_id, entry_uuid, kind, patient_key, id) "
    f"SELECT unique_id, entry_uuid, kind, patient_key, id FROM {OBJECTS} "
    "WHERE unique_id IS NOT NULL ORDER BY unique_id, entry_uuid",
    "INSERT INTO uid_ledger (unique_id, kind, hash, size) "
    f"SELECT unique_id, kind, hash, size FROM {OBJECTS} WHERE unique_id IS NOT NULL ORDER BY unique_id",
    "INSERT INTO document (repository_unique_id, unique_id, sha256, sha1, size, mime_type, stored_at) "
    f"SELECT '{messages.DOMAIN.repository_unique_id}', unique_id, hash || substr(hash, 1, 24), hash, size, "
    f"'text/plain', '2026-01-01 00:00:00.000000' FROM {OBJECTS} WHERE kind = 'DOCUMENT_ENTRY' ORDER BY unique_id",
)
RECORD = ("key", "authority", "id", "type_code", "announced", "source", "updated", "demographics", "family", "given")
LINK = ("number", "record", "person", "reason", "event")
Inserted = tuple[str, Sequence[str], Iterable[Values]]


def fill_sqlite(file: Path, documents: int) -> None:
    """Make a database with so many documents, without care for a crash: it is made anew.

    The table of all objects is in a file of its own meanwhile, so that it leaves no hole.
    """
    _migrate(f"sqlite:///{file}")
    objects = file.with_suffix(".objects")
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"ATTACH '{objects}' AS aside")
    for schema in ("main", "aside"):
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            connection.execute(f"PRAGMA {schema}.{pragma}")
    for pragma in (f"cache_size=-{CACHE // 1024}", "threads=2"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(MAKE_OBJECTS.format(name=f"aside.{OBJECTS}"))
    indexes = drop_indexes(connection, association)
    connection.execute("BEGIN")
    for table, columns, values in _inserted(documents, (0, 1)):
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
    for statement in (*indexes, *FOUND_BY):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    objects.unlink()


def fill_postgresql(url: str, uri: str, documents: int) -> None:
    """Fill an empty database, named as SQLAlchemy (``url``) and as libpq (``uri``) name it."""
    _migrate(url)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(MAKE_OBJECTS.format(name=OBJECTS).encode())
        _vacuum_by_itself(connection, "off")
        with get_context("spawn").Pool(PROCESSES) as pool:
            pool.starmap(copy_share, [(uri, documents, (number, PROCESSES)) for number in range(PROCESSES)])
            pool.starmap(run, [(uri, statement) for statement in FOUND_BY], chunksize=1)
        connection.execute(f"DROP TABLE {OBJECTS}".encode())
        connection.execute("VACUUM ANALYZE")
        _vacuum_by_itself(connection, "on")
        connection.execute("CHECKPOINT")


def copy_share(uri: str, documents: int, share: tuple[int, int]) -> None:
    """What one process copies: one patient of so many."""
    with psycopg.connect(uri) as connection, connection.cursor() as cursor:
        for table, columns, values in _inserted(documents, share):
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as stream:
                for each in values:
                    stream.write_row(each)


def run(uri: str, statement: str) -> None:
    """Run one statement that may sort much."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"SET work_mem = '{SORTING}'".encode())
        connection.execute(statement.encode())


def _vacuum_by_itself(connection: psycopg.Connection, state: str) -> None:
    """Whether the server looks through tables while they are written; all are looked through at the end."""
    connection.execute(f"ALTER SYSTEM SET autovacuum = {state}".encode())
    connection.execute("SELECT pg_reload_conf()")


def _inserted(documents: int, share: tuple[int, int]) -> Iterator[Inserted]:
    """Rows table by table, as many at once as fit in memory easily."""
    number, shares = share
    keys = range(1, patients(documents) + 1)
    own = [key for key in keys if key % shares == number]
    yield "pix_record", RECORD, (_record(key) for key in own)
    yield "pix_link", LINK, ((key, key, key, "alone", key) for key in own)
    for made in rows(documents, share=share):
        for kind, table in TABLES.items():
            yield table.name, COLUMNS[kind], made.tables[kind]
        yield OBJECTS, OBJECT, made.objects


def _record(key: int) -> Values:
    """A patient of whom nothing but a name is known; nobody searches for it."""
    family, given = messages.FAMILIES[key % 10], messages.GIVEN[key // 10 % 10]
    known = f'{{"names":[{{"family":"{family}","given":"{given}"}}]}}'
    identified = (messages.RED.universal_id, patient_id(key), "PI")
    return (key, *identified, True, "LIS|LAB", AT, known, family.lower(), given.lower())


def _migrate(url: str) -> None:
    engine = create_engine(url)
    upgrade(engine)
    engine.dispose()
