"""Lists of texts as JSON: their texts as rows, and whether a text has another in it, on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, TableValuedAlias, Text, column, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[Any]):
    inherit_cache = True


class _Place(FunctionElement[int]):
    type = Integer()
    inherit_cache = True


def listed(lists: ColumnElement[str]) -> TableValuedAlias:
    """A row for each text of a list, as ``value``. Texts sort by code point."""
    return _Listed(lists).table_valued(column("value", Text()), joins_implicitly=True)


def has(text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
    """Claim that a text has another in it, letter by letter, whatever characters these are."""
    return _Place(text, part) > literal_column("0")


@compiles(_Listed, "sqlite")
def _listed_sqlite(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({_arguments(element, compiler, kw)})"


@compiles(_Listed, "postgresql")
def _listed_postgresql(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    texts = f"jsonb_array_elements_text(CAST({_arguments(element, compiler, kw)} AS JSONB))"
    return f'LATERAL (SELECT each.text COLLATE "C" AS value FROM {texts} AS each(text))'


@compiles(_Place, "sqlite")
def _place_sqlite(element: _Place, compiler: SQLCompiler, **kw: Any) -> str:
    return f"instr({_arguments(element, compiler, kw)})"


@compiles(_Place, "postgresql")
def _place_postgresql(element: _Place, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strpos({_arguments(element, compiler, kw)})"


def _arguments(element: FunctionElement[Any], compiler: SQLCompiler, kw: Any) -> str:
    return compiler.process(element.clause_expr.element, **kw)
