"""What the interface answers when it refuses: a status, a code for programs, and a sentence for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from affinity.outages import InDoubt, Unavailable
from ihe.errors import Breach, Rejected
from pix.choices import NotPossible
from pix.stewardship import Stale, UnknownTask

UNAVAILABLE, IN_DOUBT = 503, 504
"""Statuses of a database that is away: no record can be written of what was then not done."""


class Problem(Exception):
    """A request that is refused. ``where`` names the header, parameter or member of the body that is wrong.

    ``detail`` are further members of the answer, such as the task as it is now.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        where: str = "",
        remedy: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.error = {"code": code, "text": text, "where": where, "remedy": remedy}
        self.detail = detail or {}

    def plain(self, correlation: str) -> dict[str, Any]:
        """The answer's body."""
        said = {name: value for name, value in self.error.items() if value}
        return {"error": {**said, "correlation": correlation}, **self.detail}


def wrong(text: str, where: str) -> Problem:
    """The request is well-formed and cannot be meant."""
    return Problem(422, "invalid", text, where=where)


def refused(error: Exception) -> Problem | None:
    """The index's own refusals as problems; None for anything else."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, UnknownTask):
        return Problem(404, "unknown-task", str(error), where="path")
    if isinstance(error, Stale):
        return Problem(409, "stale", str(error), where="version", remedy="Read the task again, then decide")
    if isinstance(error, NotPossible):
        return Problem(422, "not-possible", str(error))
    if isinstance(error, Rejected):
        first, *others = error.breaches
        detail = {"further": [dict(_said(each)) for each in others]} if others else {}
        return Problem(422, str(first.code.value), first.code_context, where=first.location, detail=detail)
    return _of_database(error)


def _of_database(error: Exception) -> Problem | None:
    if isinstance(error, Unavailable):
        return Problem(UNAVAILABLE, "unavailable", f"Nothing was done: {error}", remedy="Ask again later")
    if isinstance(error, InDoubt):
        return Problem(
            IN_DOUBT, "in-doubt", f"Nobody knows whether it was done: {error}", remedy="Look, then ask again"
        )
    return None


def _said(breach: Breach) -> Iterator[tuple[str, str]]:
    yield "code", str(breach.code.value)
    yield "text", breach.code_context
    yield "where", breach.location
