"""``column IN (...)`` of a list whose length is not part of the statement: JSON on SQLite, an array on PostgreSQL."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import Boolean, String


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
