"""Core statements compiled once: a feed runs a dozen small ones, and wrapping each costs more than the database does.

Measured on one feed with a link: 1.1 ms by way of SQLAlchemy's execution, 0.5 ms this way. Types are those that both
drivers know as they are: texts, integers, bytes; booleans come back as 0 and 1 from SQLite. PostgreSQL is told by
``statements.straight``, or by SQLAlchemy where somebody watches its statements (``affinity.slow_queries``).
"""

import re
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import chain, count
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ClauseElement, Column, ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import Boolean, String

DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}
"""The drivers are told their parameters by name."""
Row = tuple[Any, ...]
EACH_OF = re.compile(r"json_each\(:(\w+)\)")
ONE_OF = re.compile(r"IN \(SELECT value FROM json_each\(:(\w+)\)\)")
VALUES = re.compile(r"VALUES \((?:%\(\w+\)s|[^()])*\)(?=$| ON CONFLICT| RETURNING)")
NAMED = {"sqlite": re.compile(r":(\w+)"), "postgresql": re.compile(r"%\((\w+)\)s")}
NAMED_OR_PERCENT = re.compile(r"%\((\w+)\)s|%%")
TOGETHER = 24
"""Most rows of one INSERT: as many as a patient has tokens, and few enough that SQLite's statement cache holds all."""
SHORT = (0, 1, 2, 4, 4, 8, 8, 8, 8)
"""As how many values SQLite is told a list of so many, its last one over again: it would first read JSON."""
LONGEST = len(SHORT) - 1
LISTS = (list, tuple, set, frozenset, dict, KeysView, ValuesView)


class Among(ColumnElement[bool]):
    """``column`` has one of the values of a list parameter, whose length is not part of the statement.

    They are integers or texts, as the column's.
    """

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], parameter: str) -> None:
        self.column = column
        self.parameter = parameter

    def self_group(self, against: OperatorType | None = None) -> ColumnElement[Any]:
        """A condition as it is; SQLAlchemy would append ``= 1`` on SQLite, which then scans the table."""
        return self


@compiles(Among, "sqlite")
def _among_sqlite(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} IN (SELECT value FROM json_each(:{element.parameter}))"


