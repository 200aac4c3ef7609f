"""What is asked of PostgreSQL ahead: the answer comes with that to the next statement, and is kept until wanted."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from psycopg import pq

Question = tuple[str, str]
"""A statement, and its values as Python spells them, for lists cannot be keys."""


class Sending(NamedTuple):
    """A statement, what sends it, and the question that it answers, if it is asked ahead."""

    text: str
    send: Callable[[], None]
    question: Question | None = None


class Asked(dict[Question, "pq.abc.PGresult | None"]):
    """Questions of one transaction, each with its answer, None until it has come. Each answer is given once.

    An answer is as good as one to a later question as long as nothing is said in between that may change it: a
    statement that writes, or waits for a lock, after which others may have written.
    """

    def answer(self, sendings: Sequence[Sending], results: Sequence[pq.abc.PGresult]) -> None:
        """The results of statements; those whose answers nobody may rely on any more are left."""
        for each, result in zip(sendings, results, strict=False):
            if each.question is not None and each.question in self:
                self[each.question] = result

    def forget(self) -> None:
        """Something is said that may change every answer.

        RuntimeError: nobody asked yet how a statement went that writes; asked again, it would run twice.
        """
        if any(may_change(text) for text, _ in self):
            raise RuntimeError("nobody asked how a statement went that was asked ahead")
        self.clear()


def may_change(text: str) -> bool:
    """Claim that after this statement an answer may be another: it is none that reads and locks nothing."""
    return not text.startswith("SELECT") or " FOR " in text
