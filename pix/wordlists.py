"""Every word that finds a record, in one row: where words are looked up of records that are found already.

``pix_token`` is read by word and holds those kinds alone that a search may be read by. By record its rows cannot be
found at all: that would take a second index as large as the table. Which rows a record has is told by its word list.
"""

from collections.abc import Iterable

import orjson

from pix.model import Demographics
from pix.remembering import Last
from pix.snapshot import written
from pix.tokens import DRIVING, Token, tokens

Words = set[tuple[str, str]]
"""Kinds, and words of these kinds."""


def driving(found: Iterable[Token]) -> list[Token]:
    """Those that are rows of the index."""
    return [each for each in found if each[0] in DRIVING]


@Last
def wordlist(person: Demographics) -> str:
    """JSON: the words of each kind, pairs of names as well, in order; empty where nothing finds the patient."""
    listed: dict[str, list[str]] = {}
    for kind, word, *_ in sorted(tokens(person)):
        listed.setdefault(kind, []).append(word)
    return written(listed) if listed else ""


def words_of(words: str) -> Words:
    """The words in a word list."""
    return {(kind, word) for kind, some in orjson.loads(words or "{}").items() for word in some}
