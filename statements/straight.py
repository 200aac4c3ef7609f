"""Statements to PostgreSQL by libpq's own calls, prepared by the server, without a cursor of psycopg or SQLAlchemy.

A small SELECT takes 13 µs of CPU this way, 40 by way of a cursor and 130 by way of SQLAlchemy. The first statement
begins a transaction; who hands out the connection says how, and ends it. Only nodes on PostgreSQL import this.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import execute
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]
GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
MOST = 300
"""Statements that a connection keeps prepared; the server needs some 20 KB for each."""
TEXT, BINARY = pq.Format.TEXT, pq.Format.BINARY
PLAIN = ("", True, 0.0)
"""A value of each type that one dumper of psycopg spells."""
LISTS: tuple[type, ...] = (list, tuple, set, frozenset, dict, type({}.keys()), type({}.values()))


class StraightConnection(psycopg.Connection[Any]):
    """A connection that takes statements straight as well.

    ``beginning`` is the command that begins a transaction, until something is said in it; None: psycopg begins it.
    ``threshold`` is how often a statement runs before it is prepared, None: never. psycopg itself must prepare none, as
    it lets the server forget all of them at every ROLLBACK.
    """

    beginning: bytes | None = None
    threshold: int | None = None
    _named = 0

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        """Whoever uses a cursor is in the transaction, too."""
        self._begin()
        return super().cursor(*arguments, **options)

    def rows(self, connection: Connection, text: str, values: Sequence[Any]) -> list[Row]:
        """Run a statement, whose parameters are ``$1`` and so on; what it returns. Raises DBAPIError."""
        result = self._run(connection, text, values)
        if not result.ntuples:
            return []
        loading = self._loading
        loading.set_pgresult(result)
        found: list[Row] = loading.load_rows(0, result.ntuples, tuple)
        return found

    def changed(self, connection: Connection, text: str, values: Sequence[Any]) -> int:
        """Run a statement; how many rows it changed. Raises DBAPIError."""
        return self._run(connection, text, values).command_tuples or 0

    def tell(self, command: bytes) -> None:
        """Give a command that answers nothing. Raises psycopg.Error."""
        self.pgconn.send_query(command)
        self._answer()

    def _run(self, connection: Connection, text: str, values: Sequence[Any]) -> pq.abc.PGresult:
        try:
            self._begin_for(connection)
            spell = self._spelling
            spelled = [(spell.get(type(each)) or self._unusual)(each) for each in values]
            formats = [BINARY if type(each) is bytes else TEXT for each in values]
            if name := self._name(text):
                self.pgconn.send_query_prepared(name, spelled, formats)
            else:
                self.pgconn.send_query_params(text.encode(self.info.encoding), spelled, param_formats=formats)
            return self._answer()
        except psycopg.Error as error:
            raise _as_sqlalchemy_tells(connection, text, error, is_lost=self.closed) from error

    def _begin(self) -> None:
        if self.beginning is not None:
            beginning, self.beginning = self.beginning, None
            self.tell(beginning)

    def _begin_for(self, connection: Connection) -> None:
        """The same, or as SQLAlchemy and psycopg begin, for who has a connection of the engine."""
        self._begin()
        if self.pgconn.transaction_status == pq.TransactionStatus.IDLE and not self.autocommit:
            if not connection.in_transaction():
                connection.begin()
            self.execute("SELECT 1")

    def _answer(self) -> pq.abc.PGresult:
        result: pq.abc.PGresult = self.wait(execute(self.pgconn))[-1]
        if result.status not in GOOD:
            raise error_from_result(result, encoding=self.info.encoding)
        return result

    def _name(self, text: str) -> bytes | None:
        """The name under which a statement is prepared; None where it is not."""
        name = self._names.get(text)
        if name is not None:
            self._names.move_to_end(text)
            return name
        if self.threshold is None:
            return None
        seen = self._seen[text] = self._seen.pop(text, 0) + 1
        if seen <= self.threshold:
            self._forget_the_oldest_seen()
            return None
        del self._seen[text]
        return self._prepare(text)

    def _prepare(self, text: str) -> bytes:
        if len(self._names) >= MOST:
            self._forget(self._names.popitem(last=False)[1])
        self._named += 1
        name = b"affinity_%d" % self._named
        self.pgconn.send_prepare(name, text.encode(self.info.encoding))
        self._answer()
        self._names[text] = name
        return name

    def _forget(self, name: bytes) -> None:
        """As the protocol has it, where libpq can: a pooler between gives statements names of its own."""
        if not psycopg.capabilities.has_send_close_prepared():
            self.tell(b"DEALLOCATE " + name)
            return
        self.pgconn.send_close_prepared(name)
        self._answer()

    def _forget_the_oldest_seen(self) -> None:
        if len(self._seen) > MOST:
            del self._seen[next(iter(self._seen))]

    @cached_property
    def _names(self) -> OrderedDict[str, bytes]:
        return OrderedDict()

    @cached_property
    def _seen(self) -> dict[str, int]:
        return {}

    @cached_property
    def _loading(self) -> Any:
        return Transformer(self)

    @cached_property
    def _spelling(self) -> dict[type, Callable[[Any], Any]]:
        """What spells the values of each usual type; bytes go as they are, and None is NULL."""
        known: dict[type, Callable[[Any], Any]] = {
            type(each): self.adapters.get_dumper(type(each), PyFormat.TEXT)(type(each), self).dump for each in PLAIN
        }
        as_text = known[str]
        return {
            **known,
            int: b"%d".__mod__,
            bytes: _itself,
            type(None): _itself,
            **dict.fromkeys(LISTS, lambda values: as_text(_array(values))),
        }

    def _unusual(self, value: Any) -> Any:
        return Transformer(self).get_dumper(value, PyFormat.TEXT).dump(value)


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


def _as_sqlalchemy_tells(connection: Connection, text: str, error: psycopg.Error, *, is_lost: bool) -> Exception:
    return DBAPIError.instance(
        text,
        None,
        error,
        psycopg.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=connection.dialect,
    )