@compiles(Among, "postgresql")
def _among_postgresql(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    type = "TEXT" if isinstance(element.column.type, String) else "BIGINT"
    return f"{compiler.process(element.column, **kw)} = ANY(CAST(%({element.parameter})s AS {type}[]))"


@dataclass(frozen=True, slots=True, eq=False)
class _Compiled:
    """``lists`` names the parameters that are lists, and ``tables`` those that are read as one, not by ``Among``.

    ``row`` names the parameters of an INSERT's VALUES, in order, if it is one. ``placed`` is the statement with its
    parameters by place, as ``order`` takes them from those by name: SQLite's driver would look up each name anew.
    """

    text: str
    constants: Mapping[str, Any]
    lists: tuple[str, ...]
    tables: frozenset[str]
    row: tuple[str, ...]
    placed: str
    order: Callable[[Mapping[str, Any]], Row]


class Prepared:
    """A statement that runs many times. ``columns`` are those that an INSERT or UPDATE writes from its parameters."""

    def __init__(self, statement: ClauseElement, columns: Iterable[Column[Any] | str] = ()) -> None:
        self._statement = statement
        self._columns = [each if isinstance(each, str) else each.name for each in columns]
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Row]:
        """Run it; what it returns, if it returns anything."""
        compiled = self._compiled.get(connection.dialect.name) or self._for(connection)
        if connection.dialect.name == "sqlite":
            found: list[Row] = _execute(compiled, connection.connection.dbapi_connection, parameters).fetchall()
            return found
        bound = {**compiled.constants, **parameters}
        if driver := straight(connection):
            return driver.rows(connection, compiled.placed, compiled.order(bound))  # type: ignore[no-any-return]
        result = connection.exec_driver_sql(compiled.text, _lists(bound))
        return [tuple(row) for row in result] if result.returns_rows else ()

    def first(self, connection: Connection, parameters: Mapping[str, Any]) -> Row | None:
        """Run it; the first row, or None."""
        found = self.rows(connection, parameters)
        return found[0] if found else None

    def added(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Insert one row; the number that the database gave it, which the statement returns."""
        compiled = self._for(connection)
        if connection.dialect.name == "sqlite":
            return int(_execute(compiled, _sqlite(connection), parameters).lastrowid)
        [[number]] = self.rows(connection, parameters)
        return int(number)

    def adds(self, connection: Connection, parameters: Mapping[str, Any]) -> bool:
        """Insert one row; False where the statement leaves the row that is there already."""
        return bool(self.changed(connection, parameters))

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> None:
        """Run it for its effect, on PostgreSQL together with the next statement."""
        compiled = self._compiled.get(connection.dialect.name) or self._for(connection)
        if driver := None if connection.dialect.name == "sqlite" else straight(connection):
            driver.later(connection, compiled.placed, compiled.order({**compiled.constants, **parameters}))
        else:
            self.changed(connection, parameters)

    def run_all(self, connection: Connection, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each set of parameters."""
        if not parameters:
            return
        compiled = self._for(connection)
        every = [{**compiled.constants, **each} for each in parameters]
        if compiled.row:
            self.insert(connection, list(map(_taking(compiled.row), every)))
        elif connection.dialect.name == "sqlite":
            _sqlite(connection).executemany(compiled.text, every)
        elif driver := straight(connection):
            for each in every:
                driver.later(connection, compiled.placed, compiled.order(each))
        else:
            connection.exec_driver_sql(compiled.text, every)

    def changed(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Run it once; how many rows it changed."""
        compiled = self._for(connection)
        if connection.dialect.name == "sqlite":
            return int(_execute(compiled, _sqlite(connection), parameters).rowcount)
        bound = {**compiled.constants, **parameters}
        if driver := straight(connection):
            return int(driver.changed(connection, compiled.placed, compiled.order(bound)))
        return connection.exec_driver_sql(compiled.text, _lists(bound)).rowcount

    def insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows, each with a value for every one of ``columns``, in the order of the table's."""
        if not rows:
            return
        compiled = self._compiled.get(connection.dialect.name) or self._for(connection)
        if connection.dialect.name == "sqlite":
            _insert_together(connection.connection.dbapi_connection, compiled, rows)
        elif driver := straight(connection):
            together = TOGETHER if "DO UPDATE" not in compiled.text else 1  # it must not meet one row twice
            for some in _batches(rows, together):
                driver.later(connection, _numbered(compiled, len(some)), list(chain.from_iterable(some)))
        else:
            connection.exec_driver_sql(compiled.text, [dict(zip(self._columns, each, strict=True)) for each in rows])

    def inserted(self, connection: Connection, rows: Sequence[Row]) -> list[Row]:
        """The same where the statement says what it returns: that, of all rows that it inserted."""
        compiled = self._for(connection)
        if connection.dialect.name == "sqlite":
            return _insert_together(_sqlite(connection), compiled, rows)
        found: list[Row] = []
        for some in _batches(rows):
            if driver := straight(connection):
                found += driver.rows(connection, _numbered(compiled, len(some)), list(chain.from_iterable(some)))
                continue
            result = connection.exec_driver_sql(_together(compiled, len(some), "%s"), tuple(chain.from_iterable(some)))
            found += [tuple(row) for row in result]
        return found

    def text(self, connection: Connection) -> tuple[str, dict[str, Any]]:
        """The statement as the driver takes it, and its constant parameters."""
        compiled = self._for(connection)
        return compiled.text, dict(compiled.constants)

    def _for(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        if name not in self._compiled:
            compiled = self._statement.compile(dialect=DIALECTS[name], column_keys=self._columns or None)
            constants = {key: _plain(value) for key, value in compiled.params.items() if value is not None}
            text = str(compiled)
            row = VALUES.search(text) if self._columns else None
            names = tuple(NAMED[name].findall(row[0])) if row else ()
            lists = tuple(dict.fromkeys(EACH_OF.findall(text)))
            tables = frozenset(EACH_OF.findall(ONE_OF.sub("", text)))
            placed, order = numbered(text) if name == "postgresql" else _questioned(text)
            self._compiled[name] = _Compiled(text, constants, lists, tables, names, placed, order)
        return self._compiled[name]


def straight(connection: Connection) -> Any:
    """The driver, if it takes statements straight (``statements.straight``) and nobody watches them; else None."""
    driver = connection.connection.dbapi_connection
    return driver if hasattr(driver, "threshold") and not connection.dispatch.before_cursor_execute else None


def _questioned(text: str) -> tuple[str, Callable[[Mapping[str, Any]], Row]]:
    """The same for SQLite, as ``?``."""
    return NAMED["sqlite"].sub("?", text), _taking(NAMED["sqlite"].findall(text))


def numbered(text: str) -> tuple[str, Callable[[Mapping[str, Any]], Row]]:
    """A statement with its parameters as ``$1`` and so on, and what takes their values in this order."""
    names = list(dict.fromkeys(NAMED["postgresql"].findall(text)))
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    return NAMED_OR_PERCENT.sub(lambda found: places.get(found[1], "%"), text), _taking(names)


def upsert(table: Table, changed: Sequence[str]) -> Mapping[str, Prepared]:
    """By dialect: insert a row, or change ``changed`` of the one that has its primary key."""
    return {
        name: Prepared(
            statement.on_conflict_do_update(
                index_elements=list(table.primary_key), set_={each: statement.excluded[each] for each in changed}
            ),
            table.columns,
        )
        for name, statement in (("sqlite", sqlite.insert(table)), ("postgresql", postgresql.insert(table)))
    }


def _execute(compiled: _Compiled, driver: Any, parameters: Mapping[str, Any]) -> Any:
    if compiled.lists:
        bound = {**compiled.constants, **parameters}
        return driver.execute(_bind_lists(compiled, bound), bound)
    known = {**compiled.constants, **parameters} if compiled.constants else parameters
    return driver.execute(compiled.placed, compiled.order(known))


def _plain(value: Any) -> Any:
    """A constant as the driver takes it; terms of a vocabulary are stored by their names."""
    return value.name if isinstance(value, Enum) else value


def _taking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Row]:
    """What takes the values with these names, in order."""
    if len(names) > 1:
        return itemgetter(*names)
    if not names:
        return lambda _: ()
    [name] = names
    return lambda values: (values[name],)


def _insert_together(driver: Any, compiled: _Compiled, rows: Sequence[Row]) -> list[Row]:
    """Insert several rows by one statement: ``executemany`` gives way to other threads after each."""
    found: list[Row] = []
    for some in _batches(rows):
        found += driver.execute(_together(compiled, len(some), "?"), list(chain.from_iterable(some)))
    return found


def _batches(rows: Sequence[Row], most: int = TOGETHER) -> Iterable[Sequence[Row]]:
    if 0 < len(rows) <= most:
        return (rows,)
    return (rows[first : first + most] for first in range(0, len(rows), most))


@lru_cache(maxsize=256)
def _numbered(compiled: _Compiled, rows: int) -> str:
    """As PostgreSQL takes so many rows."""
    places = count(1)
    every = (f"({', '.join(f'${next(places)}' for _ in compiled.row)})" for _ in range(rows))
    return VALUES.sub("VALUES " + ", ".join(every), compiled.text).replace("%%", "%")


@lru_cache(maxsize=256)
def _together(compiled: _Compiled, rows: int, place: str) -> str:
    """The statement for several rows.

    Where a later row may fail, SQLite first copies each page that it changes, beyond 64 KiB into a file, to take the
    earlier ones back. Nobody goes on after such a failure but from a savepoint or a new transaction, so FAIL leaves
    them.
    """
    one = f"({', '.join([place] * len(compiled.row))})"
    text = VALUES.sub("VALUES " + ", ".join([one] * rows), compiled.text)
    return text if place != "?" or " ON CONFLICT" in text else text.replace("INSERT", "INSERT OR FAIL", 1)


def _bind_lists(compiled: _Compiled, bound: dict[str, Any]) -> str:
    """Put each list among the parameters, and spell the statement for its length."""
    lengths = []
    for name in compiled.lists:
        values = list(bound[name])
        length = 0 if name in compiled.tables or len(values) > LONGEST else SHORT[len(values)]
        if length:
            values += values[-1:] * (length - len(values))
            bound.update(zip(_places(name, length), values, strict=True))
        else:
            bound[name] = orjson.dumps(values).decode()
        lengths.append(length)
    return _for_lengths(compiled, tuple(lengths))


@lru_cache(maxsize=512)
def _places(name: str, length: int) -> tuple[str, ...]:
    return tuple(f"{name}_{place}" for place in range(length))


@lru_cache(maxsize=512)
def _for_lengths(compiled: _Compiled, lengths: tuple[int, ...]) -> str:
    known = dict(zip(compiled.lists, lengths, strict=True))

    def spell(found: re.Match[str]) -> str:
        name = found[1]
        places = ", ".join(f":{each}" for each in _places(name, known[name]))
        return f"IN ({places})" if places else found[0]

    return ONE_OF.sub(spell, compiled.text)


def _sqlite(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _lists(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, LISTS) else value for name, value in parameters.items()}
