"""What finds a record, as it is stored and searched, over ``pix.tables``."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, insert, select

from ihe.identifiers import PatientKey
from pix.model import NOTHING_KNOWN, Demographics
from pix.tables import token, wordlist
from pix.tokens import Token, tokens
from pix.wordlists import Words, driving, words_of
from pix.wordlists import wordlist as listed
from statements.compiled import Row
from statements.prepared import Prepared

INSERT = Prepared(insert(token), token.columns)
DELETE = Prepared(
    delete(token).where(
        token.c.kind == bindparam("of"), token.c.value == bindparam("word"), token.c.record == bindparam("this")
    )
)
LIST = Prepared(insert(wordlist), wordlist.columns)
LISTED = Prepared(select(wordlist.c.words).where(wordlist.c.record == bindparam("this")))
UNLIST = Prepared(delete(wordlist).where(wordlist.c.record == bindparam("this")))


@dataclass(frozen=True, slots=True)
class _Later:
    """Rows that are inserted together."""

    tokens: list[Row] = field(default_factory=list)
    lists: list[Row] = field(default_factory=list)


_LATER: ContextVar[_Later | None] = ContextVar("what is inserted together", default=None)


def replace_tokens(connection: Connection, key: PatientKey, before: Demographics, after: Demographics) -> None:
    """Write the difference between what found the record before and what finds it now."""
    if before == after:
        return
    if before is NOTHING_KNOWN:
        _insert(connection, key, driving(tokens(after)), listed(after))
        return
    old, new, words = tokens(before), tokens(after), listed(after)
    gone = {(kind, word) for kind, word, *_ in driving(old - new)}
    others = words != listed(before)
    if others:
        # What an earlier version took for words of this patient goes as well.
        gone |= _unlist(connection, key) - words_of(words)
    _delete(connection, key, gone)
    _insert(connection, key, driving(new - old), words if others else "")


def remove_tokens(connection: Connection, key: PatientKey) -> None:
    """Let nothing find a record any more."""
    _delete(connection, key, _unlist(connection, key))


@contextmanager
def inserted_together(connection: Connection) -> Iterator[None]:
    """Insert the tokens of many records at the end, in the order of the index: each page of it is written once.

    For a transaction that searches for nobody. Nothing is inserted if it fails.
    """
    here = _LATER.set(_Later())
    try:
        yield
        insert_now(connection)
    finally:
        _LATER.reset(here)


def insert_now(connection: Connection) -> None:
    """Insert what was to be inserted later: something is to be deleted that may be among it."""
    if later := _LATER.get():
        INSERT.insert(connection, sorted(later.tokens))
        LIST.insert(connection, later.lists)
        later.tokens.clear()
        later.lists.clear()


def _insert(connection: Connection, key: PatientKey, come: Iterable[Token], words: str) -> None:
    rows = [(kind, value, key, beside, birth) for kind, value, beside, birth in come]
    lists = [(key, words)] if words else []
    if later := _LATER.get():
        later.tokens.extend(rows)
        later.lists.extend(lists)
    else:
        INSERT.insert(connection, sorted(rows))
        LIST.insert(connection, lists)


def _unlist(connection: Connection, key: PatientKey) -> Words:
    """Take the word list of a record away; what was in it."""
    insert_now(connection)
    found = LISTED.first(connection, {"this": key})
    UNLIST.run(connection, {"this": key})
    return words_of(found[0]) if found else set()


def _delete(connection: Connection, key: PatientKey, gone: Words) -> None:
    if gone:
        insert_now(connection)
        DELETE.run_all(connection, [{"of": kind, "word": word, "this": key} for kind, word in sorted(gone)])
