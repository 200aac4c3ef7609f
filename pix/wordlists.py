"""Every word that finds a record, in one row: where words are looked up of records that are found already.

``pix_token`` is read by word and holds those kinds alone that a search may be read by. By record its rows cannot be
found at all: that would take a second index as large as the table. Which rows a record has is told by its word list.

A list is JSON, ``["","family:klein","given:rosa"]``, and is searched as a text before it is read: a comma, a quotation
mark, a kind and a colon, and the word in JSON stand nowhere but where this word begins, for in a text a quotation mark
has a backslash before it. The empty text in front gives the first word its comma.
"""

from collections.abc import Iterable

import orjson

from pix.model import Demographics
from pix.remembering import Last
from pix.search_patterns import Form, escaped, form_of
from pix.snapshot import written
from pix.tokens import DRIVING, Kind, Token, tokens

Words = set[tuple[str, str]]
"""Kinds, and words of these kinds."""
AFTER_KIND = ":"


def driving(found: Iterable[Token]) -> list[Token]:
    """Those that are rows of the index."""
    return [each for each in found if each[0] in DRIVING]


@Last
def wordlist(person: Demographics) -> str:
    """JSON: words, each behind its kind, pairs of names as well, in order; empty where nothing finds the patient."""
    listed = sorted({f"{kind}{AFTER_KIND}{word}" for kind, word, *_ in tokens(person)})
    return written(["", *listed]) if listed else ""


def words_of(words: str) -> Words:
    """The words in a word list."""
    parted = [each.partition(AFTER_KIND) for each in orjson.loads(words or "[]") if each]
    return {(kind, word) for kind, _, word in parted}


def before_words(kind: Kind) -> str:
    """What stands before each word of a kind."""
    return kind.value + AFTER_KIND


def part_of_list(kind: Kind, pattern: str) -> str:
    """What the text of a list has in it if a word of this kind matches the pattern, ``*`` standing for any characters.

    Only such a list has it, where nothing follows the first ``*``. For INSIDE it is a pattern for LIKE: behind a word
    of this kind stands the longest part that is given, perhaps in a word of another kind.
    """
    beginning = "," + written(before_words(kind) + pattern.partition("*")[0])
    form = form_of(pattern)
    if form is Form.INSIDE:
        longest = written(max(pattern.split("*"), key=len))[1:-1]
        return f"%{escaped(beginning[:-1])}%{escaped(longest)}%"
    return beginning if form is Form.WHOLE else beginning[:-1]
