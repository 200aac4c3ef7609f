"""On the target, a PostgreSQL database that nobody uses yet: rows by COPY, indexes after, and how far it all is."""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import LargeBinary, Table, make_url

from affinity.moving.capture import TABLES

PROGRESS = """CREATE TABLE IF NOT EXISTS affinity_moving (name text PRIMARY KEY, reached text, ddl text[])"""
INDEXES = """SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON relname = indexname
    LEFT JOIN pg_constraint ON conindid = pg_class.oid
    WHERE schemaname = current_schema() AND tablename = ANY(%s) AND pg_constraint.oid IS NULL"""
UNIQUE = """SELECT relname, conname,
        format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', relname, conname, pg_get_constraintdef(pg_constraint.oid))
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE contype = 'u' AND relname = ANY(%s)"""
NAMES = [table.name for table in TABLES]


OTHERS = "the target was begun by another move, which was taken back: drop it, and make an empty one"


class NotEmpty(ValueError):
    """The target has rows that this move did not bring."""


class Target:
    """One connection; what it wrote counts once ``commit`` returns."""

    def __init__(self, url: str) -> None:
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._dsn = dsn
        self.connection = psycopg.connect(dsn)
        self.connection.execute("SET TIME ZONE 'UTC'")

    def begin(self, move: str | None) -> None:
        """Take the target for this move, or go on with it; None: a new one. Raises NotEmpty."""
        if self.connection.execute("SELECT to_regclass('affinity_moving')").fetchone() == (None,):
            for name in NAMES:
                if self.connection.execute(_sql("SELECT 1 FROM {} LIMIT 1", name)).fetchone():
                    raise NotEmpty(f"the target has rows in {name} already: move into an empty database")
        self.connection.execute(PROGRESS)
        if self.reached("move") not in (None, move):
            raise NotEmpty(OTHERS)
        self.commit()

    def reached(self, name: str) -> str | None:
        """How far a step came; None: it was not begun."""
        row = self.connection.execute("SELECT reached FROM affinity_moving WHERE name = %s", (name,)).fetchone()
        return row[0] if row else None

    def reach(self, name: str, reached: str, ddl: Iterable[str] = ()) -> None:
        """Note how far a step is, with what it has written."""
        self.connection.execute(
            "INSERT INTO affinity_moving VALUES (%s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET reached = excluded.reached",
            (name, reached, list(ddl)),
        )

    def drop_indexes(self) -> None:
        """Drop what only slows a COPY down; how to make it again is noted first, in the same transaction."""
        if self.reached("indexes") is not None:
            return
        constraints, indexes = (self.connection.execute(each, (NAMES,)).fetchall() for each in (UNIQUE, INDEXES))
        self.reach("indexes", "dropped", [definition for *_, definition in (*constraints, *indexes)])
        for table, name, _ in constraints:
            self.connection.execute(_sql("ALTER TABLE {} DROP CONSTRAINT {}", table, name))
        for name, _ in indexes:
            self.connection.execute(_sql("DROP INDEX {}", name))
        self.commit()

    def create_indexes(self) -> None:
        """Make them again, all or none."""
        if self.reached("indexes") == "made":
            return
        row = self.connection.execute("SELECT ddl FROM affinity_moving WHERE name = 'indexes'").fetchone()
        for statement in row[0] if row else ():
            self.connection.execute(statement)
        self.reach("indexes", "made")
        self.connection.execute("ANALYZE")
        self.commit()

    def copy(self, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows."""
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
        with self.connection.cursor() as cursor, cursor.copy(statement) as copying:
            for row in rows:
                copying.write_row(row)

    def forget(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> None:
        """Delete the rows of these keys."""
        columns = list(table.primary_key.columns)
        where = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(column.name)) for column in columns)
        statement = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(table.name), where)
        with self.connection.cursor() as cursor:
            cursor.executemany(statement, [_values(columns, key) for key in keys])

    def set_sequences(self) -> None:
        """Let numbers go on after those that were copied."""
        for table in TABLES:
            for column in table.columns:
                found = self.connection.execute(
                    "SELECT pg_get_serial_sequence(%s, %s)", (table.name, column.name)
                ).fetchone()
                if found and found[0]:
                    most = _sql("SELECT coalesce(max({}), 0) FROM {}", column.name, table.name)
                    newest = self.connection.execute(most).fetchone()
                    last = int(newest[0]) if newest else 0
                    self.connection.execute("SELECT setval(%s, %s, %s)", (found[0], max(last, 1), last > 0))
        self.commit()

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        row = self.connection.execute(_sql("SELECT count(*) FROM {}", table.name)).fetchone()
        return int(row[0]) if row else 0

    def freeze_view(self) -> None:
        """From now on read what is there now, whatever others write."""
        self.commit()
        self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        self.connection.execute("SELECT 1 FROM affinity_moving LIMIT 1")

    def everything(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Every row, not all in memory at once."""
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        with self.connection.cursor(name="moving") as cursor:
            cursor.itersize = 5_000
            cursor.execute(sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table.name)))
            yield from cursor

    def commit(self) -> None:
        """Make it durable."""
        self.connection.commit()

    def close(self) -> None:
        """Let go; what was not committed never was."""
        self.connection.close()


def _values(columns: Iterable[Any], key: tuple[Any, ...]) -> list[Any]:
    """The parts of a key; bytes were noted in hexadecimal."""
    is_bytes = [isinstance(column.type, LargeBinary) for column in columns]
    return [bytes.fromhex(part) if hexadecimal else part for hexadecimal, part in zip(is_bytes, key, strict=True)]


def _sql(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))
