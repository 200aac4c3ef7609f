"""Values as PostgreSQL reads them: texts in the encoding of the connection, bytes as they are, lists as arrays."""

from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer

from statements.compiled import LISTS

PLAIN = ("", True, 0.0)
"""A value of each type that one dumper of psycopg spells."""
Spelling = Callable[[Any], Any]


def spellings(driver: psycopg.Connection[Any]) -> dict[type, Spelling]:
    """What spells the values of each usual type; None is NULL. Raises psycopg.DataError for a text with NUL."""
    known: dict[type, Spelling] = {
        type(each): driver.adapters.get_dumper(type(each), PyFormat.TEXT)(type(each), driver).dump for each in PLAIN
    }
    as_text = known[str]
    return {
        **known,
        int: b"%d".__mod__,
        bytes: _itself,
        type(None): _itself,
        **dict.fromkeys(LISTS, lambda values: as_text(_array(values))),
    }


def unusual(driver: psycopg.Connection[Any]) -> Spelling:
    """What spells a value of any other type that psycopg knows."""
    return lambda value: Transformer(driver).get_dumper(value, PyFormat.TEXT).dump(value)


def _itself(value: Any) -> Any:
    return value


def _array(values: Iterable[Any]) -> str:
    """Texts or integers as an array literal (PostgreSQL's documentation, 8.15.2)."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
