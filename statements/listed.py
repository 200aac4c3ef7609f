"""The texts of one list in a JSON object of lists, as rows: ``json_each`` on SQLite, ``jsonb_array_elements_text``."""

from typing import Any

from sqlalchemy import ColumnElement, TableValuedAlias, Text, column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[Any]):
    inherit_cache = False

    def __init__(self, lists: ColumnElement[str], name: str) -> None:
        super().__init__(lists)
        self.list = name


def listed(lists: ColumnElement[str], name: str) -> TableValuedAlias:
    """A row for each text of the list with this name, as ``value``; none where there is no such list.

    Texts sort by code point. The name is a constant of the code.
    """
    return _Listed(lists, name).table_valued(column("value", Text()), joins_implicitly=True)


@compiles(_Listed, "sqlite")
def _listed_sqlite(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({_column(element, compiler, kw)}, '$.\"{element.list}\"')"


@compiles(_Listed, "postgresql")
def _listed_postgresql(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    texts = f"jsonb_array_elements_text(CAST({_column(element, compiler, kw)} AS JSONB) -> '{element.list}')"
    return f'LATERAL (SELECT each.text COLLATE "C" AS value FROM {texts} AS each(text))'


def _column(element: _Listed, compiler: SQLCompiler, kw: Any) -> str:
    return compiler.process(element.clause_expr.element, **kw)
