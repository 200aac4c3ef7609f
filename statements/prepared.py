"""Core statements compiled once: a feed runs a dozen small ones, and wrapping each costs more than the database does.

Measured on one feed with a link: 1.1 ms by way of SQLAlchemy's execution, 0.5 ms this way. Types are those that both
drivers know as they are: texts, integers, bytes; booleans come back as 0 and 1 from SQLite. PostgreSQL is told by
``statements.straight``, or by SQLAlchemy where somebody watches its statements (``affinity.slow_queries``).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import ClauseElement, Column, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from statements.compiled import LISTS, Compiled, Row, bind_lists, compiled_for, numbered_rows, rows_together, taking

TOGETHER = 24
"""Most rows of one INSERT: as many as a patient has tokens, and few enough that SQLite's statement cache holds all."""


class Prepared:
    """A statement that runs many times. ``columns`` are those that an INSERT or UPDATE writes from its parameters."""

    def __init__(self, statement: ClauseElement, columns: Iterable[Column[Any] | str] = ()) -> None:
        self._statement = statement
        self._columns = [each if isinstance(each, str) else each.name for each in columns]
        self._compiled: dict[str, Compiled] = {}

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

    def rows_of_each(
        self, connection: Connection, parameters: Iterable[Mapping[str, Any]]
    ) -> list[tuple[Mapping[str, Any], Sequence[Row]]]:
        """Run it with each of these parameters, on PostgreSQL together; what it returns for each, beside them."""
        every = list(parameters)
        if len(every) > 1:
            ask_ahead(connection, [(self, each) for each in every])
        return [(each, self.rows(connection, each)) for each in every]

    def told(self, connection: Connection, parameters: Mapping[str, Any]) -> tuple[str, Row]:
        """The statement as PostgreSQL is told it straight, and the values of its parameters."""
        compiled = self._for(connection)
        return compiled.placed, compiled.order({**compiled.constants, **parameters})

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
            self.insert(connection, list(map(taking(compiled.row), every)))
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
        elif (driver := straight(connection)) and not compiled.row:
            for each in rows:
                driver.later(connection, compiled.placed, each)
        elif driver:
            together = TOGETHER if "DO UPDATE" not in compiled.text else 1  # it must not meet one row twice
            for some in _batches(rows, together):
                driver.later(connection, numbered_rows(compiled, len(some)), list(chain.from_iterable(some)))
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
                found += driver.rows(connection, numbered_rows(compiled, len(some)), list(chain.from_iterable(some)))
                continue
            result = connection.exec_driver_sql(
                rows_together(compiled, len(some), "%s"), tuple(chain.from_iterable(some))
            )
            found += [tuple(row) for row in result]
        return found

    def text(self, connection: Connection) -> tuple[str, dict[str, Any]]:
        """The statement as the driver takes it, and its constant parameters."""
        compiled = self._for(connection)
        return compiled.text, dict(compiled.constants)

    def _for(self, connection: Connection) -> Compiled:
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = compiled_for(name, self._statement, self._columns)
        return self._compiled[name]


Question = tuple[Prepared, Mapping[str, Any]]
"""A statement and its parameters."""


def ask_ahead(connection: Connection, questions: Iterable[Question]) -> None:
    """On PostgreSQL, ask these together with the next statement: who asks the same then has the answer already.

    It is asked again where anything is written in between, or a lock taken.
    """
    if connection.dialect.name != "sqlite" and (driver := straight(connection)):
        driver.ask_ahead(connection, [each.told(connection, parameters) for each, parameters in questions])


def straight(connection: Connection) -> Any:
    """The driver, if it takes statements straight (``statements.straight``) and nobody watches them; else None."""
    driver = connection.connection.dbapi_connection
    return driver if hasattr(driver, "threshold") and not connection.dispatch.before_cursor_execute else None


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


def _execute(compiled: Compiled, driver: Any, parameters: Mapping[str, Any]) -> Any:
    if compiled.lists:
        bound = {**compiled.constants, **parameters}
        return driver.execute(bind_lists(compiled, bound), bound)
    known = {**compiled.constants, **parameters} if compiled.constants else parameters
    return driver.execute(compiled.placed, compiled.order(known))


def _insert_together(driver: Any, compiled: Compiled, rows: Sequence[Row]) -> list[Row]:
    """Insert several rows by one statement: ``executemany`` gives way to other threads after each."""
    found: list[Row] = []
    for some in _batches(rows):
        found += driver.execute(rows_together(compiled, len(some), "?"), list(chain.from_iterable(some)))
    return found


def _batches(rows: Sequence[Row], most: int = TOGETHER) -> Iterable[Sequence[Row]]:
    if 0 < len(rows) <= most:
        return (rows,)
    return (rows[first : first + most] for first in range(0, len(rows), most))


def _sqlite(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _lists(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, LISTS) else value for name, value in parameters.items()}
