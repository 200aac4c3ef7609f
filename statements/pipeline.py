"""A connection to PostgreSQL whose statements are sent by libpq's own calls, several at once, and stay prepared."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.errors import error_from_result

from statements.asked import Sending
from statements.spelling import Spelling, spellings, unusual

Wait = Callable[[Any], Any]
"""Waits for the server on behalf of one of psycopg's generators."""
SYNC = pq.ExecStatus.PIPELINE_SYNC
GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
MOST = 300
"""Statements that a connection keeps prepared; the server needs some 20 KB for each."""
TEXT, BINARY = pq.Format.TEXT, pq.Format.BINARY


class PipelinedConnection(psycopg.Connection[Any]):
    """A connection whose statements are sent without a cursor.

    ``threshold`` is how often a statement runs before it is prepared, None: never. psycopg itself must prepare none, as
    it lets the server forget all of them at every ROLLBACK. ``seconds`` is how long an answer may take, None: for ever.
    """

    threshold: int | None = None
    seconds: float | None = None
    _left = False
    _named = 0
    _saying = ""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg does, for ``seconds`` at most: then the connection is closed, as its server may be gone.

        A server that is halted, and one behind a pooler or a balancer, keep their connections without a word.
        """
        try:
            return super().wait(gen, interval, self.seconds if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if error.sqlstate is None:  # or the answer to this would be taken for that to the next
                self.close()
            raise

    def catch_up(self) -> None:
        """Read the answer to the ROLLBACK before. Raises psycopg.Error."""
        if self._left:
            self._left = False
            self._answer()

    def rollback(self) -> None:
        """As psycopg does it, for the pool."""
        self.catch_up()
        super().rollback()

    def tell(self, command: bytes) -> None:
        """Give a command that answers nothing. Raises psycopg.Error."""
        self.pgconn.send_query(command)
        self._answer()

    def _exchange(self, sendings: Sequence[Sending], wait: Wait) -> list[pq.abc.PGresult]:
        """Send statements in a pipeline; the result of each. After one that fails none is run.

        Raises psycopg.OperationalError where the server did not come to the end of them.
        """
        self.pgconn.enter_pipeline_mode()
        for each in sendings:
            each.send()
        self.pgconn.pipeline_sync()
        wait(generators.send(self.pgconn))
        results: list[list[pq.abc.PGresult]] = [wait(generators.fetch_many(self.pgconn)) for _ in (*sendings, SYNC)]
        if not results[-1] or results[-1][-1].status != SYNC:
            raise psycopg.OperationalError("the server closed the connection")
        self.pgconn.exit_pipeline_mode()
        return [each[-1] for each in results[:-1]]

    def _check(self, sendings: Sequence[Sending], results: Sequence[pq.abc.PGresult]) -> pq.abc.PGresult:
        """The last result. Raises psycopg.Error for the first that is none, and remembers its statement."""
        for each, result in zip(sendings, results, strict=False):
            self._saying = each.text
            self._require(result)
        return results[-1]

    def _sending(self, text: str, values: Sequence[Any], *, lasts: bool = True) -> Callable[[], None]:
        spell = self._spelling
        spelled = [(spell.get(type(each)) or self._unusual)(each) for each in values]
        formats = [BINARY if type(each) is bytes else TEXT for each in values]
        if lasts and (name := self._name(text)):
            return partial(self.pgconn.send_query_prepared, name, spelled, formats)
        told = text.encode(self.info.encoding)
        return partial(self.pgconn.send_query_params, told, spelled, param_formats=formats)

    def _answer(self) -> pq.abc.PGresult:
        return self._require(self.wait(generators.execute(self.pgconn))[-1])

    def _require(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
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
        """The name of a statement that is prepared from now on."""
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
    def _spelling(self) -> dict[type, Spelling]:
        return spellings(self)

    @cached_property
    def _unusual(self) -> Spelling:
        return unusual(self)
