"""How a text is compared with a pattern in which ``*`` stands for any characters (ITI TF-2: 3.21.4.1.3.2)."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement

LAST = "\U0010ffff"
"""Sorts after everything that may follow a beginning."""


class Form(StrEnum):
    """What a pattern says of a text: all of it, its beginning, that and what follows, what is in it, or nothing."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    BEGINNING_AND_MORE = "beginning and more"
    INSIDE = "inside"
    ANYTHING = "anything"

    __hash__ = str.__hash__


RANGES = (Form.BEGINNING, Form.BEGINNING_AND_MORE)
LIKES = (Form.BEGINNING_AND_MORE, Form.INSIDE)


def form_of(pattern: str) -> Form:
    """What this pattern says of a text."""
    beginning, star, rest = pattern.partition("*")
    if not star:
        return Form.WHOLE
    if rest.strip("*"):
        return Form.BEGINNING_AND_MORE if beginning else Form.INSIDE
    return Form.BEGINNING if beginning else Form.ANYTHING


def parts(pattern: str) -> dict[str, str]:
    """What a text is compared with, by the names that ``compares`` asks for."""
    beginning, star, _ = pattern.partition("*")
    if not star:
        return {"whole": pattern}
    return {"low": beginning, "high": beginning + LAST, "like": "%".join(map(escaped, pattern.split("*")))}


def escaped(text: str) -> str:
    """A text as LIKE takes it, whatever characters it has."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def compares(column: ColumnElement[str], form: Form, part: Callable[[str], Any]) -> list[ColumnElement[bool]]:
    """Equality, or a range that the index serves, and LIKE where ``*`` is not only at the end."""
    if form is Form.WHOLE:
        return [column == part("whole")]
    conditions = between(column, part("low"), part("high")) if form in RANGES else []
    if form in LIKES:
        conditions.append(column.like(part("like"), escape="\\"))
    return conditions


def matches(column: ColumnElement[str], pattern: str) -> list[ColumnElement[bool]]:
    """The same with the pattern itself."""
    return compares(column, form_of(pattern), parts(pattern).__getitem__)


def between(column: ColumnElement[str], low: Any, high: Any) -> list[ColumnElement[bool]]:
    """From ``low`` to ``high``; not BETWEEN, which PostgreSQL cannot read with COLLATE."""
    return [column >= low, column <= high]
