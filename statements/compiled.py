"""Texts of Core statements for each dialect, their parameters by place, for many rows and for lists of any length."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

Row = tuple[Any, ...]
DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}
"""The drivers are told their parameters by name."""
EACH_OF = re.compile(r"json_each\(:(\w+)\)")
ONE_OF = re.compile(r"IN \(SELECT value FROM json_each\(:(\w+)\)\)")
VALUES = re.compile(r"VALUES \((?:%\(\w+\)s|[^()])*\)(?=$| ON CONFLICT| RETURNING)")
NAMED = {"sqlite": re.compile(r":(\w+)"), "postgresql": re.compile(r"%\((\w+)\)s")}
NAMED_OR_PERCENT = re.compile(r"%\((\w+)\)s|%%")
LISTS: tuple[type[Collection[Any]], ...] = (list, tuple, set, frozenset, dict, type({}.keys()), type({}.values()))
"""What a list parameter may be."""
SHORT = (0, 1, 2, 4, 4, 8, 8, 8, 8)
"""As how many values SQLite is told a list of so many, its last one over again: it would first read JSON."""
LONGEST = len(SHORT) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
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


def compiled_for(name: str, statement: ClauseElement, columns: Sequence[str]) -> Compiled:
    """Compile a statement for a dialect; ``columns`` are those that an INSERT or UPDATE writes from its parameters."""
    made = statement.compile(dialect=DIALECTS[name], column_keys=list(columns) or None)
    text = str(made)
    row = VALUES.search(text) if columns else None
    placed, order = numbered(text) if name == "postgresql" else _questioned(text)
    return Compiled(
        text=text,
        constants={key: _plain(value) for key, value in made.params.items() if value is not None},
        lists=tuple(dict.fromkeys(EACH_OF.findall(text))),
        tables=frozenset(EACH_OF.findall(ONE_OF.sub("", text))),
        row=tuple(NAMED[name].findall(row[0])) if row else (),
        placed=placed,
        order=order,
    )


def _questioned(text: str) -> tuple[str, Callable[[Mapping[str, Any]], Row]]:
    """The same for SQLite, as ``?``."""
    return NAMED["sqlite"].sub("?", text), taking(NAMED["sqlite"].findall(text))


def numbered(text: str) -> tuple[str, Callable[[Mapping[str, Any]], Row]]:
    """A statement with its parameters as ``$1`` and so on, and what takes their values in this order."""
    names = list(dict.fromkeys(NAMED["postgresql"].findall(text)))
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    return NAMED_OR_PERCENT.sub(lambda found: places.get(found[1], "%"), text), taking(names)


def _plain(value: Any) -> Any:
    """A constant as the driver takes it; terms of a vocabulary are stored by their names."""
    return value.name if isinstance(value, Enum) else value


def taking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Row]:
    """What takes the values with these names, in order."""
    if len(names) > 1:
        return itemgetter(*names)
    if not names:
        return lambda _: ()
    [name] = names
    return lambda values: (values[name],)


@lru_cache(maxsize=256)
def numbered_rows(compiled: Compiled, rows: int) -> str:
    """As PostgreSQL takes so many rows."""
    places = count(1)
    every = (f"({', '.join(f'${next(places)}' for _ in compiled.row)})" for _ in range(rows))
    return VALUES.sub("VALUES " + ", ".join(every), compiled.text).replace("%%", "%")


@lru_cache(maxsize=256)
def rows_together(compiled: Compiled, rows: int, place: str) -> str:
    """The statement for several rows.

    Where a later row may fail, SQLite first copies each page that it changes, beyond 64 KiB into a file, to take the
    earlier ones back. Nobody goes on after such a failure but from a savepoint or a new transaction, so FAIL leaves
    them.
    """
    one = f"({', '.join([place] * len(compiled.row))})"
    text = VALUES.sub("VALUES " + ", ".join([one] * rows), compiled.text)
    return text if place != "?" or " ON CONFLICT" in text else text.replace("INSERT", "INSERT OR FAIL", 1)


def bind_lists(compiled: Compiled, bound: dict[str, Any]) -> str:
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
def _for_lengths(compiled: Compiled, lengths: tuple[int, ...]) -> str:
    known = dict(zip(compiled.lists, lengths, strict=True))

    def spell(found: re.Match[str]) -> str:
        name = found[1]
        places = ", ".join(f":{each}" for each in _places(name, known[name]))
        return f"IN ({places})" if places else found[0]

    return ONE_OF.sub(spell, compiled.text)
