"""SELECTs compiled once: to find one again in SQLAlchemy's cache takes longer than most searches.

Columns and parameters keep their types, unlike those of ``statements.prepared``. A list is spelled for its length, its
last value over again up to the next power of two, so that a statement has few spellings.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain, repeat
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Enum, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TupleType, TypeEngine

from statements.compiled import numbered
from statements.prepared import straight

DIALECTS: Mapping[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": psycopg.dialect()}  # type: ignore[no-untyped-call]
Row = tuple[Any, ...]
Process = Callable[[Any], Any] | None
Lengths = tuple[tuple[str, int], ...]


class Selection:
    """A SELECT that runs many times. ``statement`` is what SQLAlchemy knows of it.

    One whose best plan ``varies`` with its values is planned anew each time by PostgreSQL, which for one that is
    prepared may keep a plan that is good for most.
    """

    def __init__(self, statement: Select[Any] | CompoundSelect[Any], *, varies: bool = False) -> None:
        self.statement = statement
        self._varies = varies
        self._spelled = lru_cache(maxsize=256)(partial(_spell, statement))

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run it with the values of parameters that it does not hold itself; those of an expanding one are a list."""
        lengths = tuple((name, _padded(len(value))) for name, value in values.items() if isinstance(value, list))
        spelled = self._spelled(connection.dialect.name, lengths)
        found = _execute(connection, spelled, spelled.bind(values), varies=self._varies)
        for place, process in spelled.columns:
            found = [(*row[:place], process(row[place]), *row[place + 1 :]) for row in found]
        return found

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, None where nothing is found."""
        return next((row[0] for row in self.rows(connection, values)), None)


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A statement for lists of some lengths, as the driver takes it.

    ``placed`` has its parameters by place, as ``order`` takes them. ``held`` are parameters that the statement brings.
    ``names`` says under which names a value is bound, one or, for one of ``lists``, several, and what makes it fit for
    the database; ``columns`` what is read in other types.
    """

    text: str
    placed: str
    held: Mapping[str, Any]
    names: Mapping[str, tuple[tuple[str, Process], ...]]
    lists: frozenset[str]
    order: Callable[[Mapping[str, Any]], Row]
    columns: tuple[tuple[int, Callable[[Any], Any]], ...]

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters by name."""
        bound = dict(self.held)
        for name, value in values.items():
            each = _each(value) if name in self.lists else (value,)
            for (spelled, process), one in zip(self.names.get(name, ()), each, strict=False):
                bound[spelled] = one if process is None else process(one)
        return bound


def _each(values: list[Any]) -> Iterable[Any]:
    """The values of a list, the last one without end; those of pairs one by one."""
    endless = chain(values, repeat(values[-1])) if values else ()
    return chain.from_iterable(endless) if values and isinstance(values[0], tuple) else endless


def _padded(length: int) -> int:
    return 1 << (length - 1).bit_length() if length else 0


def _spell(statement: Select[Any] | CompoundSelect[Any], dialect_name: str, lengths: Lengths) -> _Spelled:
    dialect = DIALECTS[dialect_name]
    compiled: Any = statement.compile(dialect=dialect)
    types = {name: _processes(bound.type, dialect) for name, bound in compiled.binds.items()}
    brought = {name: value for name, value in compiled.params.items() if value is not None}
    lists = {name: _blank(length, len(types[name])) for name, length in lengths if name in types}
    state = compiled.construct_expanded_state({**compiled.params, **lists})
    names = {name: _named(state.parameter_expansion.get(name, (name,)), of) for name, of in types.items()}
    expanding = frozenset(name for name, bound in compiled.binds.items() if bound.expanding)
    placed, order = _placed(state)
    columns = tuple(_columns(statement.selected_columns, dialect))
    spelled = _Spelled(state.statement, placed, {}, names, expanding, order, columns)
    return replace(spelled, held=spelled.bind(brought))


def _placed(state: Any) -> tuple[str, Callable[[Mapping[str, Any]], Row]]:
    """The statement with its parameters by place, and what takes them in this order."""
    if state.positiontup is None:
        return numbered(state.statement)
    names = tuple(state.positiontup)
    return state.statement, lambda bound: tuple(map(bound.__getitem__, names))


def _blank(length: int, width: int) -> list[Any]:
    """A list of so many values, each a tuple where it is compared with several columns."""
    return [None if width == 1 else (None,) * width] * length


def _named(names: Sequence[str], of: tuple[Process, ...]) -> tuple[tuple[str, Process], ...]:
    return tuple((name, of[place % len(of)]) for place, name in enumerate(names))


def _processes(kind: TypeEngine[Any], dialect: Dialect) -> tuple[Process, ...]:
    kinds = kind.types if isinstance(kind, TupleType) else [kind]
    return tuple(each.dialect_impl(dialect).bind_processor(dialect) for each in kinds)


def _columns(columns: Iterable[ColumnElement[Any]], dialect: Dialect) -> Iterator[tuple[int, Callable[[Any], Any]]]:
    for place, column in enumerate(columns):
        process: Process = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if isinstance(column.type, Enum) and column.type.enum_class:
            process = _members(column.type.enum_class).__getitem__
        if process is not None:
            yield place, process


def _members(enum: Any) -> dict[Any, Any]:
    """Members by name: SQLAlchemy's own way takes longer than the rest of a row."""
    return {None: None, **enum.__members__}


def _execute(connection: Connection, spelled: _Spelled, bound: dict[str, Any], *, varies: bool) -> Sequence[Row]:
    """The driver is asked directly, unless somebody watches statements (``affinity.slow_queries``)."""
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite and not connection.dispatch.before_cursor_execute:
        driver: Any = connection.connection.dbapi_connection
        return driver.execute(spelled.text, spelled.order(bound)).fetchall()  # type: ignore[no-any-return]
    if not is_sqlite and (driver := straight(connection)):
        found: list[Row] = driver.rows(connection, spelled.placed, spelled.order(bound), lasts=not varies)
        return found
    return [
        tuple(row) for row in connection.exec_driver_sql(spelled.text, spelled.order(bound) if is_sqlite else bound)
    ]
