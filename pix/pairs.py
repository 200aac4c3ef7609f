"""A family and a given name as one word, their letters in turn: so two beginnings are one beginning, and one range."""

from itertools import chain

from pix.search_patterns import escaped

END = " "
"""Follows each name, and fills up the shorter one: no name has a blank in it."""
OPEN = "*"
"""Stands in a pattern for a letter that is not given."""


def woven(family: str, given: str) -> str:
    """The word for two names: ``li`` and ``anna`` are ``lainn a  ``."""
    return _in_turn(family + END, END, given + END, END)


def sought(family: str, given: str) -> tuple[str, str]:
    """How the word begins for two names of which either may end in ``*``, and a pattern for LIKE.

    The pattern is empty where the beginning says all of it.
    """
    text = _in_turn(*_given_letters(family), *_given_letters(given)).rstrip(OPEN)
    beginning, is_open, _ = text.partition(OPEN)
    return beginning, escaped(text).replace(OPEN, "_") + "%" if is_open else ""


def _given_letters(pattern: str) -> tuple[str, str]:
    """What is known of a name, and what follows it."""
    return (pattern.removesuffix(OPEN), OPEN) if pattern.endswith(OPEN) else (pattern + END, END)


def _in_turn(one: str, after: str, other: str, after_other: str) -> str:
    length = max(len(one), len(other))
    return "".join(chain.from_iterable(zip(one.ljust(length, after), other.ljust(length, after_other), strict=True)))
